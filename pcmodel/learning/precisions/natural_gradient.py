r"""Precisions by natural gradient: EM without its slowness.

EM moves a precision as if the latents had been seen, by (score) / (complete information $d/2$), and therefore contracts only by
the share of information that is missing (Dempster, Laird & Rubin 1977): levels that the data hardly show take
hundreds of steps.  Here the score is divided by what the data do tell, the Fisher information of the *observed* data,
estimated by the scores' own spread over examples (Berndt, Hall, Hall & Hausman 1974),

$$ \lambda \leftarrow \lambda + \gamma F^{-1} \bar s, \qquad F = \operatorname{Cov}_i(s_i) . $$

Three things make that work on Monte Carlo draws:

- *Noise.* A score averaged over few draws is noisy, and noise would pass for information.  Draws of one example are independent
  chains, so products of *different* draws alone estimate F without bias.
- *Variance.* The score of a draw is the centred one plus the best multiple of a control variate
  (`pcmodel.learning.precisions.scores`), found by running regression.
- *Bounds.* Relative to the complete information the eigenvalues of F lie in [0, 1]; they are kept in [`least_share`, 1], so a
  step is never shorter than EM's and never longer than 1 / `least_share` of it, nor than `largest_move`.

After `settle` steps the gain falls like 1/t, which averages the remaining noise away (Robbins & Monro; Delyon,
Lavielle & Moulines 1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import CountOrZero, Positive, PositiveShare
from pcmodel.learning.precisions.fisher_information import (
    complete_information,
    covariance,
    covariance_diagonal,
    inverse_information,
)
from pcmodel.learning.precisions.m_step import (
    Draws,
    LevelRule,
    move_precision,
    moved,
)
from pcmodel.model.types import LogPrecisions

SPAN = 5.0
"""Steps over which the gain halves once it falls: it then falls like 1.5 / t (at the default rate), near the
1 / t that is optimal for a natural gradient, with some margin for an overestimated information."""


class LevelStatistics(NamedTuple):
    """Running means of one level's scores; shaped like its log-precision.

    cross: E[centred x difference].  square: E[difference^2].  difference: E[difference], zero once the draws come
    from the posterior.  information: of a precision per unit, its own; of a scalar, unused.
    mean: of the batches' mean scores, over the latest steps.  scatter, lag: of their change from step to step, half
    its square and its product with the one before: what tells noise from trend.  last, change: the latest.
    """

    cross: Array
    square: Array
    difference: Array
    information: Array
    mean: Array
    scatter: Array
    lag: Array
    last: Array
    change: Array


class NaturalMemory(NamedTuple):
    """steps: taken so far.  levels: None for a level without scores (full or absent precision).
    information: observed information per example of all scalar precisions together.
    samples: draws of each example.  watched: weight of the last batch in the running mean scores.
    """

    steps: Float[Array, ""]
    levels: tuple[LevelStatistics | None, ...]
    information: Float[Array, "scalars scalars"]
    samples: Float[Array, ""]
    watched: Float[Array, ""]


@checked_arguments
@dataclass(frozen=True)
class NaturalGradient:
    """Scalar precisions jointly, precisions per unit each by itself.

    rate: gain of a step, (0, 1].  burn_in: first steps without a move, in which chains reach the
        posterior.  settle: step from which the gain falls.
    largest_move: bound on a step's change of any log-precision: the chains must follow it.
    least_share: smallest share of the complete information that is believed.
    forget: weight of a batch in every running mean.

    Full precisions move by their closed form at the same gain.  A draw per example does, but its noise
    then passes for information, and steps shorten to EM's: use two chains or more.
    """

    rate: PositiveShare = 0.3
    burn_in: CountOrZero = 20
    settle: CountOrZero = 120
    largest_move: Positive = 0.1
    least_share: PositiveShare = 0.02
    forget: PositiveShare = 0.05
    learns: ClassVar[bool] = True

    def check(self) -> None:
        """Raise a UserError where the gain would fall before there is any."""
        if self.burn_in > self.settle:
            raise UserError(
                f"NaturalGradient needs burn_in <= settle, got {self.burn_in} and {self.settle}."
            )

    def init(self, log_precisions: LogPrecisions) -> Any:
        """No scores seen; information as if complete information were one."""
        levels = tuple(
            LevelStatistics(*(jnp.zeros_like(value) for _ in LevelStatistics._fields))
            if value is not None and value.ndim < 2
            else None
            for value in log_precisions
        )
        count = len(scalar_levels(log_precisions))
        dtype = next(value.dtype for value in log_precisions if value is not None)
        nothing = jnp.zeros((), dtype)
        return NaturalMemory(
            nothing, levels, jnp.zeros((count, count), dtype), nothing, nothing
        )

    def update(
        self,
        log_precisions: LogPrecisions,
        draws: Draws,
        rules: Sequence[LevelRule],
        memory: Any,
    ) -> tuple[LogPrecisions, Any]:
        """Every learned precision moved."""
        scores, memory = self.observe(log_precisions, draws, rules, memory)
        gain = self.gain(memory.steps)
        changes = self.bounded_changes(log_precisions, draws, rules, scores, memory)

        def move(level: int, value: Array, factor: float | Array) -> Array:
            if value.ndim < 2:
                return value + gain * factor * changes[level]
            rate, floor = jnp.minimum(gain * factor, 1.0), rules[level].floor
            return move_precision(value, draws.errors[level], rate=rate, floor=floor)

        memory = memory._replace(steps=memory.steps + 1)
        return moved(log_precisions, rules, move), memory

    def gain(self, steps: Array) -> Array:
        """Zero, then `rate`, then falling like 1/t."""
        late = jnp.maximum(steps - self.settle, 0)
        return jnp.where(steps < self.burn_in, 0.0, self.rate * SPAN / (SPAN + late))

    def observe(
        self,
        log_precisions: LogPrecisions,
        draws: Draws,
        rules: Sequence[LevelRule],
        memory: NaturalMemory,
    ) -> tuple[dict[int, Array], NaturalMemory]:
        """Each level's best scores, (batch, samples, ...), and the running means with this batch."""
        both = draws.scores()
        weight = jnp.maximum(self.forget, 1 / (1 + memory.steps))
        late = jnp.maximum(memory.steps - self.settle, 0)
        watched = jnp.minimum(weight, 2 / (2 + late))
        levels, scores = list(memory.levels), {}
        for level, (value, rule) in enumerate(zip(log_precisions, rules, strict=True)):
            statistics = levels[level]
            if value is None or statistics is None:
                continue
            centred, difference = both.centred[level], both.difference[level]
            assert centred is not None and difference is not None
            # Noise of variance `floor` on the errors lowers the score by floor d / d lambda (Pi d / 2).
            units = draws.errors[level].shape[-1] if value.ndim == 0 else 1
            centred = centred - (0.5 * rule.floor * units * jnp.exp(value))[None, None]
            statistics = followed(statistics, centred, difference, weight)
            share = -statistics.cross / jnp.maximum(statistics.square, 1e-12)
            scores[level] = centred + jnp.clip(share, 0, 1)[None, None] * difference
            statistics = watch(
                statistics, jnp.mean(scores[level], (0, 1)), watched, memory.steps
            )
            if value.ndim == 1:
                seen = covariance_diagonal(scores[level])
                information = blend(statistics.information, seen, weight)
                statistics = statistics._replace(information=information)
            levels[level] = statistics
        information = memory.information
        if information.shape[0]:
            stacked = [scores[level] for level in scalar_levels(log_precisions)]
            seen = covariance(jnp.stack(stacked, axis=-1))
            information = blend(information, seen, weight)
        samples = jnp.full_like(memory.samples, draws.errors[-1].shape[1])
        return scores, NaturalMemory(
            memory.steps, tuple(levels), information, samples, watched
        )

    def bounded_changes(
        self,
        log_precisions: LogPrecisions,
        draws: Draws,
        rules: Sequence[LevelRule],
        scores: dict[int, Array],
        memory: NaturalMemory,
    ) -> dict[int, Array]:
        """F^-1 s for every level with scores, bounded so that no move exceeds `largest_move`."""
        bound = self.largest_move / self.rate
        changes = {}
        for level, score in scores.items():
            statistics = memory.levels[level]
            if statistics is not None and score.ndim == 3:
                share = jnp.clip(2 * statistics.information, self.least_share, 1)
                change = 2 * jnp.mean(score, axis=(0, 1)) / share
                changes[level] = jnp.clip(change, -bound, bound)
        scalars = scalar_levels(log_precisions)
        rows = [i for i, level in enumerate(scalars) if rules[level].rate is not None]
        if not rows:
            return changes
        learned = [scalars[row] for row in rows]
        mean = jnp.stack([jnp.mean(scores[level]) for level in learned])
        complete = complete_information(draws, learned)
        information = memory.information[np.ix_(rows, rows)]
        change = inverse_information(information, complete, self.least_share) @ mean
        change = change * bound / jnp.maximum(jnp.max(jnp.abs(change)), bound)
        changes.update({level: change[row] for row, level in enumerate(learned)})
        return changes


def scalar_levels(log_precisions: LogPrecisions) -> list[int]:
    """Levels with one precision."""
    return [
        level
        for level, value in enumerate(log_precisions)
        if value is not None and value.ndim == 0
    ]


def blend(old: Array, new: Array, weight: Array) -> Array:
    """Running mean."""
    return old + weight * (new - old)


def followed(
    statistics: LevelStatistics, centred: Array, difference: Array, weight: Array
) -> LevelStatistics:
    """The running means that say how much of the control variate to take."""
    spread = centred - jnp.mean(centred, axis=(0, 1), keepdims=True)
    seen = (spread * difference, difference**2, difference)
    old = (statistics.cross, statistics.square, statistics.difference)
    means = [
        blend(before, jnp.mean(value, axis=(0, 1)), weight)
        for before, value in zip(old, seen, strict=True)
    ]
    return statistics._replace(cross=means[0], square=means[1], difference=means[2])


def watch(
    statistics: LevelStatistics, score: Array, weight: Array, steps: Array
) -> LevelStatistics:
    """The running mean of batches' scores, and how they change from step to step."""
    change = jnp.where(steps > 0, score - statistics.last, 0)
    pair = change * statistics.change
    return statistics._replace(
        mean=blend(statistics.mean, score, weight),
        scatter=blend(statistics.scatter, 0.5 * change**2, weight),
        lag=blend(statistics.lag, pair, weight),
        last=score,
        change=change,
    )

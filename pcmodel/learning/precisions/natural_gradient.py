r"""Precisions by natural gradient, which converges faster than EM.

EM moves a precision as if the latents were observed, by (score) / (complete information $d/2$), so that each step
multiplies the distance to the estimate by the fraction of missing information (Dempster, Laird & Rubin 1977): levels
about which the data carry little information take hundreds of steps.  Here the score is divided by the Fisher
information of the *observed* data, estimated by the scores' covariance over examples (Berndt, Hall, Hall & Hausman
1974),

$$ \lambda \leftarrow \lambda + \gamma F^{-1} \bar s, \qquad F = \operatorname{Cov}_i(s_i) . $$

With Monte Carlo draws this requires:

- *Unbiased information.* The noise of a score averaged over few draws would count as information.  Draws of one
  example come from independent chains, so the products of *different* draws estimate F without bias.
- *Low variance.* The score of a draw is the centred one plus the best multiple of a control variate
  (`pcmodel.learning.precisions.scores`), found by running regression.
- *Bounds.* Relative to the complete information the eigenvalues of F lie in [0, 1]; they are clipped to
  [`least_share`, 1], so that a step is at least EM's, at most 1 / `least_share` times it, and at most `largest_move`.

After `settle` steps the gain decreases as 1/t, which averages out the remaining noise (Robbins & Monro; Delyon,
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
    levels_among,
    move_precision,
    moved,
    samples_of,
)
from pcmodel.model.types import LogPrecisions

SPAN = 5.0
"""Steps after `settle` at which the gain has halved: it decreases as 1.5 / t at the default rate, near the 1 / t that
is optimal for a natural gradient, with a margin for overestimated information."""


class LevelStatistics(NamedTuple):
    """Running means of one level's scores, each shaped like its log-precision.

    cross: E[centred x difference], of deviations from the batch mean.
    square: E[difference^2].
    difference: E[difference], zero once the draws come from the posterior.
    information: observed information per example of a precision per unit; unused for a scalar.
    mean: running mean of the batches' mean scores.
    scatter: half the mean squared change of the batches' mean scores from step to step.
    lag: mean product of successive changes; with `scatter` it separates noise from trend.
    last: mean score of the latest batch.
    change: latest change of the mean score.
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
    """Memory of `NaturalGradient`.

    steps: number of steps so far.
    levels: statistics of each level; None for one without scores (full or absent precision).
    information: observed information per example of all scalar precisions jointly.
    samples: draws per example.
    watched: weight of the latest batch in the running mean scores.
    """

    steps: Float[Array, ""]
    levels: tuple[LevelStatistics | None, ...]
    information: Float[Array, "scalars scalars"]
    samples: Float[Array, ""]
    watched: Float[Array, ""]


@checked_arguments
@dataclass(frozen=True)
class NaturalGradient:
    """Natural-gradient steps: scalar precisions jointly, precisions per unit separately.

    rate: initial gain of a step, in (0, 1].
    burn_in: number of first steps without a move, in which chains reach the posterior.
    settle: step from which the gain decreases.
    largest_move: bound on the change of any log-precision in a step, small enough for the chains to follow.
    least_share: lower bound on the observed relative to the complete information.
    forget: weight of a batch in every running mean.

    Full precisions move by their closed form at the same gain.  One draw per example is possible, but its noise
    then counts as information and steps are as short as EM's: use two chains or more.
    """

    rate: PositiveShare = 0.3
    burn_in: CountOrZero = 20
    settle: CountOrZero = 120
    largest_move: Positive = 0.1
    least_share: PositiveShare = 0.02
    forget: PositiveShare = 0.05
    learns: ClassVar[bool] = True

    def check(self) -> None:
        """Raise a UserError if the gain would decrease before the burn-in ends."""
        if self.burn_in > self.settle:
            raise UserError(
                f"NaturalGradient needs burn_in <= settle, got {self.burn_in} and {self.settle}."
            )

    def init(self, log_precisions: LogPrecisions) -> Any:
        """Memory before the first batch: all statistics are zero."""
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
        """New log-precisions of the learned levels, and memory."""
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
        """Gain of a step: 0 up to `burn_in`, then `rate`, decreasing as 1/t after `settle`."""
        late = jnp.maximum(steps - self.settle, 0)
        return jnp.where(steps < self.burn_in, 0.0, self.rate * SPAN / (SPAN + late))

    def observe(
        self,
        log_precisions: LogPrecisions,
        draws: Draws,
        rules: Sequence[LevelRule],
        memory: NaturalMemory,
    ) -> tuple[dict[int, Array], NaturalMemory]:
        """Variance-reduced scores of each level, (batch, samples, ...), and the memory updated by this batch."""
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
            # Noise of variance `floor` on d units lowers the score by d / d lambda (floor d exp(lambda) / 2).
            units = errors_of_each(value, draws, level)
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
        samples = jnp.full_like(memory.samples, samples_of(draws))
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
        """The step F^-1 s of every level with scores, bounded so that no move exceeds `largest_move`."""
        bound = self.largest_move / self.rate
        changes = {}
        for level, score in scores.items():
            statistics = memory.levels[level]
            value = log_precisions[level]
            if statistics is not None and value is not None and score.ndim == 3:
                # Half the number of errors is the complete information.
                complete = 0.5 * errors_of_each(value, draws, level)
                share = statistics.information / complete
                share = jnp.clip(share, self.least_share, 1)
                change = jnp.mean(score, axis=(0, 1)) / (complete * share)
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
    """Indices of the levels with a scalar precision."""
    return [
        level
        for level, value in enumerate(log_precisions)
        if value is not None and value.ndim == 0
    ]


def errors_of_each(value: Array, draws: Draws, level: int) -> int:
    """Number of errors of one draw that each precision of a level speaks of, those of tied levels included."""
    if value.ndim == 0:
        return draws.errors[level].shape[-1]
    return levels_among(value, draws, level)


def blend(old: Array, new: Array, weight: Array) -> Array:
    """Running mean `old` updated by `new`."""
    return old + weight * (new - old)


def followed(
    statistics: LevelStatistics, centred: Array, difference: Array, weight: Array
) -> LevelStatistics:
    """The statistics with updated running means for the coefficient of the control variate."""
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
    """The statistics with the updated running mean of batch scores and of their changes from step to step."""
    change = jnp.where(steps > 0, score - statistics.last, 0)
    pair = change * statistics.change
    return statistics._replace(
        mean=blend(statistics.mean, score, weight),
        scatter=blend(statistics.scatter, 0.5 * change**2, weight),
        lag=blend(statistics.lag, pair, weight),
        last=score,
        change=change,
    )

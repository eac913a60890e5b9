r"""Convergence of learned precisions, and their standard errors.

At the maximum-likelihood estimate of a precision the score of the data vanishes.  The remaining distance is the Newton
step $\delta = F^{-1} \bar s$, from the mean score of the latest steps and the information of the observed data; the
standard error is $\sqrt{(N F)^{-1}}$.  A level has *settled* when $|\delta|$ plus its Monte Carlo noise (of the draws and
batches averaged in $\bar s$) is at most half of its standard error.  No standard error is reported before, because the
information would be evaluated at a point that is not the estimate.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.learning.precisions.drift import FEWEST, still
from pcmodel.learning.precisions.natural_gradient import LevelStatistics, NaturalMemory

SETTLED = 0.5
"""Largest remaining distance of a settled precision, noise included, as a fraction of its standard error."""
STRONGEST_LAG = 0.95
"""Largest correlation of successive mean scores that the noise estimate corrects for."""


class Settling(NamedTuple):
    """Convergence of one level; changes of the log-precision (relative changes of the precision), of its shape.

    remaining: Newton step to the maximum-likelihood estimate, positive if the precision has to rise.
    noise: Monte Carlo standard deviation of that step.
    error: standard error of the estimate.
    """

    remaining: Array
    noise: Array
    error: Array

    @property
    def settled(self) -> Array:
        """Whether |remaining| + noise is at most half the standard error of every unit."""
        left = jnp.abs(self.remaining) + self.noise
        return jnp.all((left <= SETTLED * self.error) & jnp.isfinite(self.error))


@checked_arguments
def settling(
    memory: NaturalMemory, num_examples: int, *, frozen: Sequence[int] = ()
) -> tuple[Settling | None, ...]:
    """Convergence of each level; None for a level without scores and for `frozen` ones (indices).

    Errors are infinite where the estimated information is not positive, and everywhere with a single draw per
    example, whose noise would count as information.
    """
    seen = memory.samples >= 2
    found: list[Settling | None] = [None] * len(memory.levels)
    scalars = []
    for level, kept in enumerate(memory.levels):
        if kept is None:
            continue
        if kept.mean.ndim == 0:
            scalars.append(level)
        elif level not in frozen:
            variance = jnp.where(seen, 1 / kept.information, jnp.inf)
            found[level] = Settling(
                kept.mean / kept.information,
                jnp.sqrt(noise_of(kept, memory)) / jnp.abs(kept.information),
                root_or_infinite(variance / num_examples),
            )
    rows = [row for row, level in enumerate(scalars) if level not in frozen]
    if rows:
        inverse = jnp.linalg.inv(memory.information[np.ix_(rows, rows)])
        levels = [memory.levels[scalars[row]] for row in rows]
        mean = jnp.stack([kept.mean for kept in levels if kept is not None])
        noise = jnp.stack([noise_of(kept, memory) for kept in levels if kept])
        remaining, spread = inverse @ mean, jnp.sqrt(inverse**2 @ noise)
        variance = jnp.where(seen, jnp.diagonal(inverse), jnp.inf) / num_examples
        for place, row in enumerate(rows):
            found[scalars[row]] = Settling(
                remaining[place], spread[place], root_or_infinite(variance[place])
            )
    return tuple(found)


def noise_of(kept: LevelStatistics, memory: NaturalMemory) -> Array:
    r"""Variance of the running mean score.

    Scores are modelled as a trend plus first-order autoregressive noise of variance $\gamma$ and correlation $\rho$.
    Their changes hardly depend on mean and trend: half their mean square is $\gamma (1 - \rho)$, the mean product of
    successive changes $-\gamma (1 - \rho)^2$. A running mean of weight $w$ has variance
    $\gamma \frac{w}{2 - w} \frac{1 + r}{1 - r}$, $r = \rho (1 - w)$.
    """
    tiny = jnp.finfo(kept.scatter.dtype).tiny
    fall = jnp.clip(-kept.lag / jnp.maximum(kept.scatter, tiny), 1 - STRONGEST_LAG, 1)
    weight = memory.watched
    together = (1 - fall) * (1 - weight)
    inflation = (1 + together) / (1 - together)
    return kept.scatter / fall * inflation * weight / (2 - weight)


@checked_arguments
def standard_errors(
    memory: NaturalMemory, num_examples: int, *, frozen: Sequence[int] = ()
) -> tuple[Array | None, ...]:
    """Standard error of each settled log-precision (a relative error of the precision).

    From the observed information, with the weights treated as known; scalars jointly, units separately.
    NaN for a level that has not settled (`unsettled` gives the reason); None for one without scores and for
    `frozen` levels (indices).
    """
    return tuple(
        None if level is None else jnp.where(level.settled, level.error, jnp.nan)
        for level in settling(memory, num_examples, frozen=frozen)
    )


@checked_arguments
def unsettled(
    memory: NaturalMemory,
    num_examples: int,
    *,
    frozen: Sequence[int] = (),
    names: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """One sentence for each level that has not settled, with the reason; empty if all have."""
    told = []
    for index, level in enumerate(settling(memory, num_examples, frozen=frozen)):
        if level is None or bool(level.settled):
            continue
        name = f"level {index}" if names is None else f"level {names[index]!r}"
        told.append(
            f"the precision of {name} has not settled: {_reason(level, memory)}"
        )
    return tuple(told)


def _reason(level: Settling, memory: NaturalMemory) -> str:
    if int(memory.samples) < 2:
        return "one draw of each example cannot tell information from noise; take two or more"
    if not bool(jnp.all(jnp.isfinite(level.error))):
        return (
            "the data have shown no information about it yet; take more steps or draws"
        )
    worst = int(jnp.argmax((jnp.abs(level.remaining) + level.noise) / level.error))
    left, noise, error = (np.ravel(part)[worst] for part in level)
    if noise > SETTLED * error:
        return (
            f"its step is uncertain by {noise:.2g} in log, its standard error would be {error:.2g}; "
            "take more steps or draws"
        )
    return (
        f"{left:+.2g} in log is left to go, its standard error would be {error:.2g}; "
        "take more steps, or let the gain fall later"
    )


def root_or_infinite(variance: Array) -> Array:
    """Square root of the variance; infinite where that is not positive."""
    return jnp.where(variance > 0, jnp.sqrt(jnp.maximum(variance, 0)), jnp.inf)


class LearnedPrecisions(NamedTuple):
    """Convergence and standard errors of the learned precisions, with one entry per level.

    settled: whether the precision has converged, None where it was not learned; judged from the score if the step
        keeps scores (`NaturalGradient`), else from the course alone (`pcmodel.learning.precisions.drift`).
    standard_errors: of each log-precision, with the weights treated as known; NaN if not settled, None if the step
        keeps no scores.
    reasons: a sentence for each level that has not settled.
    """

    settled: tuple[bool | None, ...]
    standard_errors: tuple[np.ndarray | None, ...]
    reasons: tuple[str, ...]


def judge_precisions(
    memory: Any,
    course: Float[np.ndarray, "chunks levels"],
    learned: Sequence[bool],
    num_examples: int,
    names: Sequence[str],
) -> LearnedPrecisions:
    """Convergence of the precisions at the end of learning.

    memory: of the precision step.
    course: mean log-precision of each level after each chunk.
    learned: whether each level's precision was learned.
    """
    frozen = [level for level, each in enumerate(learned) if not each]
    scored: tuple[Settling | None, ...] = (None,) * len(learned)
    reasons: list[str] = []
    if isinstance(memory, NaturalMemory):
        scored = settling(memory, num_examples, frozen=frozen)
        reasons += unsettled(memory, num_examples, frozen=frozen, names=names)
    quiet, settled, errors = still(course), [], []
    for level, each in enumerate(learned):
        own = scored[level]
        if not each:
            settled.append(None)
            errors.append(None)
        elif own is not None:
            settled.append(bool(own.settled))
            errors.append(np.asarray(own.error if own.settled else own.error * np.nan))
        else:
            settled.append(bool(quiet[level]))
            errors.append(None)
            if not quiet[level]:
                reasons.append(_still_moving(names[level], len(course)))
    return LearnedPrecisions(tuple(settled), tuple(errors), tuple(reasons))


def _still_moving(name: str, length: int) -> str:
    why = (
        f"{length} epochs are too few to tell"
        if length < FEWEST
        else "it was still moving at the end, or scattered too much to tell"
    )
    return f"the precision of level {name!r} has not settled: {why}; take more epochs"

r"""The M-step of the precisions, from the errors of posterior draws.

In closed form $\Pi_\ell^{-1} = E[e_\ell e_\ell^\top]$: the squared residual *plus* the posterior-variance
term (`ClosedForm`).  `MovingAverage` moves the running *variance* towards a batch's second moment: an
average of variances, not of log-precisions, has no bias from small batches.  `GradientStep` takes an optax
step on the log-precisions.  `Frozen` leaves every precision as it is.

All of these are EM, which converges slowly where the data say little about the latents;
`pcmodel.learning.precisions.natural_gradient` does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float

from pcmodel.inference.solvers.optax_steps import check_steps
from pcmodel.inference.solvers.optax_steps import move as optax_move
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import PositiveShare
from pcmodel.learning.precisions.scores import Scores
from pcmodel.model.linalg import cholesky, solve_spd
from pcmodel.model.precision import (
    covariance_to_log_precision,
    factor,
    log_normaliser,
    precision_matrix,
    whiten,
)
from pcmodel.model.types import LogPrecisions

Errors = tuple[Float[Array, "batch samples _"], ...]


class Draws(NamedTuple):
    """Errors and scores of a batch of posterior draws.

    errors: latent minus prediction of every level, each (batch, samples, width).
    scores: function that computes both scores of every draw, leaves (batch, samples, *shape of the log-precision);
        called only by steps that use them.
    """

    errors: Errors
    scores: Callable[[], Scores]


class LevelRule(NamedTuple):
    """How one level's precision may move.

    rate: multiplies the step's own rate (a drug's plasticity; 1 otherwise); None where the precision
        is not learned.
    floor: added to the second moment, as if the errors carried noise of that variance; one number, or one per unit
        of a level whose units have precisions of their own.
    """

    rate: float | Array | None
    floor: float | Array = 0.0


@runtime_checkable
class PrecisionStep(Protocol):
    """Moves log-precisions given a batch of posterior draws.

    learns: whether any precision moves.
    """

    learns: ClassVar[bool]

    def check(self) -> None:
        """Raise a UserError for options that cannot work."""
        ...

    def init(self, log_precisions: LogPrecisions) -> Any:
        """Memory before the first batch."""
        ...

    def update(
        self,
        log_precisions: LogPrecisions,
        draws: Draws,
        rules: Sequence[LevelRule],
        memory: Any,
    ) -> tuple[LogPrecisions, Any]:
        """New log-precisions and memory; `rules` has one entry per level."""
        ...


class Memoryless:
    """Base of the M-steps without memory and without options that must agree with each other."""

    def check(self) -> None:
        """Do nothing: each option is checked when it is set."""

    def init(self, log_precisions: LogPrecisions) -> Any:
        """An empty memory."""
        del log_precisions
        return ()


@dataclass(frozen=True)
class Frozen(Memoryless):
    """No precision is learned."""

    learns: ClassVar[bool] = False

    def update(
        self,
        log_precisions: LogPrecisions,
        draws: Draws,
        rules: Sequence[LevelRule],
        memory: Any,
    ) -> tuple[LogPrecisions, Any]:
        """The precisions unchanged."""
        del draws, rules
        return log_precisions, memory


class TowardsMoment(Memoryless):
    """Moves every variance by the fraction `rate` of the way to a batch's second moment of the errors."""

    rate: float
    learns: ClassVar[bool] = True

    def update(
        self,
        log_precisions: LogPrecisions,
        draws: Draws,
        rules: Sequence[LevelRule],
        memory: Any,
    ) -> tuple[LogPrecisions, Any]:
        """New log-precisions of the learned levels."""

        def move(level: int, value: Array, factor: float | Array) -> Array:
            rate, floor = capped(self.rate, factor), rules[level].floor
            return move_precision(value, draws.errors[level], rate=rate, floor=floor)

        return moved(log_precisions, rules, move), memory


@checked_arguments
@dataclass(frozen=True)
class MovingAverage(TowardsMoment):
    """The running variance moves towards each batch's second moment by `rate`, in (0, 1]."""

    rate: PositiveShare = 0.05


@dataclass(frozen=True)
class ClosedForm(TowardsMoment):
    """Every precision is set to the maximiser of the batch's expected log density: one full EM step."""

    rate: ClassVar[float] = 1.0


@checked_arguments
@dataclass(frozen=True)
class GradientStep:
    """An optax step on the log-precisions along the gradient of the expected energy."""

    optimiser: optax.GradientTransformation = optax.adam(0.05)
    learns: ClassVar[bool] = True

    def check(self) -> None:
        """Raise a UserError for an optimiser whose steps are not finite."""
        check_steps(self.optimiser, "GradientStep")

    def init(self, log_precisions: LogPrecisions) -> Any:
        """The optimiser's state."""
        return self.optimiser.init(log_precisions)  # type: ignore[arg-type]

    def update(
        self,
        log_precisions: LogPrecisions,
        draws: Draws,
        rules: Sequence[LevelRule],
        memory: Any,
    ) -> tuple[LogPrecisions, Any]:
        """New log-precisions of the learned levels; a rule's `rate` multiplies the optimiser's update."""

        def total(log_precisions: LogPrecisions) -> Array:
            terms = [
                precision_energy(value, errors, rule.floor)
                for value, errors, rule in zip(
                    log_precisions, draws.errors, rules, strict=True
                )
                if value is not None and rule.rate is not None
            ]
            return sum(terms, start=jnp.zeros((), draws.errors[0].dtype))

        energy, gradient = jax.value_and_grad(total)(log_precisions)
        changes, memory = optax_move(
            self.optimiser, total, log_precisions, energy, gradient, memory
        )

        def move(level: int, value: Array, factor: float | Array) -> Array:
            return value + factor * jnp.asarray(changes[level])  # type: ignore[index]

        return moved(log_precisions, rules, move), memory


def moved(
    log_precisions: LogPrecisions,
    rules: Sequence[LevelRule],
    move: Callable[[int, Array, float | Array], Array],
) -> LogPrecisions:
    """Every learned precision replaced by `move(level, log-precision, rate of its rule)`, the others unchanged."""
    return tuple(
        value if value is None or rule.rate is None else move(level, value, rule.rate)
        for level, (value, rule) in enumerate(zip(log_precisions, rules, strict=True))
    )


def precision_energy(
    log_precision: Array,
    errors: Float[Array, "batch samples width"],
    floor: float | Array,
) -> Array:
    """Mean Gaussian energy of the errors with noise of variance `floor` added, nats."""
    width = errors.shape[-1]
    flat = errors.reshape(-1, width)
    own = factor(log_precision, jnp.ones((), flat.dtype), width)
    squares = jax.vmap(lambda error: jnp.sum(whiten(own, error) ** 2))(flat)
    units = own**2 if own.ndim == 1 else jnp.sum(own**2, axis=1)
    noise = jnp.sum(floor * units)
    return 0.5 * (jnp.mean(squares) + noise) + log_normaliser(own, width)


def capped(rate: float, factor: float | Array) -> float | Array:
    """rate * factor, at most 1; a float if both are."""
    if isinstance(factor, Array):
        return jnp.minimum(rate * factor, 1.0)
    return min(rate * factor, 1.0)


def move_precision(
    log_precision: Array,
    errors: Float[Array, "batch samples width"],
    *,
    rate: float | Array,
    floor: float | Array = 0.0,
) -> Array:
    """The log-precision after its variance moves by the fraction `rate` towards the errors' second moment + `floor`."""
    if log_precision.ndim == 2:
        return move_full_precision(log_precision, errors, rate=rate, floor=floor)
    axes = (0, 1) if log_precision.ndim == 1 else (0, 1, 2)
    moment = jnp.mean(errors**2, axis=axes) + floor
    return -jnp.log((1 - rate) * jnp.exp(-log_precision) + rate * moment)


def move_full_precision(
    log_precision: Float[Array, "width width"],
    errors: Float[Array, "batch samples width"],
    *,
    rate: float | Array,
    floor: float | Array = 0.0,
) -> Float[Array, "width width"]:
    """`move_precision` for a full precision, through its covariance."""
    width = log_precision.shape[0]
    flat = errors.reshape(-1, width)
    precision = precision_matrix(factor(log_precision, jnp.ones((), flat.dtype), width))
    covariance = solve_spd(cholesky(precision), jnp.eye(width, dtype=flat.dtype))
    noise = jnp.diag(jnp.broadcast_to(jnp.asarray(floor, flat.dtype), (width,)))
    moment = flat.T @ flat / flat.shape[0] + noise
    return covariance_to_log_precision((1 - rate) * covariance + rate * moment)

r"""One EM step: infer, then improve weights and precisions.

Weights take one optax step on the expected energy, whose gradient is local to each level.
Precisions have a closed-form M-step, $\Pi_\ell^{-1} = E[e_\ell e_\ell^\top]$ (the residual *plus* the posterior-variance term),
applied as a moving average of the second moment at `precision_rate` (1 = full EM).  An average of
variances, not of log-precisions: it has no bias from small batches.

A drug's *plasticity* multiplies what a step changes, after the optimiser: a rescaled gradient would leave
Adam where it was.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float

from pcmodel.energy import Inputs, Problem, Structure, energy, predictions
from pcmodel.learning.e_step import EStep, PosteriorSamples
from pcmodel.learning.gauge import FixedWeightNorm, Gauge
from pcmodel.precision import (
    covariance_to_log_precision,
    factor,
    precision_matrix,
)
from pcmodel.small import cholesky, solve_spd
from pcmodel.types import Latents, LogPrecisions, Weights


@dataclass(frozen=True)
class Learning:
    """How a network learns.

    optimiser: optax transformation for the weights.
    precision_rate: share of each step's second moment in the running variance, (0, 1]; 0 freezes
        every precision.
    frozen_precisions: level indices whose precision is not learned.
    variance_floor: added to the second moment of level 0's errors, as if the data carried noise
        of that variance. Data with constant or quantised units (pixels) have no density: without a
        floor their precision, and the likelihood, grow without bound.
    e_step: `PosteriorSamples` or, with precisions frozen, `PointEstimate`.
    """

    optimiser: optax.GradientTransformation = optax.adam(3e-3)
    precision_rate: float = 0.05
    frozen_precisions: tuple[int, ...] = ()
    variance_floor: float = 0.0
    e_step: EStep = PosteriorSamples()
    gauge: Gauge = FixedWeightNorm()


class LearningState(NamedTuple):
    """What the next step needs.  `initial` holds the weights the gauge refers to."""

    weights: Weights
    log_precisions: LogPrecisions
    optimiser: Any
    initial: Weights


class LearningInfo(NamedTuple):
    """energy: mean expected energy per example, nats.  residual: mean of the E-step's, in
    posterior standard deviations.  converged: share of examples below residual 0.1."""

    energy: Float[Array, ""]
    residual: Float[Array, ""]
    converged: Float[Array, ""]


def init_learning(
    weights: Weights, log_precisions: LogPrecisions, learning: Learning
) -> LearningState:
    """State before the first step."""
    return LearningState(
        weights, log_precisions, learning.optimiser.init(weights), weights
    )


def em_step(
    state: LearningState,
    values: tuple[Array, ...],
    key: Array,
    *,
    structure: Structure,
    learning: Learning,
    plasticity: Array | None = None,
) -> tuple[LearningState, LearningInfo]:
    """One step on a batch; values[l] is (batch, clamped units of level l).

    plasticity: multiplies every learning rate (a precision's up to 1); None leaves no trace.
    """
    batch = next(value.shape[0] for value in values if value.shape[-1])
    keys = jax.random.split(key, batch)

    def problem_of(weights, log_precisions, example) -> Problem:
        dtype = weights["prior_mean"].dtype
        gains = tuple(jnp.ones((), dtype) for _ in structure.model.widths)
        return Problem(structure, Inputs(weights, log_precisions, gains, example, ()))

    def expect(example, example_key):
        problem = problem_of(state.weights, state.log_precisions, example)
        return learning.e_step.expect(problem, example_key)

    expectation = jax.lax.stop_gradient(jax.vmap(expect)(values, keys))

    def mean_energy(weights: Weights) -> Array:
        def one(example, latents):
            problem = problem_of(weights, state.log_precisions, example)
            return jnp.mean(jax.vmap(partial(energy, problem))(latents))

        return jnp.mean(jax.vmap(one)(values, expectation.latents))

    value, gradient = jax.value_and_grad(mean_energy)(state.weights)
    updates, optimiser = learning.optimiser.update(
        gradient, state.optimiser, state.weights
    )
    if plasticity is not None:
        updates = jax.tree.map(lambda change: plasticity * change, updates)
    weights: Weights = optax.apply_updates(state.weights, updates)
    weights = learning.gauge.project(weights, state.initial, state.log_precisions)

    def errors(example, latents: Latents) -> Latents:
        problem = problem_of(state.weights, state.log_precisions, example)
        predicted = predictions(problem, latents)
        return tuple(x - mu for x, mu in zip(latents, predicted, strict=True))

    every = jax.vmap(lambda v, xs: jax.vmap(partial(errors, v))(xs))(
        values, expectation.latents
    )
    log_precisions = tuple(
        move_precision(
            value,
            error,
            rate=scaled_rate(precision_rate(learning, structure, level), plasticity),
            floor=learning.variance_floor if level == 0 else 0.0,
        )
        for level, (value, error) in enumerate(
            zip(state.log_precisions, every, strict=True)
        )
    )
    info = LearningInfo(
        value,
        jnp.mean(expectation.residual),
        jnp.mean((expectation.residual < 0.1).astype(value.dtype)),
    )
    return LearningState(weights, log_precisions, optimiser, state.initial), info


def precision_rate(learning: Learning, structure: Structure, level: int) -> float:
    """The rate at which one level's precision moves; 0 where it is frozen."""
    frozen = level in learning.frozen_precisions
    if frozen or not learning.gauge.learns(level, structure.top + 1):
        return 0.0
    return learning.precision_rate


def scaled_rate(rate: float, plasticity: Array | None) -> float | Array:
    """A precision's rate under a drug; 0 stays a plain 0, which freezes it."""
    if plasticity is None or rate == 0.0:
        return rate
    return jnp.minimum(rate * plasticity, 1.0)


def move_precision(
    log_precision: Array | None,
    errors: Float[Array, "batch samples width"],
    *,
    rate: float | Array,
    floor: float = 0.0,
) -> Array | None:
    """Move a precision towards the inverse second moment of its errors."""
    if log_precision is None or (not isinstance(rate, Array) and rate == 0.0):
        return log_precision
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
    floor: float = 0.0,
) -> Float[Array, "width width"]:
    """`move_precision` for a full precision, through its covariance."""
    width = log_precision.shape[0]
    flat = errors.reshape(-1, width)
    precision = precision_matrix(factor(log_precision, jnp.ones((), flat.dtype), width))
    covariance = solve_spd(cholesky(precision), jnp.eye(width, dtype=flat.dtype))
    moment = flat.T @ flat / flat.shape[0] + floor * jnp.eye(width, dtype=flat.dtype)
    return covariance_to_log_precision((1 - rate) * covariance + rate * moment)

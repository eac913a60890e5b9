r"""Learning rules: how the gradient of the weights is computed.

- `Equilibrium`: the latents are fixed at those of the E-step; $\partial E / \partial \theta$ is local to each level.
- `Backpropagation`: the *whitened errors* of free units are fixed at zero instead of the latents.  The energy is
  then the network's loss, and its gradient that of backpropagation: the baseline for comparison.
- `Nudged` and `NudgedLoss` (`pcmodel.learning.nudging`): the ends are nudged towards their targets, and away from them,
  as in equilibrium propagation.
- `Incremental` (`pcmodel.learning.incremental`): weights move while inference runs (incremental PC).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.whitened import unroll, unrolled_objective
from pcmodel.learning.e_step import EStep, Expectation, Memory, no_number, sweep_start
from pcmodel.learning.precisions.m_step import Draws
from pcmodel.learning.precisions.scores import Scores, scores
from pcmodel.learning.rounding import energies_of_draws
from pcmodel.model.energy import (
    level_energies,
    predictions,
)
from pcmodel.model.generative import learned
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents, Weights

Values = tuple[Array, ...]


class RuleContext(NamedTuple):
    """The functions that a rule may use.

    pose: function of (weights, one example's values) that returns the inference problem.
    apply_gradient: function of (state, slope, draws or None) that returns the updated state.
    e_step: the E-step.
    gains: of each level under a modulation, () or (width,); None without one.
    """

    pose: Callable[[Weights, Values], Problem]
    apply_gradient: Callable[[Any, "Slope", Any], Any]
    e_step: EStep
    gains: tuple[Array, ...] | None = None


class Slope(NamedTuple):
    """The objective of the weights.

    value: objective at the present weights, nats per example.
    gradient: its gradient with respect to the learned weights.
    objective: the objective as a function of the learned weights, for optimisers with a line search.
    """

    value: Float[Array, ""]
    gradient: Weights
    objective: Callable[[Weights], Array]


class BatchInfo(NamedTuple):
    """Energies and diagnostics of a batch.

    level_energies: mean energy of each level, nats per example.
    residual: of each measured example's mode, in posterior standard deviations (of `NudgedLoss` relative to the nudge); NaN
        where it does not apply.
    acceptance: mean acceptance probability of each example's chains; NaN without chains.
    """

    level_energies: Float[Array, " levels"]
    residual: Float[Array, " measured"]
    acceptance: Float[Array, " batch"]


class RuleResult(NamedTuple):
    """The result of one learning step.

    state: updated learning state.
    memory: E-step's memory of the batch's examples, and its shared part.
    info: energies and diagnostics of the batch.
    """

    state: Any
    memory: Memory
    info: BatchInfo


@dataclass(frozen=True)
class Equilibrium:
    r"""Gradient of the expected energy with the E-step's latents fixed.

    With point estimates the objective is not a likelihood: in a linear network the energy of the mode is
    $\tfrac12 d^\top S^{-1} d$, without the $\tfrac12 \log |S|$ of a likelihood, so that a classifier can lower it by
    making the label's covariance S large instead of its error d small. Hidden precisions well above the
    label's keep S nearly constant; `Nudged` with both signs keeps it constant.
    """

    learns_precision: ClassVar[bool] = True

    def step(
        self, state: Any, values: Values, own: Any, key: Array, context: RuleContext
    ) -> RuleResult:
        """One learning step on a batch."""
        expectation, memory = expect(state, values, own, key, context)
        energies, slope = local_slope(state.weights, values, expectation, context)
        draws = precision_draws(state.weights, values, expectation.latents, context)
        info = BatchInfo(energies, expectation.residual, expectation.acceptance)
        return RuleResult(context.apply_gradient(state, slope, draws), memory, info)


@dataclass(frozen=True)
class Backpropagation:
    """Gradient of the network's loss: the energy with every free unit's whitened error fixed at zero."""

    learns_precision: ClassVar[bool] = False

    def step(
        self, state: Any, values: Values, own: Any, key: Array, context: RuleContext
    ) -> RuleResult:
        """One learning step on a batch; the E-step is not used."""
        del key

        def total(weights: Weights) -> tuple[Array, Array]:
            losses, energies = jax.vmap(partial(one, weights))(values)
            return jnp.mean(losses), jnp.mean(energies, axis=0)

        def one(weights: Weights, example: Values) -> tuple[Array, Array]:
            # Not the sum of the levels' energies: its gradient is the same, but would be compiled to an
            # outer product for every layer although its errors are zero.
            problem = context.pose(weights, example)
            start = sweep_start(problem)
            unrolled = unroll(problem, start)
            loss = unrolled_objective(problem, start, unrolled)
            return loss, level_energies(problem, unrolled.latents)

        energies, slope = slope_of(total, state.weights)
        memory = Memory(own, state.inference.shared)
        info = unseen(energies, values)
        return RuleResult(context.apply_gradient(state, slope, None), memory, info)


def expect(
    state: Any, values: Values, own: Any, key: Array, context: RuleContext
) -> tuple[Expectation, Memory]:
    """The E-step of a batch and its new memory, without gradients through it."""
    keys = jax.random.split(key, batch_size(values))
    shared = state.inference.shared

    def one(example: Values, key: Array, own: Any):
        problem = context.pose(state.weights, example)
        return context.e_step.expect(problem, key, own, shared)

    expectation, own = jax.lax.stop_gradient(jax.vmap(one)(values, keys, own))
    return expectation, Memory(own, context.e_step.adapt(shared, expectation))


class LevelSlope(NamedTuple):
    """Mean energy of each level over a batch, nats per example, and the slope of the objective."""

    level_energies: Float[Array, " levels"]
    slope: Slope


def local_slope(
    weights: Weights, values: Values, found: Expectation, context: RuleContext
) -> LevelSlope:
    """Mean energies and their gradient at the fixed latents of an E-step."""

    def one(weights: Weights, example: Values, *draws: Any) -> Array:
        return energies_of_draws(context.pose(weights, example), *draws)

    def total(whitened: Any, weights: Weights) -> tuple[Array, Array]:
        given = values, found.latents, whitened
        energies = jnp.mean(jax.vmap(partial(one, weights))(*given), axis=0)
        return jnp.sum(energies), energies

    energies, slope = slope_of(partial(total, found.whitened), weights)

    def elsewhere(some: Weights) -> Array:
        # Where a line search may ask, at other weights, errors are differences again.
        return total((), {**weights, **some})[0]

    return LevelSlope(energies, slope._replace(objective=elsewhere))


def slope_of(
    total: Callable[[Weights], tuple[Array, Array]], weights: Weights
) -> LevelSlope:
    """The slope of the first output of `total` in the learned weights; the second output is level_energies."""

    def of_learned(some: Weights) -> tuple[Array, Array]:
        return total({**weights, **some})

    (value, energies), gradient = jax.value_and_grad(of_learned, has_aux=True)(
        learned(weights)
    )
    return LevelSlope(energies, Slope(value, gradient, lambda w: of_learned(w)[0]))


def combined(slopes: Sequence[Slope], factors: Sequence[float]) -> Slope:
    """The slope of the sum of the objectives, weighted by `factors`."""

    def total(terms: list[Array]) -> Array:
        scaled = [f * term for f, term in zip(factors, terms, strict=True)]
        return sum(scaled[1:], scaled[0])

    return Slope(
        total([slope.value for slope in slopes]),
        jax.tree.map(lambda *g: total(list(g)), *(slope.gradient for slope in slopes)),
        lambda weights: total([slope.objective(weights) for slope in slopes]),
    )


def precision_draws(
    weights: Weights, values: Values, latents: Latents, context: RuleContext
) -> Draws:
    """Errors and scores of the posterior draws of a batch, for the M-step of the precisions.

    Under gains g the errors are sqrt(g) e, whose second moment is the variance without a drug.
    """

    def both() -> Scores:
        def one(example: Values, draw: Latents) -> Scores:
            return scores(context.pose(weights, example), draw)

        return jax.vmap(lambda v, draws: jax.vmap(partial(one, v))(draws))(
            values, latents
        )

    errors = batch_errors(weights, values, latents, context)
    if context.gains is not None:
        roots = [jnp.sqrt(gain) for gain in context.gains]
        errors = tuple(
            jnp.reshape(root, (1, 1, -1)) * error
            for root, error in zip(roots, errors, strict=True)
        )
    return Draws(errors, both)


def batch_errors(
    weights: Weights, values: Values, latents: Latents, context: RuleContext
) -> tuple[Array, ...]:
    """Latent minus prediction of every level, (batch, samples, width)."""

    def one(example: Values, draw: Latents) -> Latents:
        predicted = predictions(context.pose(weights, example), draw)
        return tuple(x - mu for x, mu in zip(draw, predicted, strict=True))

    return jax.vmap(lambda v, draws: jax.vmap(partial(one, v))(draws))(values, latents)


def unseen(energies: Array, values: Values) -> BatchInfo:
    """Information about a batch without an E-step: its energies, and NaN for the diagnostics."""
    nothing = jnp.full((batch_size(values),), jnp.nan, energies.dtype)
    return BatchInfo(energies, nothing, nothing + no_number(energies))


def batch_size(values: Values) -> int:
    """Number of examples."""
    return next(value.shape[0] for value in values if value.shape[-1])

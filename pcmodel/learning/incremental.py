"""`Incremental`: a learning rule whose weights move while inference runs (incremental PC, Salvatori et al. 2024)."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inference.solvers.optax_steps import begin_each, check_steps, move
from pcmodel.inference.whitened import objective, unroll, whitened_from_latents
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, CountOrZero
from pcmodel.learning.e_step import Memory, begin_at
from pcmodel.learning.rules import RuleContext, RuleResult, Slope, Values, unseen
from pcmodel.model.energy import (
    latents_from_state,
    level_energies,
    state_from_latents,
)
from pcmodel.model.generative import learned
from pcmodel.model.problem import Problem
from pcmodel.model.types import Weights


@checked_arguments
@dataclass(frozen=True)
class Incremental:
    """Incremental predictive coding: the weights move while inference runs.

    num_steps: inference steps per batch.
    optimiser: optax transformation for the latents, with a separate state for each example.
    warmup: inference steps before the first step of the weights.
    every: inference steps from one step of the weights to the next; 1 is incremental predictive coding.
    last: whether the weights move once more after the last inference step.
    at_sweep: as for `PointEstimate`.

    A step of the weights shares its gradient's point with the inference step that it accompanies.  The schedule
    (T, T0, Ti) of Pinchetti et al. 2025 is (T, warmup=T0, every=Ti, last=True); with warmup=T, last=True it is
    `Equilibrium` at the end of T steps.  The residual is a bound on the distance of the last latents from the mode under the
    last weights (`gradient_bound`).  Raises UserError if the weights would never move.
    """

    num_steps: Count = 20
    optimiser: optax.GradientTransformation = optax.sgd(0.1)
    warmup: CountOrZero = 0
    every: Count = 1
    last: bool = False
    at_sweep: bool = False
    learns_precision: ClassVar[bool] = False

    def __post_init__(self):
        if self.optimiser is not type(self).optimiser:
            check_steps(self.optimiser, "Incremental")
        if self.warmup >= self.num_steps and not self.last:
            raise UserError(
                f"warmup is {self.warmup} of {self.num_steps} steps, so that the weights never move",
                where="Incremental",
                expected="a shorter warmup, or last=True",
            )

    def moves_weights(self, count: Array) -> Array:
        """Whether the weights move with inference step `count` (from 0)."""
        since = count - self.warmup
        return (since >= 0) & (since % self.every == 0)

    def step(
        self, state: Any, values: Values, own: Any, key: Array, context: RuleContext
    ) -> RuleResult:
        """`num_steps` steps of inference on a batch, some with one of the weights; the E-step is not used."""

        def begin(example: Values) -> Array:
            problem = context.pose(state.weights, example)
            latents = unroll(problem, begin_at(problem, self.at_sweep)).latents
            return state_from_latents(problem.structure, latents)

        def total(weights: Weights, points: Array) -> tuple[Array, Array]:
            def one(example: Values, point: Array) -> Array:
                problem = context.pose(weights, example)
                return level_energies(problem, latents_from_state(problem, point))

            energies = jax.vmap(one)(values, points)
            return jnp.sum(energies), jnp.mean(energies, axis=0)

        def descend(weights: Weights, example: Values, point, pull, memory):
            def own(point: Array) -> Array:
                problem = context.pose(weights, example)
                return jnp.sum(
                    level_energies(problem, latents_from_state(problem, point))
                )

            return move(self.optimiser, own, point, own(point), pull, memory)

        def learn(state: Any, points: Array, value: Array, slope: Weights) -> Any:
            rest, size = state.weights, points.shape[0]
            mean = Slope(
                value / size,
                jax.tree.map(lambda leaf: leaf / size, slope),
                lambda some: total({**rest, **some}, points)[0] / size,
            )
            return context.apply_gradient(state, mean, None)

        def both(state: Any, points: Array):
            rest = state.weights
            return jax.value_and_grad(
                lambda some, points: total({**rest, **some}, points),
                argnums=(0, 1),
                has_aux=True,
            )(learned(rest), points)

        def step(carry, count: Array):
            state, points, memory = carry
            (value, energies), (slope, pull) = both(state, points)
            updates, memory = jax.vmap(partial(descend, state.weights))(
                values, points, pull, memory
            )
            if self.warmup == 0 and self.every == 1:
                state = learn(state, points, value, slope)
            else:
                state = jax.lax.cond(
                    self.moves_weights(count),
                    lambda: learn(state, points, value, slope),
                    lambda: state,
                )
            return (state, points + updates, memory), energies

        points = jax.vmap(begin)(values)
        start = (state, points, begin_each(self.optimiser, points, key))
        (state, points, _), energies = jax.lax.scan(
            step, start, jnp.arange(self.num_steps)
        )
        found = energies[-1]
        if self.last:
            (value, found), (slope, _) = both(state, points)
            state = learn(state, points, value, slope)
        memory = Memory(own, state.inference.shared)

        def bound(example: Values, point: Array) -> Array:
            return gradient_bound(context.pose(state.weights, example), point)

        info = unseen(found, values)._replace(residual=jax.vmap(bound)(values, points))
        return RuleResult(state, memory, info)


def gradient_bound(problem: Problem, point: Float[Array, " free"]) -> Float[Array, ""]:
    """A bound on the distance of a state from its mode, posterior standard deviations; infinite where it is not finite.

    In whitened errors no curvature of the Gauss-Newton Hessian is below 1, so that the gradient's norm is a bound.
    """
    whitened = whitened_from_latents(problem, latents_from_state(problem, point))
    gradient = jax.grad(objective, argnums=1)(problem, whitened)
    length = jnp.sqrt(jnp.sum(gradient**2))
    return jnp.where(jnp.isfinite(length), length, jnp.inf)

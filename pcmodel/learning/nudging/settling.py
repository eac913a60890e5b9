r"""Inference under a weighted loss: $\tfrac12 |z|^2 + w\,C(z)$, C the loss of the clamped levels.

For a negative weight this is no posterior, and its stationary point near the top-down sweep may be a saddle, so that
neither a solver that descends nor one that factors a positive definite Hessian applies.  Both methods here iterate the
condition of stationarity, $z = -w\,\partial C / \partial z$, and contract where the weight times the loss's curvature
is below 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inference.whitened import unroll, whitened_from_latents
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count
from pcmodel.learning.e_step import sweep_start
from pcmodel.learning.nudging.distance import loss_of
from pcmodel.model.discrete_energy import discrete_energy
from pcmodel.model.energy import by_level, level_factor, predict_latent
from pcmodel.model.generative import children_of, is_chain
from pcmodel.model.precision import unwhiten, whiten
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents

FEW = 3
"""Steps that are compiled one by one."""


@runtime_checkable
class NudgedInference(Protocol):
    """Infers the latents of one example under a weighted loss."""

    def settle(
        self, problem: Problem, weight: Float[Array, ""]
    ) -> Float[Array, " free"]:
        """Whitened errors of the free units near the stationary point closest to the top-down sweep.

        weight: of the clamped levels' energy; of either sign.
        """
        ...


@checked_arguments
@dataclass(frozen=True)
class FixedPoint:
    r"""All whitened errors at once: $z \leftarrow -w\,\partial C / \partial z$, from zero (the top-down sweep).

    num_steps: iterations; each is one pass down the hierarchy and one back. The first gives backpropagation's errors;
        what remains after n is of order $(w |\partial^2 C|)^n$ relative to the nudge.

    This is descent on whitened errors (error-based predictive coding, Goemaere et al. 2025) with a rate of 1.
    """

    num_steps: Count = 2

    def settle(
        self, problem: Problem, weight: Float[Array, ""]
    ) -> Float[Array, " free"]:
        """Whitened errors after `num_steps` iterations."""
        slope = jax.grad(lambda z: loss_of(problem, z))
        return repeated(
            self.num_steps, lambda z: -weight * slope(z), sweep_start(problem)
        )


@checked_arguments
@dataclass(frozen=True)
class EvenOdd:
    r"""The odd levels given the even ones, then the even levels given the odd ones: local in every level.

    num_steps: passes over all levels.

    Each level takes the step $z_\ell \leftarrow -\partial E_{\ell-1} / \partial z_\ell$ with its neighbours held, which is exact
    for a level that lies above a level of a loss linear in it, and to first order in the weight otherwise.  Errors are
    differences of latents and predictions, whose rounding is of the order of the dtype's epsilon over the weight relative to
    the nudge (0.1 to 2 times that in the gradients of three dense networks of 18 to 1,394 units: in float32 1e-5 at a weight
    of 0.02, a fiftieth at 1e-5, a tenth at 1e-6).  `FixedPoint` does not lose them.
    Raises UserError where levels do not form a chain.
    Source: Kerjan, Hoier & Scellier 2026 (five passes in this order; updates of all levels at once fail there).
    """

    num_steps: Count = 5

    def settle(
        self, problem: Problem, weight: Float[Array, ""]
    ) -> Float[Array, " free"]:
        """Whitened errors after `num_steps` passes."""
        structure = problem.structure
        if not is_chain(structure.model):
            raise UserError(
                "even and odd levels are neighbours only in a chain, and this hierarchy branches or merges",
                where="EvenOdd",
                expected="a chain, or FixedPoint",
            )
        free = [level for level in structure.gaussian_levels if is_free(problem, level)]
        order = [level for parity in (1, 0) for level in free if level % 2 == parity]

        def once(latents: Latents) -> Latents:
            found = dict(enumerate(latents))
            for level in order:
                found[level] = relaxed(problem, weight, level, found)
            return by_level(found)

        start = unroll(problem, sweep_start(problem)).latents
        latents = repeated(self.num_steps, once, start)
        return whitened_from_latents(problem, latents)


def repeated(number: int, step: Callable[[Any], Any], start: Any) -> Any:
    """`step` applied `number` times; the first few are compiled one by one, which is faster to run."""
    if number > FEW:
        return jax.lax.fori_loop(0, number, lambda _, value: step(value), start)
    for _ in range(number):
        start = step(start)
    return start


def is_free(problem: Problem, level: int) -> bool:
    """Whether any unit of the level is free."""
    return len(problem.structure.free_units(level)) > 0


def relaxed(
    problem: Problem, weight: Array, level: int, latents: Mapping[int, Array]
) -> Array:
    """One level's latent after its step, the others held."""
    own = level_factor(problem, level)
    prediction = predict_latent(problem, level, latents)

    def below(whitened: Array) -> Array:
        moved = {**latents, level: prediction + unwhiten(own, whitened)}
        children = children_of(problem.structure.model, level)
        terms = [child_energy(problem, weight, child, moved) for child in children]
        return sum(terms, jnp.zeros((), prediction.dtype))

    present = whiten(own, latents[level] - prediction)
    return prediction - unwhiten(own, jax.grad(below)(present))


def child_energy(
    problem: Problem, weight: Array, level: int, latents: Mapping[int, Array]
) -> Array:
    """One level's energy without its normaliser, weighted where the level is clamped."""
    prediction = predict_latent(problem, level, latents)
    if level in problem.structure.discrete_levels:
        return weight * discrete_energy(problem, level, prediction)
    error = whiten(level_factor(problem, level), latents[level] - prediction)
    half = 0.5 * jnp.sum(error**2)
    return half if is_free(problem, level) else weight * half

r"""`NudgedLoss`: the loss of the clamped levels enters the energy with a small weight of either sign.

$$E_s = \sum_{\text{free}} \tfrac12 e^\top \Pi e + s \beta\, C, \qquad
  \frac{1}{n \beta} \sum_s s\, \frac{\partial E_s}{\partial \theta}
  \to \frac{\partial C}{\partial \theta} \text{ of the top-down sweep},$$

with an error of order $\beta$ for one sign and $\beta^2$ for both (Laborieux et al. 2021).
Divided by the precision $\pi$ of its hidden levels, the energy of `Equilibrium` is $E_{+}$ at precision 1 and $\beta = 1 / \pi$:
ordinary predictive coding is positive nudging, and equal precisions are a strength of 1.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inference.whitened import unroll
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, Positive
from pcmodel.learning.e_step import Memory
from pcmodel.learning.nudging.distance import distance_left
from pcmodel.learning.nudging.settling import FixedPoint, NudgedInference, is_free
from pcmodel.learning.rounding import energies_of_draws
from pcmodel.learning.rules import (
    RuleContext,
    RuleResult,
    Slope,
    Values,
    batch_size,
    combined,
    slope_of,
    unseen,
)
from pcmodel.model.problem import Problem, Structure
from pcmodel.model.types import Latents, Weights

FIXED_POINT = FixedPoint()


@checked_arguments
@dataclass(frozen=True)
class NudgedLoss:
    r"""Equilibrium propagation with a weighted loss: small nudges whose gradient tends to backpropagation's.

    strength: $\beta$, weight of the loss relative to its own precision; the learned gradient does not scale with it.
    sign: "centred", the difference of both signs; "random", one sign drawn for every example, the same on average at
        half the price; "positive" or "negative", one sign.
    inference: `FixedPoint` or `EvenOdd`.
    measured: number of examples of every batch whose residual is measured: its first, which training draws at random.

    Every level must be clamped as a whole or free as a whole; else a UserError.  A negative sign turns the energy into
    a saddle, and inference diverges where the strength times the loss's curvature in whitened errors exceeds 1.
    The residual is relative: the distance left to the stationary point over the distance of the nudged latents from the
    sweep, in whitened errors, the larger of both signs (`pcmodel.learning.nudging.distance`).  Inference that diverges, as at
    hidden precisions that are low for the strength, has one near or above 1.
    Level energies are those at the nudged latents, the loss unweighted.
    Source: Scellier & Bengio 2017; Laborieux et al. 2021; Kerjan, Hoier & Scellier 2026 (strength .02, both signs
    or a random one).
    """

    strength: Positive = 0.02
    sign: Literal["centred", "random", "positive", "negative"] = "centred"
    inference: NudgedInference = FIXED_POINT
    measured: Count = 1
    learns_precision: ClassVar[bool] = False

    def step(
        self, state: Any, values: Values, own: Any, key: Array, context: RuleContext
    ) -> RuleResult:
        """One learning step on a batch; the E-step is not used."""
        phases = [
            self.phase(state.weights, values, context, s)
            for s in self.signs(values, key)
        ]
        share = 1 / len(phases)
        energies = share * jnp.sum(jnp.stack([p.energies for p in phases]), axis=0)
        slope = combined([phase.slope for phase in phases], [share] * len(phases))
        memory = Memory(own, state.inference.shared)
        residual = jnp.max(jnp.stack([p.residual for p in phases]), axis=0)
        info = unseen(energies, values)._replace(residual=residual)
        return RuleResult(context.apply_gradient(state, slope, None), memory, info)

    def signs(self, values: Values, key: Array) -> list[Float[Array, " batch"]]:
        """The sign of every example's nudge in each phase."""
        size = batch_size(values)
        dtype = next(value.dtype for value in values)
        if self.sign == "random":
            return [jax.random.rademacher(key, (size,), dtype)]
        one = jnp.ones((size,), dtype)
        return {"centred": [one, -one], "positive": [one], "negative": [-one]}[
            self.sign
        ]

    def phase(
        self, weights: Weights, values: Values, context: RuleContext, signs: Array
    ) -> "Phase":
        """Energies, slope and residuals of a batch whose examples are nudged by their signs."""

        def settle(example: Values, sign: Array) -> Settled:
            problem = context.pose(weights, example)
            check_whole(problem.structure)
            whitened = self.inference.settle(problem, sign * self.strength)
            latents = unroll(problem, whitened).latents
            return Settled(tuple(x[None] for x in latents), whitened)

        def left(example: Values, sign: Array, whitened: Array) -> Array:
            problem = context.pose(weights, example)
            return distance_left(problem, whitened, sign * self.strength)

        found = jax.lax.stop_gradient(jax.vmap(settle)(values, signs))
        measured = jax.tree.map(
            lambda leaf: leaf[: self.measured], (values, signs, found.whitened)
        )
        residual = jax.lax.stop_gradient(jax.vmap(left)(*measured))

        def one(
            whitened: Any,
            weights: Weights,
            example: Values,
            sign: Array,
            latents: Latents,
            z: Array,
        ):
            problem = context.pose(weights, example)
            energies = energies_of_draws(problem, latents, z if whitened else ())
            # Of free levels s / beta, of clamped ones (s / beta) (s beta) = 1, which is exact even where beta is small.
            factors = jnp.where(free_levels(problem), sign / self.strength, 1)
            return jnp.sum(factors * energies), energies

        def total(whitened: bool, weights: Weights) -> tuple[Array, Array]:
            given = (values, signs, found.latents, found.whitened)
            terms, energies = jax.vmap(partial(one, whitened, weights))(*given)
            return jnp.mean(terms), jnp.mean(energies, axis=0)

        energies, slope = slope_of(partial(total, True), weights)

        def elsewhere(some: Weights) -> Array:
            # Where a line search may ask, at other weights, errors are differences again.
            return total(False, {**weights, **some})[0]

        return Phase(energies, slope._replace(objective=elsewhere), residual)


class Phase(NamedTuple):
    """What a batch says under one nudge.

    energies: mean energy of each level, nats per example.
    slope: of the objective in the weights.
    residual: of the measured examples; see `NudgedLoss`.
    """

    energies: Float[Array, " levels"]
    slope: Slope
    residual: Float[Array, " measured"]


class Settled(NamedTuple):
    """Latents of one example, (1, width) a level, and their whitened errors."""

    latents: Latents
    whitened: Float[Array, " free"]


def free_levels(problem: Problem) -> np.ndarray:
    """Whether each level is free."""
    levels = range(problem.structure.top + 1)
    return np.array([is_free(problem, level) for level in levels])


def check_whole(structure: Structure) -> None:
    """Raise a UserError for a level that is partly clamped."""
    for level, name in enumerate(structure.model.names):
        clamped = len(structure.clamped_units(level))
        if 0 < clamped < structure.model.widths[level]:
            raise UserError(
                f"{clamped} of the {structure.model.widths[level]} units of {name!r} are clamped",
                where="NudgedLoss",
                expected="levels that are clamped as a whole or free as a whole",
            )

"""`Nudged`: the ends are clamped to points between their predictions and their targets."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.errors import UserError
from pcmodel.inference.whitened import unroll
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Positive
from pcmodel.learning.e_step import Memory, sweep_start
from pcmodel.learning.rules import (
    BatchInfo,
    RuleContext,
    RuleResult,
    Values,
    combined,
    expect,
    local_slope,
)
from pcmodel.model.energy import predict_latent
from pcmodel.model.generative import ends_of
from pcmodel.model.types import Weights


@checked_arguments
@dataclass(frozen=True)
class Nudged:
    r"""Equilibrium propagation: targets that lie `strength` times each of `signs` of the way from prediction to target.

    strength: $\beta$, fraction of the distance from prediction to target.
    signs: (1,) positive, (-1,) negative, (1, -1) centred nudging.

    Other signs raise a UserError.  The gradient is $\sum_s s\, \partial E_s / (n \beta)$ over the $n$ signs.  In a linear
    network the energy of the mode is $\tfrac12 d^\top S^{-1} d$, $d$ the nudge and $S$ the label's covariance given the
    image: centred nudging follows the gradient of that loss with $S$ fixed, at any $\beta$; one-sided nudging retains part
    of the dependence on $S$.  Categorical targets are nudged as probability vectors.  Energies are of nudged targets.
    """

    strength: Positive = 0.5
    signs: tuple[int, ...] = (1, -1)
    learns_precision: ClassVar[bool] = False

    def __post_init__(self):
        if tuple(self.signs) not in ((1,), (-1,), (1, -1), (-1, 1)):
            raise UserError(
                f"signs is {self.signs}",
                where="Nudged",
                expected="(1,), (-1,) or (1, -1)",
            )

    def step(
        self, state: Any, values: Values, own: Any, key: Array, context: RuleContext
    ) -> RuleResult:
        """One learning step on a batch."""
        scale = self.strength * len(self.signs)
        slopes, energies, info, memory = [], [], [], Memory(own)
        for sign in self.signs:
            nudge = partial(nudged, state.weights, context, sign * self.strength)
            targets = jax.vmap(nudge)(values)
            expectation, memory = expect(state, targets, memory.examples, key, context)
            terms, slope = local_slope(state.weights, targets, expectation, context)
            slopes.append(slope)
            energies.append(terms)
            info.append(expectation.residual)
        factors = [sign / scale for sign in self.signs]
        mean = jnp.mean(jnp.stack(energies), axis=0)
        residual = jnp.max(jnp.stack(info), axis=0)  # a mean would hide one of two
        seen = BatchInfo(mean, residual, jnp.full_like(residual, jnp.nan))
        return RuleResult(
            context.apply_gradient(state, combined(slopes, factors), None), memory, seen
        )


def nudged(
    weights: Weights, context: RuleContext, shift: float, example: Values
) -> Values:
    """One example's values with every end the fraction `shift` of the way from its prediction to its target."""
    problem = context.pose(weights, example)
    structure = problem.structure
    latents = unroll(problem, sweep_start(problem)).latents
    values = list(example)
    for level in ends_of(structure.model):
        predicted = predict_latent(problem, level, latents)
        if level in structure.discrete_levels:
            predicted = structure.likelihood(level).mean(predicted)
        predicted = predicted[structure.clamped_units(level)]
        values[level] = predicted + shift * (example[level] - predicted)
    return tuple(values)

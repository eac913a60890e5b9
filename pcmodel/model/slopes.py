r"""A hierarchy with modulated activation slopes: predictions are $f_\ell(\alpha_p x_p)$ for the parents p of level l.

Inference, posterior and samples all derive from `predict_level`, so they follow from scaling its arguments.  A network
without modulated slopes is not wrapped and compiles to the same program as without a modulation.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from pcmodel.inputs.arrays import is_traced
from pcmodel.model.generative import GenerativeModel
from pcmodel.model.levels import Part, parts_of
from pcmodel.model.likelihood import Likelihood
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem
from pcmodel.model.types import Weights


class Factors(NamedTuple):
    """A modulation's factors on the energy of one model.

    gains: on the precision of each level, () or (width,), positive; error transmission included.
    slopes: on the activations of each level, () or (width,), positive; None if all are 1.
    """

    gains: tuple[Array, ...]
    slopes: tuple[Array, ...] | None = None


def factors_of(
    modulation: Modulation, model: GenerativeModel, dtype: jnp.dtype
) -> Factors | None:
    """The factors of a modulation; None if all are known to be 1. Raises UserError for invalid levels."""
    numbers = modulation.numbers(model, dtype)
    neutral = all(not is_traced(gain) and np.all(gain == 1) for gain in numbers)
    slopes = modulation.resolve_slopes(model, dtype)
    if neutral and slopes is None:
        return None
    return Factors(modulation.resolve(model, dtype), slopes)


def with_factors(problem: Problem, factors: Factors) -> Problem:
    """A problem under these gains and, if there are any, with a model of modulated slopes."""
    structure, inputs = problem.structure, problem.inputs
    inputs = inputs._replace(gains=factors.gains)
    if factors.slopes is not None:
        structure = replace(structure, model=SlopedModel(structure.model))
        weights = {"network": inputs.weights, "slopes": factors.slopes}
        inputs = inputs._replace(weights=weights)
    return Problem(structure, inputs)


@dataclass(frozen=True)
class SlopedModel:
    """A model whose weights are `{"network": its weights, "slopes": one per level}`."""

    model: GenerativeModel

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of units of each level, bottom first."""
        return self.model.widths

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each level, bottom first."""
        return self.model.names

    @property
    def parts(self) -> tuple[Part, ...]:
        """The named parts of the levels."""
        return parts_of(self.model)

    @property
    def parents(self) -> tuple[tuple[int, ...], ...]:
        """Indices of each level's parents."""
        return self.model.parents

    @property
    def likelihoods(self) -> tuple[Likelihood, ...]:
        """Likelihood of each level."""
        return self.model.likelihoods

    @property
    def is_linear(self) -> bool:
        """Whether every prediction is affine in the parents."""
        return self.model.is_linear

    def predict_level(
        self, weights: Weights, level: int, parents: tuple[Array, ...]
    ) -> Array:
        """The model's prediction from the parents' latents times their slopes; the prior mean for a top."""
        slopes = [weights["slopes"][parent] for parent in self.model.parents[level]]
        scaled = tuple(a * x for a, x in zip(slopes, parents, strict=True))
        return self.model.predict_level(weights["network"], level, scaled)

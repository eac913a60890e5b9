r"""A hierarchy with modulated activation slopes: predictions are $f_\ell(\alpha_p x_p)$ for the parents p of level l.

Inference, posterior and samples all derive from `predict_level`, so they follow from scaling its arguments.  A network
without modulated slopes is not wrapped and compiles to the same program as without a modulation.
"""

from dataclasses import dataclass

from jax import Array

from pcmodel.model.generative import GenerativeModel
from pcmodel.model.levels import Part, parts_of
from pcmodel.model.likelihood import Likelihood
from pcmodel.model.types import Weights


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

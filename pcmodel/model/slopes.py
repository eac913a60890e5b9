r"""A hierarchy with modulated activation slopes: predictions are $f_\ell(\alpha_{\ell+1} x_{\ell+1})$.

Inference, posterior and samples all derive from `predict_level`, so they follow from scaling its argument.  A network
without modulated slopes is not wrapped and compiles to the same program as without a modulation.
"""

from dataclasses import dataclass

from jax import Array

from pcmodel.model.generative import GenerativeModel
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
    def likelihood(self) -> Likelihood:
        """Likelihood of level 0."""
        return self.model.likelihood

    @property
    def is_linear(self) -> bool:
        """Whether every prediction is affine in the level above."""
        return self.model.is_linear

    def predict_level(self, weights: Weights, level: int, above: Array | None) -> Array:
        """The model's prediction from the latents times their slopes; the prior mean at the top."""
        if above is None:
            return self.model.predict_level(weights["network"], level, None)
        dimmed = weights["slopes"][level + 1] * above
        return self.model.predict_level(weights["network"], level, dimmed)

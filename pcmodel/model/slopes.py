r"""A hierarchy whose units respond less steeply: predictions are $f_\ell(\alpha_{\ell+1} x_{\ell+1})$.

Everything in the package derives from `predict_level`, so scaling what it is given changes inference,
posterior and samples alike.  A network without modulated slopes is never wrapped: it compiles
to the same program as before.
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
        """What level 0 is made of."""
        return self.model.likelihood

    @property
    def is_linear(self) -> bool:
        """Whether every prediction is affine in the level above."""
        return self.model.is_linear

    def predict_level(self, weights: Weights, level: int, above: Array | None) -> Array:
        """The model's own prediction from dimmed units; the prior mean at the top."""
        if above is None:
            return self.model.predict_level(weights["network"], level, None)
        dimmed = weights["slopes"][level + 1] * above
        return self.model.predict_level(weights["network"], level, dimmed)

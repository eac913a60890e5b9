"""Layers made of layers: residual connections, and several maps in one step between levels.

A residual network of predictive coding has one level a block: the identity carries the level
above down, and the branch predicts what changes.  There is no batch normalisation: a prediction must
depend on one example only, or the energy is no longer a sum over examples.  What keeps activity in bounds
instead is the branch's multiplier, 1/sqrt(blocks) (see `pcmodel.networks.layers.scaling`).
"""

from collections.abc import Sequence

from flax import nnx
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite
from pcmodel.networks.layers.scaling import multiply


@checked_arguments
class Residual(nnx.Module):
    """Prediction skip(x) + scale * branch(x); without a `skip`, x + scale * branch(x).

    branch: a layer from the level above to this one.
    skip: a layer where the two levels differ in shape (He et al. 2016: a strided 1 x 1
        convolution); None is the identity, which needs a branch between equal widths.

    Raises UserError when first called if the identity does not fit.
    """

    def __init__(
        self,
        branch: nnx.Module,
        *,
        skip: nnx.Module | None = None,
        scale: Finite = 1.0,
    ):
        self.branch = branch
        self.skip = skip
        self.scale = scale

    def __call__(self, above: Float[Array, " above"]) -> Float[Array, " width"]:
        """Prediction of the level below `above`."""
        change = multiply(self.scale, self.branch(above))  # type: ignore[operator]
        straight = above if self.skip is None else self.skip(above)  # type: ignore[operator]
        if straight.shape != change.shape:
            raise UserError(
                f"a residual layer adds {straight.shape[0]} units to the {change.shape[0]} of "
                "its branch: give it a branch of equal widths, or a skip that fits."
            )
        return straight + change


@checked_arguments
class Sequential(nnx.Module):
    """Several layers as one: what is between them is computed, not inferred.

    layers: from the level above downwards.
    """

    def __init__(self, layers: Sequence[nnx.Module]):
        if not layers:
            raise UserError("a chain needs at least one layer.")
        self.layers = nnx.List(layers)

    def __call__(self, above: Float[Array, " above"]) -> Float[Array, " width"]:
        """Prediction of the level below `above`."""
        for layer in self.layers:
            above = layer(above)
        return above

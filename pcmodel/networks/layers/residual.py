"""Layers composed of layers: residual connections, and sequences of layers between two levels.

A residual predictive-coding network has one level per block: the identity passes the level above down, and the branch
predicts the change.  There is no batch normalisation, because a prediction must depend on one example only for the
energy to be a sum over examples.  Activity is bounded by the branch's multiplier, 1/sqrt(blocks), instead (see
`pcmodel.networks.layers.scaling`).
"""

from collections.abc import Sequence
from typing import Any

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
    skip: a layer for levels of different shapes (He et al. 2016: a strided 1 x 1 convolution); None is the identity,
        which needs a branch between equal widths.
    scale: factor on the branch.

    Raises UserError when first called if the identity does not fit.
    """

    def __init__(
        self,
        branch: nnx.Module,
        *,
        skip: nnx.Module | None = None,
        scale: Finite = 1.0,
    ):
        self.branch: Any = branch
        self.skip: Any = skip
        self.scale = scale

    def __call__(self, above: Float[Array, " above"]) -> Float[Array, " width"]:
        """Prediction of the level below `above`."""
        change = multiply(self.scale, self.branch(above))
        straight = above if self.skip is None else self.skip(above)
        if straight.shape != change.shape:
            raise UserError(
                f"a residual layer adds {straight.shape[0]} units to the {change.shape[0]} of "
                "its branch: give it a branch of equal widths, or a skip that fits."
            )
        return straight + change


@checked_arguments
class Sequential(nnx.Module):
    """Several layers as one; the activity between them is computed, not inferred.

    layers: in the order from the level above downwards.

    Raises UserError without layers.
    """

    def __init__(self, layers: Sequence[nnx.Module]):
        if not layers:
            raise UserError("Sequential needs at least one layer.")
        self.layers = nnx.List(layers)

    def __call__(self, above: Float[Array, " above"]) -> Float[Array, " width"]:
        """Prediction of the level below `above`."""
        for layer in self.layers:
            above = layer(above)
        return above


Chain = Sequential
"""Former name of `Sequential`, which occurs in saved networks."""

"""Dense layers; layer l predicts level l from the latent of level l + 1."""

from collections.abc import Callable
from types import FunctionType
from typing import SupportsIndex

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import NotNegative
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.networks.layers.scaling import STANDARD, Scaling, initial_weights, multiply


def identity(x: Array) -> Array:
    """The identity, as activation of a linear layer."""
    return x


def as_identity(
    activation: Callable[[Array], Array], width_above: int
) -> Callable[[Array], Array]:
    """`identity` for a plain function that returns its argument itself, such as `lambda x: x`; others unchanged.

    Networks are known to be linear by it.
    """
    if not isinstance(activation, FunctionType):
        return activation
    given = jnp.zeros((width_above,))
    try:
        same = activation(given) is given
    except (
        Exception
    ):  # a function of one's own may want other shapes, and raises where it is used
        same = False
    return identity if same else activation


@checked_arguments
class Dense(nnx.Module):
    """Prediction a W act(x) + b, with a = `scaling.multiplier` (1 unless muPC).

    bias: whether there is a b; without, `bias` is None.

    scale: initial weights are normal with variance `scale`^2 / width_above, unless `scaling` has a `deviation`; biases
        are zero.

    The activation is applied to the level above, so that latents are unbounded and predictions linear in the units'
    outputs (Rao & Ballard 1999; the convention of most PC libraries).  Raises UserError for a level without units.
    """

    def __init__(
        self,
        width_above: SupportsIndex,
        width: SupportsIndex,
        *,
        activation: Callable[[Array], Array] = jnp.tanh,
        scale: NotNegative = 1.0,
        scaling: Scaling = STANDARD,
        bias: bool = True,
        rngs: nnx.Rngs,
    ):
        width = whole_number(width, "the width of a dense layer's level")
        width_above = whole_number(width_above, "the width above a dense layer")
        shape = (width, width_above)
        values = initial_weights(shape, width_above, scale, scaling, rngs)
        self.weight = nnx.Param(values)
        self.bias = nnx.Param(jnp.zeros((width,), values.dtype)) if bias else None
        self.activation = as_identity(activation, width_above)
        self.scaling = scaling

    def __call__(self, above: Float[Array, " above"]) -> Float[Array, " width"]:
        """Prediction of the level below `above`."""
        product = self.weight[...] @ self.activation(above)
        scaled = multiply(self.scaling.multiplier, product)
        return scaled if self.bias is None else scaled + self.bias[...]

"""Maps between levels: layer l predicts level l from the latent of level l + 1."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float


def identity(x: Array) -> Array:
    """No nonlinearity: the layer is linear."""
    return x


class Dense(nnx.Module):
    """Prediction W act(x) + b.

    The activation acts on the level above, so that latents are unbounded and predictions are
    linear in the units' outputs (Rao & Ballard 1999; the convention of most PC libraries).
    Initial weights are normal with variance `scale`^2 / width_above; biases zero.
    """

    def __init__(
        self,
        width_above: int,
        width: int,
        *,
        activation: Callable[[Array], Array] = jnp.tanh,
        scale: float = 1.0,
        rngs: nnx.Rngs,
    ):
        shape = (width, width_above)
        values = jax.random.normal(rngs.params(), shape) * scale / width_above**0.5
        self.weight = nnx.Param(values)
        self.bias = nnx.Param(jnp.zeros((width,), values.dtype))
        self.activation = activation

    def __call__(self, above: Float[Array, " above"]) -> Float[Array, " width"]:
        """Prediction of the level below `above`."""
        return self.weight[...] @ self.activation(above) + self.bias[...]

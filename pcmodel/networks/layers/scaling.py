r"""Scaling of layers: initial weights, multipliers and learning rates.

Standard networks control the size of a prediction by the initial weights.  muPC (Innocenti, Achour &
Buckley 2025, "muPC: scaling predictive coding to 100+ layer networks"; Depth-muP of Yang, Yu, Zhu &
Hayou 2023 and Bordelon et al. 2023) uses initial weights of unit variance and multiplies each map by a
constant that depends on width and depth,

$$a_\mathrm{in} = 1/\sqrt{D}, \qquad a_\mathrm{hidden} = 1/\sqrt{N L}, \qquad a_\mathrm{out} = 1/N,$$

for $D$ inputs, hidden levels of $N$ units and $L$ layers.  Along a residual chain
$x \leftarrow x + a W \phi(x)$ each layer adds $E[\phi^2] / L$ to the variance of a unit: where
$\phi^2 \le x^2$ it grows by no more than $(1 + 1/L)^L < e$ in all, at any depth.

*Learning rates.*  Adam changes every weight by about its rate $\eta$, independent of the gradient's size.  A layer of
fan-in $n$ and multiplier $a$ thus changes its prediction by up to $a\,n\,\eta$ (if all changes agree in sign with their
input), and the $L$ layers of a chain by up to $L\,a\,n\,\eta$ together.  One base rate suits all widths and depths if
each layer's rate is divided by that factor,

$$r = \frac{1}{a\,n} \text{ (in, out)}, \qquad r = \frac{1}{L\,a\,n} \text{ (hidden)},$$

that is, multiplied by $1/\sqrt{D}$, $1/\sqrt{NL}$ and $1$, as in Depth-muP for Adam.  A bias has no multiplier, so its
factor is $1$, and $1/L$ in the chain.  `pcmodel.networks.layers.rates` collects these factors from a network.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite, NotNegative
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.networks.layers.pooling import Pool
from pcmodel.runtime.memory import check_fits


@checked_arguments
@dataclass(frozen=True)
class Scaling:
    """Static scaling factors of one layer.

    deviation: standard deviation of the initial weights; None: the layer's `scale` / sqrt(fan-in).
    multiplier: factor on the weights (not on the bias) in every prediction.
    weight_rate: factor on the base learning rate of the weights, for optimisers that, like Adam, change weights by
        about their rate; see `scale_by_depth`.
    bias_rate: factor on the base learning rate of the bias.
    """

    deviation: NotNegative | None = None
    multiplier: Finite = 1.0
    weight_rate: NotNegative = 1.0
    bias_rate: NotNegative = 1.0


STANDARD = Scaling()


def mupc_input(fan_in: int) -> Scaling:
    """muPC scaling of the layer that reads the input: multiplier 1/sqrt(fan-in)."""
    fan_in = whole_number(fan_in, "fan_in")
    return Scaling(1.0, fan_in**-0.5, fan_in**-0.5, 1.0)


def mupc_hidden(fan_in: int, num_layers: int) -> Scaling:
    """muPC scaling of a residual layer in a network of `num_layers` layers: multiplier 1/sqrt(fan-in x layers)."""
    fan_in = whole_number(fan_in, "fan_in")
    num_layers = whole_number(num_layers, "num_layers")
    multiplier = (fan_in * num_layers) ** -0.5
    return Scaling(1.0, multiplier, multiplier, 1 / num_layers)


def mupc_readout(fan_in: int) -> Scaling:
    """muPC scaling of the layer that predicts the output: multiplier 1/fan-in."""
    fan_in = whole_number(fan_in, "fan_in")
    return Scaling(1.0, 1 / fan_in, 1.0, 1.0)


def initial_weights(
    shape: tuple[int, ...],
    fan_in: float,
    scale: float,
    scaling: Scaling,
    rngs: nnx.Rngs,
) -> Array:
    """Normal initial weights with the layer's initial standard deviation."""
    check_fits(*shape, what="initial weights of a layer")
    deviation = scale / fan_in**0.5 if scaling.deviation is None else scaling.deviation
    return deviation * jax.random.normal(rngs.params(), shape)


def multiply(multiplier: float, prediction: Array) -> Array:
    """multiplier * prediction; a multiplier of 1 does not appear in the compiled program."""
    return prediction if multiplier == 1.0 else multiplier * prediction


def gain(activation: Callable[[Array], Array], pool: Pool | None = None) -> float:
    """The `scale` at which a layer's predictions have the variance of its input.

    1 / sqrt(E[f(z)^2]) for independent standard normal z, with f the activation followed by the pool (He et al. 2015:
    sqrt 2 for relu).  Neighbouring units of a map are correlated, so the value is only approximate with a pool.
    Estimated by simulation, to 1 %.
    """
    side = pool.window if pool is not None else 1
    normal = np.random.default_rng(0).standard_normal((200 * side, 200 * side, 1))
    with jax.ensure_compile_time_eval():  # also if the network is built under tracing
        outputs = activation(jnp.asarray(normal))
        if pool is not None:
            outputs = pool(outputs)
        return float(jnp.mean(outputs**2)) ** -0.5

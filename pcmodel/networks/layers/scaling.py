r"""How a layer's weights begin, what multiplies them, and how fast they may learn.

Standard networks put the size of a prediction into the initial weights.  muPC (Innocenti, Achour &
Buckley 2025, "muPC: scaling predictive coding to 100+ layer networks"; Depth-muP of Yang, Yu, Zhu &
Hayou 2023 and Bordelon et al. 2023) begins with weights of unit variance and multiplies each map by a
constant that knows the width and the depth,

$$a_\mathrm{in} = 1/\sqrt{D}, \qquad a_\mathrm{hidden} = 1/\sqrt{N L}, \qquad a_\mathrm{out} = 1/N,$$

for $D$ inputs, hidden levels of $N$ units and $L$ layers.  Along a residual chain
$x \leftarrow x + a W \phi(x)$ each layer adds $E[\phi^2] / L$ to the variance of a unit: where
$\phi^2 \le x^2$ it grows by no more than $(1 + 1/L)^L < e$ in all, at any depth.

*Learning rates.*  Adam moves every weight by about its rate $\eta$, whatever the gradient's size.  A layer of
fan-in $n$ and multiplier $a$ so changes its prediction by up to $a\,n\,\eta$ (all changes agree in sign with their
input), and the $L$ layers of a chain add up: $L\,a\,n\,\eta$.  One base rate serves all widths and depths if
each layer's own rate is divided by that number,

$$r = \frac{1}{a\,n} \text{ (in, out)}, \qquad r = \frac{1}{L\,a\,n} \text{ (hidden)},$$

that is $1/\sqrt{D}$, $1/\sqrt{NL}$ and $1$: the Adam column of Depth-muP.  A bias is not multiplied, so it has
$1$, and $1/L$ in the chain.  `pcmodel.networks.layers.rates` collects these numbers from a network.
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
    """Static numbers of one layer.

    deviation: standard deviation of the initial weights; None leaves it to the layer, which
        takes its `scale` / sqrt(fan-in).
    multiplier: of the weights, in every prediction (not of the bias).
    weight_rate, bias_rate: factors of the base learning rate, for optimisers that like Adam
        move weights by their rate; see `scale_by_depth`.
    """

    deviation: NotNegative | None = None
    multiplier: Finite = 1.0
    weight_rate: NotNegative = 1.0
    bias_rate: NotNegative = 1.0


STANDARD = Scaling()


def mupc_input(fan_in: int) -> Scaling:
    """muPC of the layer that reads the input: unit weights times 1/sqrt(fan-in)."""
    fan_in = whole_number(fan_in, "fan_in")
    return Scaling(1.0, fan_in**-0.5, fan_in**-0.5, 1.0)


def mupc_hidden(fan_in: int, num_layers: int) -> Scaling:
    """muPC of a residual layer, one of `num_layers` in all: times 1/sqrt(fan-in x layers)."""
    fan_in = whole_number(fan_in, "fan_in")
    num_layers = whole_number(num_layers, "num_layers")
    multiplier = (fan_in * num_layers) ** -0.5
    return Scaling(1.0, multiplier, multiplier, 1 / num_layers)


def mupc_readout(fan_in: int) -> Scaling:
    """muPC of the layer that predicts the output: unit weights times 1/fan-in."""
    fan_in = whole_number(fan_in, "fan_in")
    return Scaling(1.0, 1 / fan_in, 1.0, 1.0)


def initial_weights(
    shape: tuple[int, ...],
    fan_in: float,
    scale: float,
    scaling: Scaling,
    rngs: nnx.Rngs,
) -> Array:
    """Normal weights of the layer's initial standard deviation."""
    check_fits(*shape, what="initial weights of a layer")
    deviation = scale / fan_in**0.5 if scaling.deviation is None else scaling.deviation
    return deviation * jax.random.normal(rngs.params(), shape)


def multiply(multiplier: float, prediction: Array) -> Array:
    """The product, without a trace in the program where the multiplier is 1."""
    return prediction if multiplier == 1.0 else multiplier * prediction


def gain(activation: Callable[[Array], Array], pool: Pool | None = None) -> float:
    """The `scale` at which a layer's predictions have the variance of its input: 1.

    1 / sqrt(E[f(z)^2]) for standard normal z, f the activation and then, over independent
    units, the pool (He et al. 2015: sqrt 2 for relu).  Neighbours in an image are not
    independent, so with a pool this is a guide and not an identity.  Accurate to 1 %.
    """
    side = pool.window if pool is not None else 1
    normal = np.random.default_rng(0).standard_normal((200 * side, 200 * side, 1))
    with jax.ensure_compile_time_eval():  # also where the network's shapes are traced
        outputs = activation(jnp.asarray(normal))
        if pool is not None:
            outputs = pool(outputs)
        return float(jnp.mean(outputs**2)) ** -0.5

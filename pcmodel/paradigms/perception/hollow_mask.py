r"""The hollow mask: a concave face that is seen as convex, because faces are.

A chain of three levels, each one unit wide: the depth that is seen, depth, and the shape of the face, which is held convex
beforehand.  Shape is nonlinear, so that what is seen has two explanations:

$$x \sim N(m, 1/(g_2 \pi_2)), \quad d = \tanh(\alpha_2 x) + \text{noise of precision } g_1 \pi_1, \quad
  y = \alpha_1 d + \text{noise of precision } g_0 \pi_0 .$$

With depth integrated out, the shape has the density of a prior and of evidence in series,

$$\log p(x \mid y) = -\tfrac12 g_2 \pi_2 (x - m)^2 - \tfrac12 J\, (y - \alpha_1 \tanh(\alpha_2 x))^2 + \text{const},
  \qquad J^{-1} = (g_0 \pi_0)^{-1} + \alpha_1^2 (g_1 \pi_1)^{-1},$$

which is integrated on a grid.  Between the two minima the percept jumps: below a prior precision it is veridical, above it is
the illusion.  A temperature T flattens the density to its power 1 / T; a share from above mixes activity with
the prior, $(1 - s) x + s (m + \varepsilon)$ (`pcmodel.inference.activity`).

Reduced illusion is reported for schizophrenia (Schneider et al. 2002; Dima et al. 2009; from memory); for
psychedelics it is a prediction.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import ndtr
from jaxtyping import Float, Int

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite, InnerShare, Positive
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.network import Network, initial_weights_of
from pcmodel.networks.pure import PureNetwork, as_model
from pcmodel.neuromodulation.accounts.accounts import Account, Effects, Uniform
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.accounts.maps import anatomy as anatomy_of
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import Group
from pcmodel.paradigms.factors import Factors, factors_of
from pcmodel.paradigms.perception.size_illusion import PLACES

POINTS = 4001
"""Of the grid of shapes."""


@checked_arguments
@dataclass(frozen=True)
class HollowMask:
    """A face that is seen, and the shape that faces have.

    Attributes:
        seen: depth that is seen; below 0 is concave.
        expected: m, the shape held beforehand; above 0 is convex, and beyond 2 or so shapes differ in nothing.
        precisions: of senses, depth and shape, lowest first.

    Raises UserError for numbers out of range, and for other than three precisions.
    """

    seen: Finite = -1.0
    expected: Finite = 3.0
    precisions: tuple[Positive, ...] = (8.0, 8.0, 1.5)

    def __post_init__(self):
        if len(self.precisions) != 3:
            raise UserError(
                f"{len(self.precisions)} precisions",
                where="hollow mask",
                expected="3: of senses, depth and shape",
            )

    def network(self) -> PureNetwork:
        """The chain, for everything else that networks can do."""
        layers: Any = []
        for activation in (identity, jnp.tanh):
            layer = Dense(1, 1, activation=activation, rngs=initial_weights_of(0))
            layer.weight[...] = jnp.ones((1, 1))
            layers.append(layer)
        made = Network(
            layers,
            [1, 1, 1],
            log_precisions=list(np.log(self.precisions)),
            prior_mean=np.array([self.expected]),
            names=("senses", "depth", "shape"),
        )
        return as_model(cast(Network, made))


class Percept(NamedTuple):
    """What is seen of a face; the leading axes are those of the effects.

    convex: probability that the shape is convex, of activity.
    depth: mean depth that the shape predicts, -1 concave to 1 convex.
    modes: number of local maxima of the shape's density: 2 where the percept is bistable.
    barrier: log density of the lower maximum over the lowest point between the two, nats; 0 with one.
    """

    convex: Float[Array, "..."]
    depth: Float[Array, "..."]
    modes: Int[Array, "..."]
    barrier: Float[Array, "..."]


@checked_arguments
def hollow_mask(
    mask: HollowMask,
    drug: Group | Course | Effects,
    *,
    account: Account,
    anatomy: Anatomy | None = None,
) -> Percept:
    """The percept under an account of a drug, at every moment of everyone.

    mask: what is seen and expected.  Other arguments and errors as for `size_illusion`.
    """
    factors = factors_of(
        mask.network(), drug, account=account, anatomy=anatomy or anatomy_of(*PLACES)
    )
    shape = factors.top_down.shape
    flat = jax.tree.map(
        lambda leaf: leaf.reshape((-1, *leaf.shape[len(shape) :])), factors
    )
    dtype = flat.top_down.dtype
    given = (mask.seen, mask.expected, mask.precisions)
    found = _percepts(*(jnp.asarray(each, dtype) for each in given), flat)
    return jax.tree.map(lambda leaf: leaf.reshape(shape), found)


@jax.jit
def _percepts(
    seen: Array, expected: Array, precisions: Array, factors: Factors
) -> Percept:
    def one(factors: Factors) -> Percept:
        senses, depth, shape = factors.gains * precisions
        _, of_depth, of_shape = factors.slopes
        grid = grid_of(expected, of_shape, shape / factors.temperature)
        predicted = jnp.tanh(of_shape * grid)
        series = 1 / (1 / senses + of_depth**2 / depth)
        energy = 0.5 * (
            shape * (grid - expected) ** 2 + series * (seen - of_depth * predicted) ** 2
        )
        density = -(energy - energy.min()) / factors.temperature
        ends = jnp.concatenate([grid[:1], 0.5 * (grid[1:] + grid[:-1]), grid[-1:]])
        weights = jnp.exp(density) * jnp.diff(ends)
        weights = weights / jnp.sum(weights)
        share = factors.top_down
        modes, barrier = maxima(density)
        return Percept(
            jnp.sum(weights * convexity(grid, expected, shape, share)),
            jnp.sum(weights * predicted),
            modes,
            barrier,
        )

    return jax.vmap(one)(factors)


def grid_of(expected: Array, steepness: Array, precision: Array) -> Array:
    """Shapes, ascending: fine where tanh turns, and as far as eight s.d. of the prior and both plateaus reach."""
    turn = 1 / steepness
    far = jnp.abs(expected) + 8 / jnp.sqrt(precision) + 8 * turn
    # sinh spacing from 0: steps grow with the distance, from a thousandth of the turn.
    scale = jnp.minimum(turn, 1 / jnp.sqrt(precision))
    reach = jnp.arcsinh(far / scale)
    return scale * jnp.sinh(jnp.linspace(-1.0, 1.0, POINTS, dtype=far.dtype) * reach)


def convexity(grid: Array, expected: Array, precision: Array, share: Array) -> Array:
    """Probability that activity is convex at each shape; a step without a share from above."""
    certain = jnp.where(grid == 0, 0.5, (grid > 0).astype(grid.dtype))
    spread = jnp.where(share > 0, share / jnp.sqrt(precision), 1.0)
    return jnp.where(
        share > 0, ndtr(((1 - share) * grid + share * expected) / spread), certain
    )


def maxima(density: Array) -> tuple[Array, Array]:
    """Number of local maxima of a log density on a grid, and the depth of the valley between the outermost two."""
    before = jnp.concatenate([jnp.full((1,), -jnp.inf), density[:-1]])
    after = jnp.concatenate([density[1:], jnp.full((1,), -jnp.inf)])
    # A plateau that rounding makes level counts once, by its first point.
    is_top = (density > before) & (density >= after)
    places = jnp.arange(len(density))
    first = jnp.min(jnp.where(is_top, places, len(density)))
    last = jnp.max(jnp.where(is_top, places, -1))
    between = (places >= first) & (places <= last)
    lowest = jnp.min(jnp.where(between, density, jnp.inf))
    lower = jnp.minimum(density[first], density[last])
    return is_top.sum(), lower - lowest


@checked_arguments
def flip_precision(mask: HollowMask, *, convex: InnerShare = 0.5) -> float:
    """The precision of the shape's prior at which a convex percept has this probability; NaN where there is none.

    By bisection over 1e-6 to 1e6 times that of the mask, between the ends of which the probability must cross.

    Raises UserError for a probability that is not between 0 and 1.
    """
    nothing = Effects(*(jnp.zeros(()),) * 3)

    def at(log_factor: float) -> float:
        senses, depth, shape = mask.precisions
        other = HollowMask(
            mask.seen,
            mask.expected,
            (senses, depth, shape * float(np.exp(log_factor))),
        )
        found = hollow_mask(other, nothing, account=Uniform())
        return float(found.convex) - convex

    low, high = -np.log(1e6), np.log(1e6)
    if at(low) * at(high) > 0:
        return float("nan")
    rising = at(high) > 0
    for _ in range(50):
        middle = 0.5 * (low + high)
        if (at(middle) > 0) == rising:
            high = middle
        else:
            low = middle
    return mask.precisions[2] * float(np.exp(0.5 * (low + high)))

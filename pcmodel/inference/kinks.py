r"""Kinks: where the energy has a corner, a gradient of zero does not make a mode.

A rectifier whose input is at zero, because everything above it rests there, has a derivative of zero and a way
down beside it; so have |x| and max pooling.  Which networks have corners is read from the operations that their
predictions are made of.  At a point that counts as found the gradient is asked again a little above and a little
below it, on all units at once; where that shows another way the energy decides.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from pcmodel.inference.conjugate_gradient import Precondition
from pcmodel.inference.guard import Point, energy_change, energy_rounding, point_at
from pcmodel.inference.start import raised
from pcmodel.inference.whitened import linearise
from pcmodel.problem import Problem

CORNERS = frozenset(
    {
        "abs",
        "argmax",
        "argmin",
        "ceil",
        "clamp",
        "cummax",
        "cummin",
        "eq",
        "floor",
        "ge",
        "gt",
        "le",
        "lt",
        "max",
        "min",
        "ne",
        "reduce_max",
        "reduce_min",
        "reduce_window_max",
        "reduce_window_min",
        "round",
        "select_n",
        "sign",
        "sort",
        "top_k",
    }
)
"""Operations of JAX whose derivative jumps, or that choose between values."""
SIDES = (1e-2, -1e-2, 1.0, -1.0)
"""Where a found point is looked at from, as `pcmodel.inference.start.START`: across a corner, and out of a dead end."""
HALVINGS = 5
MOST_LEVELS = 8


def has_kinks(problem: Problem) -> bool:
    """Whether any level's prediction is made of operations with corners."""
    model, weights = problem.structure.model, problem.inputs.weights
    for level, width in enumerate(model.widths[1:]):
        above = jax.ShapeDtypeStruct((width,), problem.inputs.gains[0].dtype)
        traced = jax.make_jaxpr(
            lambda weights, above, level=level: model.predict_level(
                weights, level, above
            )
        )(weights, above)
        if _has_corners(traced.jaxpr):
            return True
    return False


def _has_corners(jaxpr) -> bool:
    for equation in jaxpr.eqns:
        if equation.primitive.name in CORNERS:
            return True
        leaves = jax.tree.leaves(list(equation.params.values()))
        inner = (getattr(leaf, "jaxpr", leaf) for leaf in leaves)
        if any(_has_corners(each) for each in inner if hasattr(each, "eqns")):
            return True
    return False


class WayDown(NamedTuple):
    """lower: whether a step was found that lowers the energy visibly."""

    step: Float[Array, " free"]
    lower: Bool[Array, ""]


def way_down(
    problem: Problem, point: Point, precondition: Precondition, wanted: Array
) -> WayDown:
    """Look at a point from its sides; costs nothing where not wanted."""
    offsets = directions(problem)
    noise = energy_rounding(problem, point)
    sides = jnp.asarray(SIDES, offsets.dtype)
    many = len(SIDES) * offsets.shape[0]

    def lowest(step: Array, from_there: Array) -> WayDown:
        def change(length: Array) -> Array:
            whitened = point.whitened + step + length * from_there
            return energy_change(problem, point, point_at(problem, whitened))

        def worse(carry):
            _, difference, count = carry
            return ~(difference < -noise) & (count < HALVINGS)

        def shorten(carry):
            length, _, count = carry
            return 0.25 * length, change(0.25 * length), count + 1

        one = jnp.ones((), step.dtype)
        first = (one, change(one), jnp.zeros((), int))
        length, difference, _ = jax.lax.while_loop(worse, shorten, first)
        return WayDown(step + length * from_there, difference < -noise)

    def unfinished(carry):
        found, number = carry
        return ~found.lower & (number < many)

    def look(carry):
        _, number = carry
        beside = sides[number % len(SIDES)] * offsets[number // len(SIDES)]
        linear = linearise(problem, point.whitened + beside)
        direction = -precondition(linear.gradient)
        curved = jnp.sum(direction**2) + jnp.sum(linear.push(direction) ** 2)
        promised = -jnp.sum(linear.gradient * direction)
        length = promised / jnp.where(curved > 0, curved, 1)
        return lowest(beside, length * direction), number + 1

    nothing = WayDown(jnp.zeros_like(point.whitened), jnp.zeros((), bool))
    first = (nothing, jnp.where(wanted, 0, many))
    return jax.lax.while_loop(unfinished, look, first)[0]


def directions(problem: Problem) -> Float[Array, "directions free"]:
    """All units raised, and those of one level alone: a level above can switch off what it predicts.

    In deep hierarchies every second level stands for one.
    """
    structure = problem.structure
    whole = raised(problem, 1.0)
    slices = [part for part in structure.free_slices() if part.stop > part.start]
    if len(slices) < 2:
        return whole[None]
    groups = [[part] for part in slices]
    if len(slices) > MOST_LEVELS:
        groups = [slices[::2], slices[1::2]]
    masks = np.zeros((len(groups) + 1, structure.num_free), bool)
    masks[0] = True
    for mask, group in zip(masks[1:], groups, strict=True):
        for part in group:
            mask[part] = True
    return jnp.where(masks, whole[None], 0)

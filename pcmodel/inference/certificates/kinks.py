r"""Kinks: where the energy has a corner, a zero gradient is not sufficient for a mode.

A rectifier whose input is zero, because all units above are zero, has a zero derivative although the energy may
decrease beside it; likewise |x| and max pooling.  Whether a network has corners is determined from the traced
operations of its predictions.  At a point that counts as converged the gradient is evaluated again slightly above and
below it, for all units at once; a step that follows is accepted if it lowers the energy.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.extend.core import Jaxpr, JaxprEqn
from jaxtyping import Bool, Float

from pcmodel.inference.fixed_draws import signs
from pcmodel.inference.linear.conjugate_gradient import Precondition
from pcmodel.inference.solvers.sufficient_decrease import (
    Point,
    energy_change,
    energy_rounding,
    point_at,
)
from pcmodel.inference.start import raised
from pcmodel.inference.whitened import linearise
from pcmodel.model.generative import GenerativeModel
from pcmodel.model.likelihood import Bernoulli, Categorical
from pcmodel.model.problem import Problem
from pcmodel.model.types import Weights

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
"""Operations of JAX with a discontinuous derivative, or that choose between values."""
CALLS = frozenset({"jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call"})
"""Operations that only call the programs inside them."""
SIDES = (1e-2, -1e-2, 1.0, -1.0)
"""Offsets at which gradients are evaluated, in the units of `pcmodel.inference.start.START`: small ones cross a corner,
large ones leave a region of zero gradient."""
HALVINGS = 5
MOST_LEVELS = 8
MIXED = range(4)


def has_kinks(problem: Problem) -> bool:
    """Whether any level's prediction, or a user's likelihood, contains operations with corners."""
    return any(has_corners(traced.program) for traced in energy_programs(problem))


def has_corners(program: Jaxpr) -> bool:
    """Whether any operation of a program is one of `CORNERS`."""
    return any(each.primitive.name in CORNERS for each in operations(program))


class Traced(NamedTuple):
    """A traced part of the energy.

    program: its operations; the last `num_inputs` inputs are the vectors of units that it depends on.
    num_inputs: their number.
    level: level whose prediction it is; None for the energy terms of a likelihood.
    """

    program: Jaxpr
    num_inputs: int
    level: int | None


def energy_programs(problem: Problem) -> Iterator[Traced]:
    """The traced prediction of every level with parents, and the energy terms of every likelihood of a user."""
    structure, inputs = problem.structure, problem.inputs
    model, dtype = structure.model, inputs.gains[0].dtype
    for level, own in enumerate(model.parents):
        if own:
            parents = parent_shapes(model, level, dtype)
            predict = partial(_predict, model, level)
            program = jax.make_jaxpr(predict)(inputs.weights, *parents).jaxpr
            yield Traced(program, len(own), level)
    for level in structure.discrete_levels:
        likelihood = structure.likelihood(level)
        if type(likelihood) in (Bernoulli, Categorical):
            continue
        unit = jax.ShapeDtypeStruct((model.widths[level],), dtype)
        one, terms = jax.ShapeDtypeStruct((), dtype), likelihood.energy_terms
        program = jax.make_jaxpr(lambda y, gain, x, terms=terms: terms(x, y, gain))(
            unit, one, unit
        ).jaxpr
        yield Traced(program, 1, None)


def parent_shapes(
    model: GenerativeModel, level: int, dtype: Any
) -> tuple[jax.ShapeDtypeStruct, ...]:
    """Shapes of the latents from which a level is predicted."""
    widths = (model.widths[parent] for parent in model.parents[level])
    return tuple(jax.ShapeDtypeStruct((width,), dtype) for width in widths)


def _predict(
    model: GenerativeModel, level: int, weights: Weights, *parents: Array
) -> Array:
    return model.predict_level(weights, level, parents)


def operations(program: Jaxpr) -> Iterator[JaxprEqn]:
    """Every operation of a program and of the programs inside it."""
    for equation in program.eqns:
        leaves = jax.tree.leaves(list(equation.params.values()))
        inner = [getattr(leaf, "jaxpr", leaf) for leaf in leaves]
        inner = [each for each in inner if hasattr(each, "eqns")]
        if not inner or equation.primitive.name not in CALLS:
            yield equation
        for each in inner:
            yield from operations(each)


class WayDown(NamedTuple):
    """A step away from a point.

    step: change of the whitened errors.
    lower: whether the step lowers the energy by more than its rounding.
    """

    step: Float[Array, " free"]
    lower: Bool[Array, ""]


def way_down(
    problem: Problem, point: Point, precondition: Precondition, wanted: Array
) -> WayDown:
    """Search for a step that lowers the energy, from the gradients beside a point; no cost where not `wanted`."""
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
    """Directions of displacement: all units raised, the units of single levels raised, and random signs.

    Single levels, because a level can switch off its prediction; in deep hierarchies every second level together.
    Random signs, for corners of mixtures of units, act(W x).
    """
    structure = problem.structure
    whole = raised(problem, 1.0)
    mixed = whole[None] * jnp.stack(
        [signs(whole.shape[0], 10 + i, whole.dtype) for i in MIXED]
    )
    slices = [part for part in structure.free_slices() if part.stop > part.start]
    if len(slices) < 2:
        return jnp.concatenate([whole[None], mixed])
    groups = [[part] for part in slices]
    if len(slices) > MOST_LEVELS:
        groups = [slices[::2], slices[1::2]]
    masks = np.zeros((len(groups) + 1, structure.num_free), bool)
    masks[0] = True
    for mask, group in zip(masks[1:], groups, strict=True):
        for part in group:
            mask[part] = True
    return jnp.concatenate([jnp.where(masks, whole[None], 0), mixed])

r"""Modes on a corner of the energy, with units at a corner of their activation.

With predictions $W\,\mathrm{act}(x) + b$ the corners lie in single units: at a corner c of unit i the energy has a slope
$l_i$ to the left and $r_i$ to the right, independent of the sides of the other units (whose derivatives enter only the
slopes of their own coordinates).  With A the units at their corners, x is therefore a strict local minimum if

$$ l_i < 0 < r_i \quad (i \in A), \qquad \partial E / \partial x_U = 0, \qquad
   v^\top (\partial^2 E / \partial x_U^2)\, v > 0 , $$

with U all other free units: in directions that leave a corner the energy rises to first order, in all others it is
smooth.  The second and third conditions are those of the problem with A *pinned*, which is smooth
(`pcmodel.model.problem.Pins`); it has the usual certificate (`pcmodel.inference.certificates.newton_decrement`), in
posterior standard deviations of U given A.

The first condition is checked at the result, by gradients with all of A displaced to either side by less than the last
digit.  The pinned problem's mode may lie $\delta$ standard deviations away, where a slope differs by at most
$\sqrt{H_{ii}}\, \delta$ (Cauchy-Schwarz).  A slope that close to zero is not significant: the unit is released
to that side, where the problem is smooth, and checked there.  A unit whose slope leads down is released that way.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from pcmodel.inference.certificates.activations import corner_values
from pcmodel.inference.certificates.kinks import energy_programs, has_corners
from pcmodel.inference.fixed_draws import signs
from pcmodel.inference.implicit_derivatives import whitened_errors
from pcmodel.inference.solvers.sufficient_decrease import Point
from pcmodel.inference.whitened import unroll, whitened_from_latents
from pcmodel.model.discrete_energy import data_energy, pull_root
from pcmodel.model.energy import (
    latents_from_state,
    level_factor,
    predictions,
    state_from_latents,
)
from pcmodel.model.generative import children_of
from pcmodel.model.problem import Pins, Problem

CLEAR = 16.0
"""Distance of a released unit from its corner, in last digits of the unit and its prediction, so that rounding does not
put it on the other side."""
SIGNS = 4
"""Random sign vectors for estimating the curvature of every unit; twice the largest estimate is used."""


class Place(NamedTuple):
    """The position of a descent.

    whitened: whitened errors, zero for pinned units.
    pins: which units are pinned, and their values.
    """

    whitened: Float[Array, " free"]
    pins: Pins


def corner_table(problem: Problem) -> Float[np.ndarray, "free corners"] | None:
    """Values at which each free unit may be pinned, padded with infinity; None if no unit has any."""
    structure = problem.structure
    if structure.model.is_linear:
        return None
    rows: list[tuple[float, ...]] = []
    for level in range(structure.top + 1):
        values = values_of(problem, level)
        units = structure.free_units(level)
        if not values or not len(units) or level_factor(problem, level).ndim != 1:
            values = ()
        rows += [values] * len(units)
    most = max(map(len, rows), default=0)
    if most == 0:
        return None
    return np.array([[*row, *([np.inf] * (most - len(row)))] for row in rows])


def values_of(problem: Problem, level: int) -> tuple[float, ...]:
    """Values of single units of a level at which a child's prediction may have a corner; () if it may also have corners
    elsewhere."""
    found: set[float] = set()
    for child in children_of(problem.structure.model, level):
        values = corner_values(problem, child)
        if values is None:
            return ()
        found.update(values)
    return tuple(sorted(found))


def leaves_corners(problem: Problem) -> bool:
    """Whether the energy has corners at which no unit can be pinned."""
    for traced in energy_programs(problem):
        if not has_corners(traced.program):
            continue
        if traced.level is None or not corner_values(problem, traced.level):
            return True
        parents = problem.structure.model.parents[traced.level]
        if any(
            level_factor(problem, parent).ndim != 1 or not values_of(problem, parent)
            for parent in parents
        ):
            return True
    return False


def with_pins(problem: Problem, pins: Pins) -> Problem:
    """The problem with the given pins."""
    return Problem(problem.structure, problem.inputs._replace(pins=pins))


def unpinned(whitened: Float[Array, " free"]) -> Place:
    """A place with nothing pinned."""
    return Place(whitened, Pins(whitened != whitened, jnp.zeros_like(whitened)))


def state_at(problem: Problem, place: Place) -> Float[Array, " free"]:
    """Latents of the free units at a place."""
    held = with_pins(problem, place.pins)
    return state_from_latents(problem.structure, unroll(held, place.whitened).latents)


def place_of(problem: Problem, state: Float[Array, " free"], pins: Pins) -> Place:
    """The place with the given latents, and pinned units at their values."""
    latents = latents_from_state(problem, jnp.where(pins.mask, pins.values, state))
    return Place(whitened_from_latents(with_pins(problem, pins), latents), pins)


def whole_point(problem: Problem, place: Place) -> Point:
    """The same point of the problem without pins, for comparing energies."""
    found = unroll(with_pins(problem, place.pins), place.whitened)
    size = place.whitened.shape[0]
    rows, own = found.rows[:-size], found.rows[-size:]
    return Point(place.whitened + own, rows, found.logits)


class Side(NamedTuple):
    """Derivatives of the energy in the free units' latents.

    slope: derivative of the energy along every unit.
    scale: estimate, from above, of the root of the Gauss-Newton curvature along every unit.
    outputs: whitened errors, and logits of discrete data.
    """

    slope: Float[Array, " free"]
    scale: Float[Array, " free"]
    outputs: Float[Array, " outputs"]


def side(problem: Problem, state: Float[Array, " free"]) -> Side:
    """Slopes and curvatures of the energy in the latents."""

    (rows, logits), pull = jax.vjp(lambda x: whitened_errors(problem, x), state)

    def along(own: Array, outer: Array | None) -> Array:
        return pull((own, outer))[0]

    if logits is None:
        slope = along(rows, None)
    else:
        slope = along(rows, jax.grad(lambda eta: data_energy(problem, eta))(logits))

    def sample(own: Array, others: Array | None) -> Array:
        if logits is None or others is None:
            return along(own, None)
        return along(own, pull_root(problem, logits, others))

    some, others = several_signs(rows, 4), None
    if logits is not None:
        others = several_signs(logits, 5)
    scale = 2 * jnp.max(jnp.abs(jax.vmap(sample)(some, others)), axis=0)
    both = rows if logits is None else jnp.concatenate([rows, logits])
    return Side(slope, scale, both)


class Bend(NamedTuple):
    """Derivatives of the energy on both sides of corners.

    left: slope of the energy to the left of each unit's corner.
    right: slope to the right.
    scale: larger root of curvature of the two sides.
    meets: whether the predictions are continuous there (a step function has slopes but no corner).
    """

    left: Float[Array, " free"]
    right: Float[Array, " free"]
    scale: Float[Array, " free"]
    meets: Bool[Array, ""]


def bend(problem: Problem, state: Float[Array, " free"], pins: Pins) -> Bend:
    """Derivatives on both sides of the pinned units' values; for other units both sides are equal."""
    info = jnp.finfo(state.dtype)
    # Small relative to the last digit, but large enough for a product with a slope not to underflow.
    beside = jnp.where(
        pins.values == 0, info.tiny**0.75, 4 * info.eps * jnp.abs(pins.values)
    )
    left = side(problem, jnp.where(pins.mask, pins.values - beside, state))
    right = side(problem, jnp.where(pins.mask, pins.values + beside, state))
    jump = jnp.max(jnp.abs(right.outputs - left.outputs))
    meets = jump <= info.eps**0.5 * (1 + jnp.max(jnp.abs(left.outputs)))
    scale = jnp.maximum(left.scale, right.scale)
    return Bend(left.slope, right.slope, scale, meets)


def crossed(
    table: Float[np.ndarray, "free corners"],
    old: Float[Array, " free"],
    new: Float[Array, " free"],
) -> Pins:
    """The first corner that each unit passes from `old` to `new`, as pins."""
    corners = jnp.asarray(table, old.dtype)
    passes = (old[:, None] - corners) * (new[:, None] - corners) < 0
    way = jnp.where(passes, jnp.abs(corners - old[:, None]), jnp.inf)
    return Pins(jnp.any(passes, axis=1), _pick(corners, way))


def nearest(
    table: Float[np.ndarray, "free corners"], state: Float[Array, " free"]
) -> Float[Array, " free"]:
    """The corner nearest to each unit; infinite where it has none."""
    corners = jnp.asarray(table, state.dtype)
    return _pick(corners, jnp.abs(corners - state[:, None]))


def _pick(corners: Array, distance: Array) -> Array:
    which = jnp.argmin(distance, axis=1)
    return jnp.take_along_axis(corners, which[:, None], axis=1)[:, 0]


def joined(pins: Pins, more: Pins) -> Pins:
    """The pins of both; the first take precedence."""
    return Pins(pins.mask | more.mask, jnp.where(pins.mask, pins.values, more.values))


def blocked(
    problem: Problem,
    passed: Pins,
    old: Float[Array, " free"],
    new: Float[Array, " free"],
) -> Pins:
    """The pins in `passed` beyond which the energy rises, evaluated with all of them at their corners."""
    found = bend(problem, jnp.where(passed.mask, passed.values, new), passed)
    rises = jnp.where(new > old, found.right > 0, found.left < 0)
    return passed._replace(mask=passed.mask & rises)


def settled(
    problem: Problem,
    table: Float[np.ndarray, "free corners"],
    place: Place,
    *,
    certain: Bool[Array, ""],
    cautious: Bool[Array, ""],
    distance: Float[Array, ""],
) -> Place:
    """The place after releasing pinned units that are not at a minimum.

    certain: the pinned problem is solved, up to `distance` standard deviations from its mode.  Units then stay pinned
        only if their slopes cannot be zero at that mode, and units within that distance of a corner are checked too.
    cautious: release none before the pinned problem is solved, and then only the unit whose slope leads down most:
        releasing several units may return them to their corners in the next step.
    """
    state, pins = state_at(problem, place), place.pins
    corner = nearest(table, state)
    finite = jnp.isfinite(corner)
    corner = jnp.where(pins.mask, pins.values, jnp.where(finite, corner, 0))
    away = side(problem, state).scale * jnp.abs(state - corner)
    close = certain & finite & (away <= distance)
    asked = Pins(pins.mask | close, corner)
    found = bend(problem, state, asked)
    soft = jnp.where(certain, found.scale * distance, 0)
    leftward, rightward = found.left > soft, found.right < -soft
    firm = found.meets & (found.left < -soft) & (found.right > soft)
    down = asked.mask & (leftward | rightward)
    steepness = jnp.maximum(found.left, -found.right) / found.scale
    steepest = steepness >= jnp.max(jnp.where(down, steepness, -jnp.inf))
    kept = ~certain | (jnp.any(down) & ~steepest)
    down &= ~cautious | (certain & steepest)
    held = asked.mask & ~down & (firm | (pins.mask & (~certain | (cautious & kept))))
    # To the side that leads down more, else to the one with the smaller slope.
    to_left = jnp.where(
        down,
        leftward & (found.left >= -found.right),
        jnp.abs(found.left) <= jnp.abs(found.right),
    )
    freed = (pins.mask & ~held) | down
    beside = jnp.where(to_left, -1, 1) * clearance(problem, state, corner)
    new = Pins(held, jnp.where(held, corner, 0))
    moved = place_of(problem, jnp.where(freed, corner + beside, state), new)
    same = jnp.all(new.mask == pins.mask) & ~jnp.any(freed)
    return jax.tree.map(lambda a, b: jnp.where(same, a, b), place, moved)


def at_corners(
    problem: Problem,
    table: Float[np.ndarray, "free corners"],
    whitened: Float[Array, " free"],
) -> Place:
    """The place of a result, with units pinned that are within rounding of a corner with rising slopes on both sides."""
    free = unpinned(whitened)
    state = state_at(problem, free)
    corner = nearest(table, state)
    # Closer than a released unit lies to its corner.
    near = jnp.abs(state - corner) <= 0.5 * clearance(
        problem, state, jnp.where(jnp.isfinite(corner), corner, 0)
    )
    asked = Pins(near, jnp.where(near, corner, 0))
    found = bend(problem, state, asked)
    up = near & found.meets & (found.left < 0) & (found.right > 0)
    pins = Pins(up, jnp.where(up, corner, 0))
    moved = place_of(problem, state, pins)
    return jax.tree.map(lambda a, b: jnp.where(jnp.any(up), a, b), moved, free)


def clearance(
    problem: Problem, state: Float[Array, " free"], corner: Float[Array, " free"]
) -> Float[Array, " free"]:
    """The smallest distance from a corner at which rounding does not change the side."""
    info = jnp.finfo(state.dtype)

    def predicted(state: Array) -> Array:
        latents = latents_from_state(problem, state)
        return state_from_latents(problem.structure, predictions(problem, latents))

    def change(directions: Array) -> Array:
        return jax.jvp(predicted, (state,), (info.eps * state * directions,))[1]

    # The terms of a prediction may be far larger than their sum.
    changes = jax.vmap(change)(several_signs(state, 6))
    size = info.eps * (jnp.abs(predicted(state)) + jnp.abs(corner))
    size += jnp.max(jnp.abs(changes), axis=0)
    return CLEAR * size + info.tiny**0.75


def several_signs(like: Float[Array, " n"], seed: int) -> Float[Array, "signs n"]:
    """Fixed random sign vectors of the length of `like`."""
    return signs(SIGNS * like.shape[0], seed, like.dtype).reshape(SIGNS, -1)

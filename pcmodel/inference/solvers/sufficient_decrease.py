"""What keeps a step honest: the energy falls, as far as its rounding lets that be seen."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from pcmodel.inference.whitened import unroll
from pcmodel.model.energy import data_energy, data_energy_terms
from pcmodel.model.problem import Problem

ARMIJO = 1e-4
ROUNDING = 10.0
"""Rounding error of a sum over levels, in epsilons of the float times its size."""


class Point(NamedTuple):
    """Whitened errors, and what of the energy is not their own square.

    rows, logits: see `pcmodel.inference.whitened.Unrolled`.
    """

    whitened: Float[Array, " free"]
    rows: Float[Array, " rows"]
    logits: Array | None


def point_at(problem: Problem, whitened: Float[Array, " free"]) -> Point:
    """The point at given whitened errors."""
    unrolled = unroll(problem, whitened)
    return Point(whitened, unrolled.rows, unrolled.logits)


def point_energy(problem: Problem, point: Point) -> Float[Array, ""]:
    """The energy less its normaliser."""
    value = 0.5 * (jnp.sum(point.whitened**2) + jnp.sum(point.rows**2))
    if point.logits is not None:
        value += data_energy(problem, point.logits)
    return value


def energy_change(problem: Problem, old: Point, new: Point) -> Float[Array, ""]:
    """Energy at the new point less that at the old one, summed unit by unit.

    The difference of two energies of a thousand nats carries no digits of a change of
    1e-5 in float32; the sum of the differences does.
    """
    change = 0.5 * jnp.sum(
        (new.whitened - old.whitened) * (new.whitened + old.whitened)
    )
    change += 0.5 * jnp.sum((new.rows - old.rows) * (new.rows + old.rows))
    if new.logits is None or old.logits is None or not new.logits.shape[0]:
        return change
    terms = data_energy_terms(problem, new.logits)
    return change + jnp.sum(terms - data_energy_terms(problem, old.logits))


def falls_enough(
    difference: Array, length: Array, slope: Array, noise: Array
) -> Bool[Array, ""]:
    """Armijo's condition on a change of energy after a share `length` of a step of (negative) `slope`.

    A whole step that promises less than the energy's own rounding need not show in it. A NaN does not
    fall, and nothing does along a step that does not descend.
    """
    unseen = jnp.where(-0.5 * slope <= noise, noise, -jnp.inf)
    falls = difference <= jnp.maximum(ARMIJO * length * slope, unseen)
    return falls & (slope < 0)


def energy_rounding(problem: Problem, point: Point) -> Float[Array, ""]:
    """Size of the rounding error of the energy, nats."""
    size = jnp.abs(point_energy(problem, point))  # an own likelihood's may be negative
    return ROUNDING * jnp.finfo(size.dtype).eps * size


def gradient_rounding(noise: Float[Array, ""]) -> Float[Array, ""]:
    """Residual that rounding of the gradient alone would leave.

    The gradient sums errors of size sqrt(2 E), so its rounding is the root of the
    energy's times sqrt(2 eps): a residual far below the one at which energies stop
    telling points apart.
    """
    return jnp.sqrt(2 * ROUNDING * jnp.finfo(noise.dtype).eps * noise)

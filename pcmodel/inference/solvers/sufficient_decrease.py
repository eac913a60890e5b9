"""Sufficient decrease of the energy (Armijo's condition), taking rounding into account."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from pcmodel.inference.whitened import unroll
from pcmodel.model.discrete_energy import data_energy, data_energy_terms
from pcmodel.model.problem import Problem

ARMIJO = 1e-4
ROUNDING = 10.0
"""Rounding error of a sum over levels, in machine epsilons times its magnitude."""


class Point(NamedTuple):
    """A point with the terms of its energy.

    whitened: whitened errors of the free units.
    rows: whitened errors of clamped units and beliefs, see `pcmodel.inference.whitened.Unrolled`.
    logits: prediction of observed discrete data; None for Gaussian data.
    """

    whitened: Float[Array, " free"]
    rows: Float[Array, " rows"]
    logits: Array | None


def point_at(problem: Problem, whitened: Float[Array, " free"]) -> Point:
    """The point at given whitened errors."""
    unrolled = unroll(problem, whitened)
    return Point(whitened, unrolled.rows, unrolled.logits)


def point_energy(problem: Problem, point: Point) -> Float[Array, ""]:
    """The energy minus its normaliser, nats."""
    value = 0.5 * (jnp.sum(point.whitened**2) + jnp.sum(point.rows**2))
    if point.logits is not None:
        value += data_energy(problem, point.logits)
    return value


def energy_change(problem: Problem, old: Point, new: Point) -> Float[Array, ""]:
    """Energy at the new point minus that at the old one, nats, as a sum of differences of units.

    In float32 the difference of two energies of a thousand nats does not resolve a change of 1e-5; the sum of the
    differences does.
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
    """Armijo's condition on a change of energy after the fraction `length` of a step with derivative `slope`.

    If the expected decrease of the whole step is below the rounding `noise` of the energy, a change up to that rounding
    is accepted. False for a NaN and for a step that is not a descent direction.
    """
    unseen = jnp.where(-0.5 * slope <= noise, noise, -jnp.inf)
    falls = difference <= jnp.maximum(ARMIJO * length * slope, unseen)
    return falls & (slope < 0)


def energy_rounding(problem: Problem, point: Point) -> Float[Array, ""]:
    """Estimated rounding error of the energy, nats."""
    size = jnp.abs(point_energy(problem, point))  # negative with some user likelihoods
    return ROUNDING * jnp.finfo(size.dtype).eps * size


def gradient_rounding(noise: Float[Array, ""]) -> Float[Array, ""]:
    """Residual due to the rounding of the gradient alone, from the rounding `noise` of the energy.

    The gradient sums errors of size sqrt(2 E), so its rounding is the root of the energy's times sqrt(2 eps): far below
    the residual at which energies no longer distinguish points.
    """
    return jnp.sqrt(2 * ROUNDING * jnp.finfo(noise.dtype).eps * noise)

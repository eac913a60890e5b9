"""Backtracking line search: a step is halved until the energy falls enough (Nocedal & Wright 2006, algorithm 3.1)."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.inference.solvers.sufficient_decrease import Point, energy_change, point_at
from pcmodel.model.problem import Problem

SHORTEST = 1e-3
"""Fraction of the step at which the search ends."""


class Move(NamedTuple):
    """The result of a line search.

    point: new point; the old one if no step was accepted.
    length: fraction of the step at which the search ended.
    accepted: whether that step was accepted.
    difference: energy there minus energy at the old point, nats.
    """

    point: Point
    length: Array
    accepted: Array
    difference: Array


def search(
    problem: Problem,
    point: Point,
    step: Array,
    enough: Callable[[Array, Array], Array],
    done: Array,
) -> Move:
    """Halve a step until the energy falls enough.

    enough: function of (fraction of the step, change of energy) that accepts a step.
    done: whether to stay at the point.
    """

    def change(length):
        trial = point_at(problem, point.whitened + length * step)
        return trial, energy_change(problem, point, trial)

    def poor(carry):
        length, (_, difference) = carry
        # A NaN compares as false: it counts as poor.
        return ~enough(length, difference) & (length > SHORTEST) & ~done

    def halve(carry):
        length = 0.5 * carry[0]
        return length, change(length)

    # Start at twice the step, so that the whole step is tried first.
    twice = (2 * jnp.ones((), step.dtype), (point, jnp.full((), jnp.nan, step.dtype)))
    length, (trial, difference) = jax.lax.while_loop(poor, halve, twice)
    accept = enough(length, difference) & ~done
    kept = jax.tree.map(lambda new, old: jnp.where(accept, new, old), trial, point)
    return Move(kept, length, accept, difference)

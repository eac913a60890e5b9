"""A step halved until the energy falls enough (backtracking; Nocedal & Wright 2006, algorithm 3.1)."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.inference.solvers.sufficient_decrease import Point, energy_change, point_at
from pcmodel.model.problem import Problem

SHORTEST = 1e-3
"""Share of a step below which it is not halved again."""


class Move(NamedTuple):
    """What a search came to.

    length: share of the step at which the search ended.  difference: of the energy, nats."""

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
    """Halve the step until the energy falls enough; nothing is moved where all is done."""

    def change(length):
        trial = point_at(problem, point.whitened + length * step)
        return trial, energy_change(problem, point, trial)

    def poor(carry):
        length, (_, difference) = carry
        # Written so that a NaN counts as poor.
        return ~enough(length, difference) & (length > SHORTEST) & ~done

    def halve(carry):
        length = 0.5 * carry[0]
        return length, change(length)

    # Twice a step, for the whole one to be the first that is tried.
    twice = (2 * jnp.ones((), step.dtype), (point, jnp.full((), jnp.nan, step.dtype)))
    length, (trial, difference) = jax.lax.while_loop(poor, halve, twice)
    accept = enough(length, difference) & ~done
    kept = jax.tree.map(lambda new, old: jnp.where(accept, new, old), trial, point)
    return Move(kept, length, accept, difference)

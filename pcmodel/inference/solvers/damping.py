"""Common parts of the Gauss-Newton descents: steps with the true Hessian, and damping."""

from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.inference.certificates.newton_decrement import true_hessian
from pcmodel.inference.linear.conjugate_gradient import CgResult, conjugate_gradient
from pcmodel.inference.linear.equation import Equation, Measured
from pcmodel.inference.solvers.line_search import Move
from pcmodel.inference.solvers.sufficient_decrease import Point
from pcmodel.model.problem import Problem

State = TypeVar("State")
FIRST_DAMPING = 1e-2
LEAST_DAMPING = 1e-7
GREATEST_DAMPING = 1e8
PATIENCE = 10
"""Largest number of successive steps in which neither the energy falls by more than its rounding nor the residual by
half."""
SLOW = 0.25
"""Factor on the residual above which a Gauss-Newton step counts as slow."""
MAX_NEWTON_PRODUCTS = 50


def newton_step(
    problem: Problem,
    point: Point,
    damping: Array,
    equation: Equation,
    measured: Measured,
    wanted: Array,
) -> CgResult:
    """A step with the true Hessian, preconditioned by Gauss-Newton's; no cost where not `wanted`."""
    hessian = true_hessian(problem, point.whitened)
    return conjugate_gradient(
        lambda vector: hessian(vector) + damping * vector,
        -equation.gradient,
        measured.target,
        jnp.where(wanted, MAX_NEWTON_PRODUCTS, 0),
        precondition=equation.prepared.precondition,
    )


def adapted(damping: Array, moved: Move, slope: Array) -> Array:
    """The damping after a step: increased after a shortened or rejected one, decreased after a good one."""
    whole = moved.accepted & (moved.length == 1)
    # On a quadratic a full Newton step changes the energy by half its slope.
    good = whole & (moved.difference <= 0.25 * slope)
    raised = jnp.maximum(10 * damping, FIRST_DAMPING)
    lowered = jnp.where(damping < LEAST_DAMPING, 0, 0.1 * damping)
    return jnp.where(good, lowered, jnp.where(whole, damping, raised))


def as_batched(state: State, rows: Array) -> State:
    """The same state, with every leaf batched under `vmap` if `rows` are.

    Otherwise a loop whose carry becomes batched only within it would be traced again, with all inner loops.
    """
    if rows.shape[0] == 0:
        return state
    never = jnp.isnan(rows[0]) & ~jnp.isnan(rows[0])
    zeros = {leaf.dtype: never.astype(leaf.dtype) for leaf in jax.tree.leaves(state)}
    return jax.tree.map(
        lambda leaf: (leaf | never) if leaf.dtype == bool else leaf + zeros[leaf.dtype],
        state,
    )

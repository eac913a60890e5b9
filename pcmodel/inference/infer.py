"""Inference for one example: run a solver, differentiate implicitly.

Derivatives do not go through the solver's loop: at the mode the gradient of the energy vanishes, and the implicit
function theorem gives the derivative of the mode with respect to any input from one linear solve with the *true*
Hessian (`pcmodel.inference.implicit_derivatives`; in whitened coordinates above `DENSE_TANGENT` unknowns).  The solve is
refined, in forward and reverse mode; where refinement does not converge the derivative is NaN.  In float32
derivatives are accurate to 1 %, or to 1e-5 of the latents where they are smaller, at ratios of precisions up to 1e8;
use float64 beyond that.  `Exact` has no loop and is differentiated directly.

Where the mode lies on corners of the energy (`pcmodel.inference.certificates.corners`) units on a corner stay there under
small changes, so that their derivatives are zero, and those of the others follow from the problem with these units
pinned.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import lu_factor, lu_solve
from jaxtyping import Bool, Float, Int

from pcmodel.inference.certificates.corners import at_corners, corner_table, with_pins
from pcmodel.inference.implicit_derivatives import (
    differentiable,
    num_unknowns,
    refined,
    right_or_nan,
    with_derivative_of,
)
from pcmodel.inference.linear.conjugate_gradient import conjugate_gradient
from pcmodel.inference.solvers.exact import Exact
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.start import start_of
from pcmodel.inference.whitened import objective, unroll, whitened_from_latents
from pcmodel.model.energy import latents_from_state, normaliser
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents

DENSE_TANGENT = 512
"""Unknowns up to which the implicit derivative uses a dense solve: free units and whitened errors, or free units
alone where those are more."""
CORRECTION = 0.03
"""Relative residual of the conjugate gradients that estimate the error of a solution."""


class InferenceResult(NamedTuple):
    """The mode of p(latents | data), and diagnostics of the solver.

    latents: one array per level, bottom first (clamped units hold their values; a discrete level
        0 its data where observed, its predicted mean elsewhere).
    whitened: flat whitened errors of the free units.
    energy: -log p(latents, data) at the mode, nats.
    residual: bound on the distance to the mode, posterior standard deviations; see `pcmodel.inference.SolverResult`.
    converged: whether the residual is within the tolerance or the limit of rounding, and the energy is finite.
    iterations: outer steps of the solver.
    products: products with the Gauss-Newton Hessian, or gradients.
    """

    latents: Latents
    whitened: Float[Array, " free"]
    energy: Float[Array, ""]
    residual: Float[Array, ""]
    converged: Bool[Array, ""]
    iterations: Int[Array, ""]
    products: Int[Array, ""]

    @property
    def is_batched(self) -> bool:
        """Whether `infer` was given a batch (every array then has a leading axis)."""
        return self.energy.ndim > 0


def infer_one(
    problem: Problem, solver: Solver, initial: Float[Array, " free"] | None = None
) -> InferenceResult:
    """The mode of one problem, searched from the whitened errors `initial` (None: `start_of` the problem)."""
    if initial is None:
        # Depends only on what a batch shares, so that `vmap` computes what follows from it once.
        initial = start_of(problem)
    latents = None
    if initial.shape[0] == 0 or isinstance(solver, Exact):
        found = solver.minimise(problem, initial)
        whitened, info = found.whitened, found
    elif (table := corner_table(problem)) is not None:
        whitened, latents, info = _mode_with_corners(problem, solver, initial, table)
    else:
        whitened, latents, info = _smooth_mode(problem, solver, initial)
    if latents is None:
        latents = unroll(problem, whitened).latents
    value = objective(problem, whitened) + normaliser(problem)
    return InferenceResult(
        latents,
        whitened,
        value,
        info.residual,
        info.converged & jnp.isfinite(value),
        info.iterations,
        info.products,
    )


def _smooth_mode(problem: Problem, solver: Solver, initial: Array):
    """The mode with its derivatives, its latents if they were differentiated separately, and the solver's result."""
    if num_unknowns(problem) > DENSE_TANGENT:
        whitened, info = _implicit_mode(problem, solver, initial)
        return whitened, None, info
    found = solver.minimise(
        jax.lax.stop_gradient(problem), jax.lax.stop_gradient(initial)
    )
    state, own = differentiable(problem, found.whitened)
    whitened = with_derivative_of(found.whitened, own)
    return whitened, latents_from_state(problem, state), found


def _implicit_mode(problem: Problem, solver: Solver, initial: Array):
    """`solver.minimise` with implicit derivatives in whitened coordinates."""

    def stationarity(z: Array) -> Array:
        return jax.grad(objective, argnums=1)(problem, z)

    def solve(_, start: Array):
        found = solver.minimise(jax.lax.stop_gradient(problem), start)
        info = found._replace(whitened=jnp.zeros(()))
        # Auxiliary outputs must be floats: JAX gives them zero tangents.
        return found.whitened, jax.tree.map(lambda x: x.astype(start.dtype), info)

    whitened, info = jax.lax.custom_root(
        stationarity, jax.lax.stop_gradient(initial), solve, solve_tangent, has_aux=True
    )
    return whitened, info._replace(
        converged=info.converged > 0,
        iterations=info.iterations.astype(int),
        products=info.products.astype(int),
    )


def _mode_with_corners(
    problem: Problem,
    solver: Solver,
    initial: Array,
    table: Float[np.ndarray, "free corners"],
):
    """The same where units may lie on corners: those on a corner are pinned, the others differentiated.

    Whitened errors are the solver's own: under a high precision those of the latents would be mostly rounding.
    """
    still = jax.lax.stop_gradient(problem)
    found = solver.minimise(still, jax.lax.stop_gradient(initial))
    place = jax.lax.stop_gradient(at_corners(still, table, found.whitened))
    held = with_pins(problem, place.pins)
    if num_unknowns(held) <= DENSE_TANGENT:
        state, own = differentiable(held, place.whitened)
        latents = latents_from_state(held, state)
        return with_derivative_of(found.whitened, own), latents, found

    def stationarity(z: Array) -> Array:
        return jax.grad(objective, argnums=1)(held, z)

    whitened = jax.lax.custom_root(
        stationarity, place.whitened, lambda _, start: start, solve_tangent
    )
    latents = unroll(held, whitened).latents
    own = whitened_from_latents(problem, latents)
    return with_derivative_of(found.whitened, own), latents, found


def solve_tangent(product, rhs: Float[Array, " free"]) -> Float[Array, " free"]:
    """Solve product(v) = rhs for a symmetric Hessian given as a product.

    NaN if refinement changes the solution by more than `pcmodel.inference.implicit_derivatives.LIMIT` of its norm.
    """
    size = rhs.shape[0]
    if size <= DENSE_TANGENT:
        hessian = jax.vmap(product)(jnp.eye(size, dtype=rhs.dtype))
        hessian = jax.lax.stop_gradient(hessian)
        factors = lu_factor(hessian)

        def direct(_, vector):
            return refined(hessian, lambda b: lu_solve(factors, b), vector)

        return jax.lax.custom_linear_solve(product, rhs, direct, symmetric=True)
    target = 1e-6 if rhs.dtype == jnp.float32 else 1e-11

    def solve(matvec, vector):
        norm = jnp.sqrt(jnp.sum(vector**2))
        first = conjugate_gradient(matvec, vector, target * norm, 4 * size).step
        left = vector - matvec(first)
        rest = CORRECTION * jnp.sqrt(jnp.sum(left**2))
        correction = conjugate_gradient(matvec, left, rest, 4 * size).step
        return right_or_nan(first + correction, correction)

    return jax.lax.custom_linear_solve(product, rhs, solve, symmetric=True)

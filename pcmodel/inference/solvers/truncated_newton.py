r"""One truncated Newton step by a fixed number of conjugate-gradient products, for the E-step of training.

It is a Gauss-Newton step whose linear system $(I + S^\top S)\, d = -g$ is solved by a *fixed*, small number of
products without a convergence loop, so that every minibatch costs the same and compiles to straight-line code
(Dembo & Steihaug 1983, Math Prog 26:190).  The step is taken only if it does not raise the energy.  The residual is
optionally certified (`pcmodel.inference.certificates.newton_decrement`).  For belief experiments use `GaussNewton`.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.certificates.certify import certify
from pcmodel.inference.certificates.newton_decrement import Certificate
from pcmodel.inference.linear.dual_primal import ConjugateGradient
from pcmodel.inference.solvers.options import check_tolerance
from pcmodel.inference.solvers.solver import SolverResult, resolve_tolerance
from pcmodel.inference.whitened import Linearisation, linearise, objective
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count
from pcmodel.model.problem import Problem


@checked_arguments
@dataclass(frozen=True)
class TruncatedNewton:
    """One guarded Gauss-Newton step by `num_products` conjugate-gradient products.

    num_products: conjugate-gradient products of the step.
    tolerance: as for `GaussNewton`; it affects only `converged`.
    measured: whether the result is certified, which costs more than the step; if not (as in training) the residual is
        NaN and `converged` false.
    """

    num_products: Count = 2
    tolerance: float | None = None
    measured: bool = True

    def __post_init__(self):
        check_tolerance(self.tolerance, "TruncatedNewton")

    def minimise(
        self, problem: Problem, initial: Float[Array, " free"]
    ) -> SolverResult:
        """The point one step from `initial` (whitened errors)."""
        lines = linearise(problem, initial)
        step = few_products(lines, self.num_products)
        moved = initial + step
        # A NaN compares as false: the step is rejected.
        lower = objective(problem, moved) <= lines.value
        whitened = jnp.where(lower, moved, initial)
        found = Certificate(jnp.full((), jnp.nan, initial.dtype), jnp.zeros((), bool))
        if self.measured:
            tolerance = resolve_tolerance(self.tolerance, initial.dtype)
            found = certify(
                problem,
                whitened,
                tolerance=tolerance,
                linear_solver=ConjugateGradient(),
            )
        return SolverResult(
            whitened,
            found.residual,
            found.converged,
            jnp.ones((), int),
            jnp.full((), self.num_products, int),
        )


def few_products(lines: Linearisation, num_products: int) -> Float[Array, " free"]:
    """Unrolled conjugate gradients from zero for (I + S'S) d = -g; a zero residual stays zero."""
    residual = -lines.gradient
    direction, step = residual, jnp.zeros_like(residual)
    size = jnp.sum(residual**2)
    for _ in range(num_products):
        image = direction + lines.pull(lines.push(direction))
        curvature = jnp.sum(direction * image)
        length = size / jnp.where(curvature > 0, curvature, 1)
        step = step + length * direction
        residual = residual - length * image
        before, size = size, jnp.sum(residual**2)
        direction = residual + size / jnp.where(before > 0, before, 1) * direction
    return step

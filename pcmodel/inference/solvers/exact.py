r"""The exact solver of a linear-Gaussian hierarchy: one linearisation, one factor.

The energy is then quadratic, $E(z) = E(z_0) + g^\top (z - z_0) + \tfrac12 (z - z_0)^\top (I +
S^\top S)(z - z_0)$, so that a single Newton step from any point reaches the mode.  Without a loop or stopping rule
the result is a plain function of the problem's arrays, which is differentiated directly in forward and reverse mode,
and XLA compiles a hierarchy of one-unit levels to the few scalar operations of its textbook update, as needed for a
filter inside a scan.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inference.certificates.certify import certify
from pcmodel.inference.linear.dual_primal import (
    LinearSolver,
    add_diagonal,
    cheapest_direct,
)
from pcmodel.inference.linear.equation import is_quadratic
from pcmodel.inference.posterior import rows_energy, variances
from pcmodel.inference.solvers.solver import SolverResult, resolve_tolerance
from pcmodel.inference.whitened import linearise, unroll
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.model.energy import state_from_latents
from pcmodel.model.linalg import cholesky, gram, matmul, rows_of, solve_lower, solve_spd
from pcmodel.model.precision import log_det
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents

STEPS = 2
"""Newton steps; the second corrects the rounding of the first."""


class ExactPosterior(NamedTuple):
    """The Gaussian posterior of a linear-Gaussian hierarchy.

    mean: posterior mean, one array per level, bottom first (clamped units: their value).
    variances: marginal posterior variances, one array per level (clamped units: 0).
    log_evidence: log p(data), nats.
    """

    mean: Latents
    variances: Latents
    log_evidence: Float[Array, ""]


@checked_arguments
@dataclass(frozen=True)
class Exact:
    """Direct Newton steps with one factor, for linear-Gaussian networks only.

    linear_solver: a direct one (`Dual()`, `Primal()`, `BlockTridiagonal()`); None: the cheapest.

    Raises UserError for an iterative linear solver and, when traced, for a network with nonlinear predictions or
    discrete data (use `GaussNewton()`).  If precisions are so far apart that the factor is inaccurate, `converged` is
    false and the residual bounds the error.
    """

    linear_solver: LinearSolver | None = None

    def __post_init__(self):
        if self.linear_solver is not None and not self.linear_solver.is_direct:
            raise UserError(
                f"{type(self.linear_solver).__name__} is iterative",
                where="Exact",
                expected="a direct linear solver: Dual(), Primal() or BlockTridiagonal()",
            )

    def minimise(
        self, problem: Problem, initial: Float[Array, " free"]
    ) -> SolverResult:
        """The mode, up to rounding independent of `initial`."""
        _refuse_nonlinear(problem)
        linear = linearise(problem, initial)
        solver = self.linear_solver
        if solver is None:
            solver, _ = cheapest_direct(problem.structure, linear.num_outputs)
        zero = jnp.zeros((), initial.dtype)
        prepared = solver.prepare(problem, initial, linear, zero)
        whitened, gradient = initial, linear.gradient
        for _ in range(STEPS):
            whitened = whitened - prepared.precondition(gradient)
            gradient = linearise(problem, whitened).gradient
        found = certify(
            jax.lax.stop_gradient(problem),
            jax.lax.stop_gradient(whitened),
            tolerance=resolve_tolerance(None, initial.dtype),
        )
        steps = jnp.full((), STEPS, int)
        return SolverResult(
            whitened, found.residual, found.converged, steps, steps * linear.num_outputs
        )

    def posterior(self, problem: Problem) -> ExactPosterior:
        """Mean, variances and log evidence from one linearisation and one factor.

        The results are those of `minimise`, `moments` and `free_energy`, each of which linearises and factors again;
        the factor is always that of I + S'S, whatever `linear_solver` is.
        """
        _refuse_nonlinear(problem)
        structure = problem.structure
        start = jnp.zeros((structure.num_free,), problem.inputs.gains[0].dtype)

        def outcome(whitened: Array) -> tuple[Array, Array, Latents]:
            unrolled = unroll(problem, whitened)
            state = state_from_latents(structure, unrolled.latents)
            return unrolled.rows, state, unrolled.latents

        (rows, _, latents), push = jax.linearize(outcome, start)
        # The rows of the results are columns of S and of T = d state / d whitened.
        outputs, states, _ = rows_of(push, start.shape[0], start.dtype)
        one = jnp.ones((), start.dtype)
        lower = cholesky(add_diagonal(gram(outputs), one))
        whitened = -solve_spd(lower, matmul(outputs, rows))
        left, _, shift = push(whitened)
        curvature = log_det(jnp.diagonal(lower))
        mean = jax.tree.map(jnp.add, latents, shift)
        return ExactPosterior(
            mean,
            variances(problem, solve_lower(lower, states).T, mean),
            -rows_energy(problem, rows + left, curvature) - 0.5 * jnp.sum(whitened**2),
        )


def _refuse_nonlinear(problem: Problem) -> None:
    if not is_quadratic(problem):
        raise UserError(
            "this network is nonlinear or has discrete data",
            where="Exact",
            expected="a linear network with Gaussian data; GaussNewton() solves the others",
        )

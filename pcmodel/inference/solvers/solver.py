"""The interface of solvers and their result.

A solver is a frozen dataclass of options with one method, `minimise(problem, initial)`, that maps whitened errors to
whitened errors.  It raises no error if it fails: the result contains whether it converged, a bound on the distance
from the mode, and the cost.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int

from pcmodel.model.problem import Problem


class SolverResult(NamedTuple):
    """The result of a solver.

    whitened: whitened errors of the free units at the last point.
    residual: bound on the distance from the mode in posterior standard deviations, with an estimate of rounding
        (`pcmodel.inference.certificates.newton_decrement`); half its square bounds the excess energy in nats.
        Infinite where the true Hessian has negative curvature, the energy decreases beside a corner, or it disagrees
        with its quadratic model.
    converged: whether the residual is at most the tolerance or, where rounding ended all progress, at most 0.05 (1e-4
        in float64).
    iterations: number of outer steps.
    products: number of products with the Gauss-Newton Hessian, or of gradients.
    """

    whitened: Float[Array, " free"]
    residual: Float[Array, ""]
    converged: Bool[Array, ""]
    iterations: Int[Array, ""]
    products: Int[Array, ""]


@runtime_checkable
class Solver(Protocol):
    """Finds the mode of a problem."""

    def minimise(
        self, problem: Problem, initial: Float[Array, " free"]
    ) -> SolverResult:
        """The mode, searched from the whitened errors `initial` (zeros are the top-down sweep)."""
        ...


def default_tolerance(dtype: jnp.dtype) -> float:
    """Residual at which inference stops: 1e-3 posterior standard deviations in float32, 1e-9 in float64."""
    return 1e-9 if dtype == jnp.float64 else 1e-3


def resolve_tolerance(tolerance: float | None, dtype: jnp.dtype) -> float:
    """The user's tolerance, or the default of the dtype."""
    return default_tolerance(dtype) if tolerance is None else tolerance

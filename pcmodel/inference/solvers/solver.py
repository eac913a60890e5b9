"""What a solver is, and what it returns.

A solver is a frozen dataclass of options with one method, `minimise(problem, initial)`, that
maps whitened errors to whitened errors.  Failure is data: nothing is raised inside, the result
says whether it converged, how far it may still be, and what it cost.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int

from pcmodel.model.problem import Problem


class SolverResult(NamedTuple):
    """Where a solver stopped.

    residual: how far the answer may be from the mode, posterior standard deviations
        (`pcmodel.inference.certificates.newton_decrement`): measured there; a bound but for rounding, which is
        estimated; half its square is the excess energy in nats.  Infinite where the true
        Hessian has negative curvature, a corner a way down, or the energy beside the point is not as they tell.
    converged: residual at or below the tolerance, or, where rounding ended all progress, at most 0.05 (1e-4 in
        float64).
    iterations: outer steps;  products: products with the Gauss-Newton Hessian, or gradients.
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
        """Descend from `initial` (whitened errors; zeros are the top-down sweep)."""
        ...


def default_tolerance(dtype: jnp.dtype) -> float:
    """Residual at which inference stops: 1e-3 posterior s.d. in float32, 1e-9 in float64."""
    return 1e-9 if dtype == jnp.float64 else 1e-3


def resolve_tolerance(tolerance: float | None, dtype: jnp.dtype) -> float:
    """The user's tolerance, or the default of the dtype."""
    return default_tolerance(dtype) if tolerance is None else tolerance

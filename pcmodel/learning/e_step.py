r"""The E-step: posterior draws, or only the mode.

The M-step of a precision needs $E[e e^\top]$ under the *posterior*.  At the mode hidden errors can shrink to zero,
so that the estimated precision grows without bound: a point estimate can train weights, but not precisions.
`PosteriorSamples` draws from the Gauss-Newton Laplace posterior by perturb-and-solve, which is exact for
linear-Gaussian networks and biased for nonlinear ones.

An E-step may keep a memory between batches: one part per example (such as a Markov chain that continues when the
example is visited again) and one part shared by all examples (such as a step size).
"""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.posterior import whitened_samples
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.start import start_of
from pcmodel.inference.whitened import unroll
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents


class Expectation(NamedTuple):
    """Posterior draws (or the mode) of one example's latents, with diagnostics.

    latents: one array per level, bottom first, each (samples, width).
    residual: of the mode, in posterior standard deviations (see `SolverResult`); NaN where no mode was computed.
    acceptance: mean acceptance probability of a Markov chain's proposals, in [0, 1]; NaN without a chain.
    gradient: gradient of `objective` at a chain's draws, (samples, free), used by `adapt`; () without a chain.
    """

    latents: Latents
    residual: Float[Array, ""]
    acceptance: Float[Array, ""]
    gradient: Any = ()


class Memory(NamedTuple):
    """Memory of an E-step between batches.

    examples: pytree whose leaves have a leading axis over all examples of the data.
    shared: pytree of what all examples share.
    """

    examples: Any = ()
    shared: Any = ()


@runtime_checkable
class EStep(Protocol):
    """Represents the posterior of one example by draws or by its mode.

    learns_precision: whether the expectations may be used to learn precisions.
    """

    learns_precision: ClassVar[bool]

    def init(self, problem: Problem, num_examples: int, key: Array) -> Memory:
        """Memory before the first batch; only the sizes and dtype of `problem` are used."""
        ...

    def expect(
        self, problem: Problem, key: Array, own: Any = (), shared: Any = ()
    ) -> tuple[Expectation, Any]:
        """One example's latents and its new memory, given its memory `own` and the `shared` one."""
        ...

    def adapt(self, shared: Any, batch: Expectation) -> Any:
        """The shared memory after a batch (leaves of `batch` have a leading axis of examples)."""
        ...


class Forgetful:
    """Base of the E-steps without memory."""

    def init(self, problem: Problem, num_examples: int, key: Array) -> Memory:
        """An empty memory."""
        del problem, num_examples, key
        return Memory()

    def adapt(self, shared: Any, batch: Expectation) -> Any:
        """`shared` unchanged."""
        del batch
        return shared


@checked_arguments
@dataclass(frozen=True)
class PosteriorSamples(Forgetful):
    """Draws of the Laplace posterior around the mode, by perturb-and-solve.

    num_samples: draws per example.
    solver: finds the mode.
    """

    num_samples: Count = 1
    solver: Solver = GaussNewton(max_iterations=5, tolerance=1e-2, checked=False)
    learns_precision: ClassVar[bool] = True

    def expect(
        self, problem: Problem, key: Array, own: Any = (), shared: Any = ()
    ) -> tuple[Expectation, Any]:
        """Draws for one example, and its memory unchanged."""
        del shared
        mode = self.solver.minimise(problem, start_of(problem))
        draws = whitened_samples(problem, mode.whitened, key, self.num_samples)
        latents = jax.vmap(lambda z: unroll(problem, z).latents)(draws)
        return Expectation(latents, mode.residual, no_number(mode.residual)), own


@checked_arguments
@dataclass(frozen=True)
class PointEstimate(Forgetful):
    """The mode as the only draw: for learning weights with frozen precisions.

    solver: finds the mode.
    at_sweep: whether inference begins exactly at the top-down sweep, where every error is zero, if every top level
        is clamped as a whole; otherwise it begins a thousandth beside it (`pcmodel.inference.start`). For solvers of few steps:
        levels that no signal has reached then have no gradient, where those of a thousandth are as large a step to
        Adam as any.
    """

    solver: Solver = GaussNewton(max_iterations=5, tolerance=1e-2, checked=False)
    at_sweep: bool = False
    learns_precision: ClassVar[bool] = False

    def expect(
        self, problem: Problem, key: Array, own: Any = (), shared: Any = ()
    ) -> tuple[Expectation, Any]:
        """The mode as a single draw; `key` is not used."""
        del key, shared
        mode = self.solver.minimise(problem, begin_at(problem, self.at_sweep))
        latents = tuple(x[None] for x in unroll(problem, mode.whitened).latents)
        return Expectation(latents, mode.residual, no_number(mode.residual)), own


def begin_at(problem: Problem, at_sweep: bool) -> Float[Array, " free"]:
    """Whitened errors at which inference begins; `at_sweep` as for `PointEstimate`."""
    structure = problem.structure
    free = sum(len(structure.free_units(top)) for top in structure.tops)
    return sweep_start(problem) if at_sweep and not free else start_of(problem)


def sweep_start(problem: Problem) -> Float[Array, " free"]:
    """The state of a top-down sweep in whitened coordinates: every error is zero."""
    return jnp.zeros((problem.structure.num_free,), problem.inputs.gains[0].dtype)


def no_number(like: Array) -> Array:
    """Scalar NaN of the dtype of `like`, for a diagnostic that does not apply."""
    return jnp.full((), jnp.nan, like.dtype)

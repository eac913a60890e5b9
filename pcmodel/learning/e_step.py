r"""The E-step: posterior draws, or only the mode.

The M-step for a precision needs $E[e e^\top]$ under the *posterior*.  At the mode alone hidden errors can be
made zero, the estimate of their precision runs away, and with it the free energy: a point estimate may
train weights, never precisions.  `PosteriorSamples` draws from the Gauss-Newton Laplace
posterior by perturb-and-solve; exact for linear-Gaussian networks, biased for nonlinear ones.

An E-step may remember: what belongs to an example (a chain that goes on when the example comes round again)
and what all share (a step size).
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
    """Latents standing for one example's posterior, and how they were come by.

    latents: each (samples, width).  residual: of the mode, see `SolverResult`; NaN where none was
    sought.  acceptance: of a Markov chain's proposals, in [0, 1]; NaN without one.  gradient: of
    `objective` at a chain's draws, for its adaptation.
    """

    latents: Latents
    residual: Float[Array, ""]
    acceptance: Float[Array, ""]
    gradient: Any = ()


class Memory(NamedTuple):
    """What an E-step carries from batch to batch.

    examples: leaves with a leading axis of all the examples.  shared: anything else.
    """

    examples: Any = ()
    shared: Any = ()


@runtime_checkable
class EStep(Protocol):
    """Finds what stands for the posterior of one example."""

    learns_precision: ClassVar[bool]

    def init(self, problem: Problem, num_examples: int, key: Array) -> Memory:
        """Memory before the first batch; `problem` shows sizes and dtype, its values are not used."""
        ...

    def expect(
        self, problem: Problem, key: Array, own: Any = (), shared: Any = ()
    ) -> tuple[Expectation, Any]:
        """One example's latents and its new memory."""
        ...

    def adapt(self, shared: Any, batch: Expectation) -> Any:
        """The shared memory after a batch (leaves of `batch` have a leading axis)."""
        ...


class Forgetful:
    """The part of an E-step without memory."""

    def init(self, problem: Problem, num_examples: int, key: Array) -> Memory:
        """Nothing."""
        del problem, num_examples, key
        return Memory()

    def adapt(self, shared: Any, batch: Expectation) -> Any:
        """Nothing."""
        del batch
        return shared


@checked_arguments
@dataclass(frozen=True)
class PosteriorSamples(Forgetful):
    """Perturb-and-solve draws around the mode."""

    num_samples: Count = 1
    solver: Solver = GaussNewton(max_iterations=5, tolerance=1e-2, checked=False)
    learns_precision: ClassVar[bool] = True

    def expect(
        self, problem: Problem, key: Array, own: Any = (), shared: Any = ()
    ) -> tuple[Expectation, Any]:
        """Draws for one example."""
        del shared
        mode = self.solver.minimise(problem, start_of(problem))
        draws = whitened_samples(problem, mode.whitened, key, self.num_samples)
        latents = jax.vmap(lambda z: unroll(problem, z).latents)(draws)
        return Expectation(latents, mode.residual, no_number(mode.residual)), own


@checked_arguments
@dataclass(frozen=True)
class PointEstimate(Forgetful):
    """The mode alone: for weights with frozen precisions."""

    solver: Solver = GaussNewton(max_iterations=5, tolerance=1e-2, checked=False)
    learns_precision: ClassVar[bool] = False

    def expect(
        self, problem: Problem, key: Array, own: Any = (), shared: Any = ()
    ) -> tuple[Expectation, Any]:
        """The mode as a single draw; `key` is not used."""
        del key, shared
        mode = self.solver.minimise(problem, start_of(problem))
        latents = tuple(x[None] for x in unroll(problem, mode.whitened).latents)
        return Expectation(latents, mode.residual, no_number(mode.residual)), own


def sweep_start(problem: Problem) -> Float[Array, " free"]:
    """The top-down sweep in whitened coordinates."""
    return jnp.zeros((problem.structure.num_free,), problem.inputs.gains[0].dtype)


def no_number(like: Array) -> Array:
    """NaN of this dtype: a diagnostic that does not apply."""
    return jnp.full((), jnp.nan, like.dtype)

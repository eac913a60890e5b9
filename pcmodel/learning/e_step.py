r"""The E-step: posterior draws, or only the mode.

The M-step for a precision needs $E[e e^\top]$ under the *posterior*.  At the mode alone hidden errors can be
made zero, the estimate of their precision runs away, and with it the free energy: a point estimate may
train weights, never precisions.  `PosteriorSamples` draws from the Gauss-Newton Laplace
posterior by perturb-and-solve; exact for linear-Gaussian networks, biased for nonlinear ones.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.energy import Problem
from pcmodel.inference.gauss_newton import GaussNewton
from pcmodel.inference.infer import infer_one
from pcmodel.inference.posterior import whitened_samples
from pcmodel.inference.solver import Solver
from pcmodel.inference.whitened import unroll
from pcmodel.types import Latents


class Expectation(NamedTuple):
    """Latents standing for one example's posterior, and how well its mode was found.

    latents: each (samples, width).  residual: see `SolverResult`.
    """

    latents: Latents
    residual: Float[Array, ""]


@dataclass(frozen=True)
class PosteriorSamples:
    """Perturb-and-solve draws around the mode."""

    num_samples: int = 1
    solver: Solver = GaussNewton(max_iterations=5, tolerance=1e-2)
    learns_precision: ClassVar[bool] = True

    def expect(self, problem: Problem, key: Array) -> Expectation:
        """Draws for one example."""
        mode = infer_one(problem, self.solver, _sweep_start(problem))
        draws = whitened_samples(problem, mode.whitened, key, self.num_samples)
        latents = jax.vmap(lambda z: unroll(problem, z).latents)(draws)
        return Expectation(latents, mode.residual)


@dataclass(frozen=True)
class PointEstimate:
    """The mode alone: for weights with frozen precisions."""

    solver: Solver = GaussNewton(max_iterations=5, tolerance=1e-2)
    learns_precision: ClassVar[bool] = False

    def expect(self, problem: Problem, key: Array) -> Expectation:
        """The mode as a single draw; `key` is not used."""
        del key
        mode = infer_one(problem, self.solver, _sweep_start(problem))
        return Expectation(
            tuple(latent[None] for latent in mode.latents), mode.residual
        )


EStep = PosteriorSamples | PointEstimate


def _sweep_start(problem: Problem) -> Array:
    return jnp.zeros((problem.structure.num_free,), problem.inputs.gains[0].dtype)

r"""A chain of its own for one problem: many draws of one posterior.

Started from a Laplace draw, with the mode's curvature as its mass, so that a well-determined posterior is nearly
a standard normal in the chain's coordinates.  The step size is tuned to an acceptance in the burn-in
(Robbins & Monro) and fixed from then on, so that what is kept leaves the posterior invariant.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inference.hmc import (
    HmcState,
    hmc_step,
    init_hmc,
    log_step_change,
    potential_of,
    push,
)
from pcmodel.inference.linear.dual_primal import ConjugateGradient
from pcmodel.inference.posterior import whitened_covariance_root
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.start import start_of
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import (
    Count,
    CountOrZero,
    InnerShare,
    Positive,
    ShareBelowOne,
)
from pcmodel.model.problem import Problem

MODE = GaussNewton(
    ConjugateGradient(), max_iterations=20, tolerance=1e-1, checked=False
)
"""No factors: batched ones can wait for each other for ever (`pcmodel.runtime.flags`)."""
LARGEST_ROOT = 1024
"""Free units up to which the mode's curvature is factored; beyond, the mass is the identity."""


class LaplaceGaussian(NamedTuple):
    """The Laplace posterior N(mean, R R') with R upper triangular; root None is the identity."""

    mean: Float[Array, " free"]
    root: Array | None


class HmcChain(NamedTuple):
    """Draws of one chain.  acceptance: mean over what is kept; step_size: in posterior standard deviations."""

    whitened: Float[Array, "samples free"]
    acceptance: Float[Array, ""]
    step_size: Float[Array, ""]


@checked_arguments
@dataclass(frozen=True)
class HmcOptions:
    """How one posterior is sampled.

    burn_in: trajectories before the first draw.  thinning: trajectories from draw to draw.
    num_leapfrog: steps of a trajectory (1: Metropolis-adjusted Langevin).
    step_size: the first, in posterior standard deviations, then tuned to `target_acceptance`.
    """

    burn_in: CountOrZero = 100
    thinning: Count = 2
    num_leapfrog: Count = 6
    step_size: Positive = 0.5
    target_acceptance: InnerShare = 0.8
    jitter: ShareBelowOne = 0.3
    start: Solver = MODE


Sampling = HmcOptions
"""The same under its older name."""


def laplace(
    problem: Problem, solver: Solver, start: Float[Array, " free"] | None = None
) -> LaplaceGaussian:
    """The mode, sought from `start` (by default `start_of`), and a root of the Gauss-Newton covariance there."""
    if start is None:
        start = start_of(problem)
    mode = solver.minimise(problem, start).whitened
    if mode.shape[0] > LARGEST_ROOT or mode.shape[0] == 0:
        return LaplaceGaussian(mode, None)
    return LaplaceGaussian(mode, whitened_covariance_root(problem, mode))


def run_chain(
    problem: Problem,
    key: Array,
    num_samples: int,
    sampling: HmcOptions,
    *,
    start: Float[Array, " free"] | None = None,
) -> HmcChain:
    """Posterior draws of the whitened errors of one problem; its mode is sought from `start` (the sweep)."""
    start_key, burn_key, keep_key = jax.random.split(key, 3)
    around = laplace(problem, sampling.start, start)
    potential, dtype = potential_of(problem), around.mean.dtype
    noise = jax.random.normal(start_key, around.mean.shape, dtype)
    state = init_hmc(potential, around.mean + push(around.root, noise))

    def step(state: HmcState, key: Array, step_size: Array):
        return hmc_step(
            potential,
            key,
            state,
            step_size=step_size,
            num_leapfrog=sampling.num_leapfrog,
            root=around.root,
            jitter=sampling.jitter,
        )

    def tune(carry, inputs):
        (state, log_size), (key, number) = carry, inputs
        state, info = step(state, key, jnp.exp(log_size))
        change = log_step_change(info.acceptance, sampling.target_acceptance, number)
        return (state, log_size + change), None

    def keep(state, keys):
        state, infos = jax.lax.scan(
            lambda state, key: step(state, key, step_size), state, keys
        )
        return state, (state.whitened, jnp.mean(infos.acceptance))

    numbers = jnp.arange(sampling.burn_in, dtype=dtype)
    keys = jax.random.split(burn_key, sampling.burn_in)
    first = (state, jnp.asarray(np.log(sampling.step_size), dtype))
    (state, log_size), _ = jax.lax.scan(tune, first, (keys, numbers))
    step_size = jnp.exp(log_size)
    keys = jax.random.split(keep_key, (num_samples, sampling.thinning))
    _, (draws, acceptance) = jax.lax.scan(keep, state, keys)
    return HmcChain(draws, jnp.mean(acceptance), step_size)

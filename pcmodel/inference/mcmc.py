r"""One Hamiltonian Monte Carlo chain with many draws from the posterior of one problem.

It starts from a Laplace draw, with the curvature at the mode as its mass, so that a well-determined posterior is nearly
standard normal in the chain's coordinates.  The step size is tuned to a target acceptance during burn-in
(Robbins & Monro) and then fixed, so that the transitions between retained draws leave the posterior invariant.
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
"""Solver of the mode, without factorisations: batched ones can deadlock (`pcmodel.runtime.flags`)."""
LARGEST_ROOT = 1024
"""Largest number of free units with a factored mass; it is the identity for more."""


class LaplaceGaussian(NamedTuple):
    """The Laplace posterior N(mean, R R') of the whitened errors.

    mean: the mode.
    root: R, upper triangular, (free, free); None is the identity.
    """

    mean: Float[Array, " free"]
    root: Array | None


class HmcChain(NamedTuple):
    """Draws of one chain.

    whitened: draws of the whitened errors.
    acceptance: mean acceptance probability after the burn-in.
    step_size: tuned step size, in posterior standard deviations.
    """

    whitened: Float[Array, "samples free"]
    acceptance: Float[Array, ""]
    step_size: Float[Array, ""]


@checked_arguments
@dataclass(frozen=True)
class HmcOptions:
    """Options for sampling one posterior.

    burn_in: trajectories before the first draw.
    thinning: trajectories per draw.
    num_leapfrog: leapfrog steps of a trajectory (1: Metropolis-adjusted Langevin).
    step_size: initial step size in posterior standard deviations, then tuned to `target_acceptance`.
    target_acceptance: mean acceptance probability that the step size is tuned to.
    jitter: relative half-width of the random variation of the step size; see `hmc_step`.
    start: solver of the mode at which the chain begins.
    """

    burn_in: CountOrZero = 100
    thinning: Count = 2
    num_leapfrog: Count = 6
    step_size: Positive = 0.5
    target_acceptance: InnerShare = 0.8
    jitter: ShareBelowOne = 0.3
    start: Solver = MODE


Sampling = HmcOptions
"""Former name of `HmcOptions`."""


def laplace(
    problem: Problem, solver: Solver, start: Float[Array, " free"] | None = None
) -> LaplaceGaussian:
    """The mode, searched from `start` (by default `start_of`), and a root of the Gauss-Newton covariance there."""
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
    """Posterior draws of the whitened errors of one problem; its mode is searched from `start` (None: `start_of`)."""
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

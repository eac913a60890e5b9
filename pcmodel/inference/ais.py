r"""The log-likelihood of nonlinear networks by annealed importance sampling.

$p(y) = \int p(y, z)\, dz$ has no closed form where predictions are nonlinear.  Annealed importance sampling (Neal 2001, Stat
Comput 11:125) moves draws of a known Gaussian $q$ to the posterior through

$$ U_\beta = (1 - \beta)\, U_q + \beta\, U, \qquad \log w = \sum_k (\beta_{k+1} - \beta_k)\,(U_q - U)(z_k) , $$

by transitions that leave each $U_\beta$ invariant.  The mean weight is an *unbiased* estimate of p(y) at any number of
steps; its logarithm is below log p(y) on average (a stochastic lower bound), the closer the more steps (Wu, Burda,
Salakhutdinov & Grosse 2017, ICLR).

$q$ is the Laplace posterior, not the prior: U and U_q then differ only by the non-Gaussian part of the posterior, and in
the coordinates w, $z = m + R w$, one step size fits all temperatures.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import logsumexp
from jaxtyping import Float

from pcmodel.inference.hmc import hmc_step, init_hmc, push
from pcmodel.inference.mcmc import MODE, LaplaceGaussian, laplace
from pcmodel.inference.posterior import row_log_det
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.whitened import objective, unroll
from pcmodel.model.precision import LOG_TWO_PI
from pcmodel.model.problem import Problem

STEP_SIZE = 0.5
"""Step size of the transitions, in posterior standard deviations; fixed, so that the estimate is unbiased."""


class Annealed(NamedTuple):
    """An estimate by annealed importance sampling.

    log_likelihood: log of the mean weight, nats.
    effective_sample_size: of the weights, from 1 to the number of particles.
    acceptance: mean acceptance probability over all transitions.
    """

    log_likelihood: Float[Array, ""]
    effective_sample_size: Float[Array, ""]
    acceptance: Float[Array, ""]


def annealed_log_likelihood(
    problem: Problem,
    key: Array,
    *,
    num_steps: int,
    num_particles: int,
    num_leapfrog: int = 2,
    solver: Solver = MODE,
    start: Callable[[Problem], LaplaceGaussian] | None = None,
) -> Annealed:
    """Log likelihood of the clamped values of one problem.

    num_steps: temperatures after the first.
    num_particles: independent annealing runs.
    num_leapfrog: leapfrog steps of each transition.
    solver: finds the mode.
    start: function of the problem that returns q; None: the Laplace posterior at the mode.
    """
    around = (start or partial(laplace, solver=solver))(problem)
    dtype = around.mean.dtype
    # The usual sigmoid schedule: finer at both ends.
    ramp = jax.nn.sigmoid(jnp.linspace(-4, 4, num_steps + 1).astype(dtype))
    betas = (ramp - ramp[0]) / (ramp[-1] - ramp[0])

    def target(point: Array) -> Array:
        return objective(problem, around.mean + push(around.root, point))

    def gap(point: Array) -> Array:
        return 0.5 * jnp.sum(point**2) - target(point)

    def particle(key: Array) -> tuple[Array, Array]:
        start_key, move_key = jax.random.split(key)
        point = jax.random.normal(start_key, around.mean.shape, dtype)

        def step(carry, inputs):
            point, log_weight = carry
            key, before, after = inputs
            log_weight = log_weight + (after - before) * gap(point)

            def between(at: Array) -> Array:
                return 0.5 * jnp.sum(at**2) - after * gap(at)

            state, info = hmc_step(
                between,
                key,
                init_hmc(between, point),
                step_size=STEP_SIZE,
                num_leapfrog=num_leapfrog,
                jitter=0.5,
            )
            return (state.whitened, log_weight), info.acceptance

        keys = jax.random.split(move_key, num_steps)
        first = (point, jnp.zeros((), dtype))
        (_, log_weight), acceptance = jax.lax.scan(
            step, first, (keys, betas[:-1], betas[1:])
        )
        return log_weight, jnp.mean(acceptance)

    weights, acceptance = jax.vmap(particle)(jax.random.split(key, num_particles))
    log_mean = logsumexp(weights) - jnp.log(jnp.asarray(num_particles, dtype))
    size = jnp.exp(2 * logsumexp(weights) - logsumexp(2 * weights))
    value = log_mean + log_root_det(around) + log_constant(problem, around.mean)
    return Annealed(value, size, jnp.mean(acceptance))


def log_root_det(around: LaplaceGaussian) -> Float[Array, ""]:
    """log det R, the Jacobian term of the change to coordinates w."""
    if around.root is None:
        return jnp.zeros((), around.mean.dtype)
    return jnp.sum(jnp.log(jnp.diagonal(around.root)))


def log_constant(problem: Problem, whitened: Array) -> Float[Array, ""]:
    """Log normaliser of the rows, added to log p because `objective` omits it, nats; the prior's cancels with q's."""
    rows = unroll(problem, whitened).rows.shape[0]
    return 0.5 * (row_log_det(problem) - rows * LOG_TWO_PI)


def prior(problem: Problem) -> LaplaceGaussian:
    """The prior of the whitened errors as q, for comparison: many more steps are needed."""
    return LaplaceGaussian(
        jnp.zeros((problem.structure.num_free,), problem.inputs.gains[0].dtype), None
    )

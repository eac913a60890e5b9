"""Hamiltonian Monte Carlo: the trajectory is another library's, the draws are the posterior's."""

from functools import partial

import blackjax.mcmc.integrators as integrators
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from blackjax.mcmc import hmc as blackjax_hmc
from blackjax.mcmc import metrics
from flax import nnx
from hierarchies import network_of, random_hierarchy
from oracles import KnownUnits, exact_posterior

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.hmc import (
    hmc_step,
    init_hmc,
    leapfrog,
    log_step_change,
    potential_of,
)
from pcmodel.inference.mcmc import HmcOptions, laplace, run_chain
from pcmodel.inference.posterior import hessian_factor
from pcmodel.inference.whitened import linearise, unroll


def tanh_problem(seed=0):
    """A posterior that is not Gaussian, and how many units are free."""
    network = pcmodel.dense(
        (4, 3, 2), precisions=(5.0, 2.0, 1.0), scale=1.5, rngs=nnx.Rngs(seed)
    )
    data = np.random.default_rng(seed).normal(size=4)
    return pose(network, data).problem


@pytest.mark.parametrize("metric", ["identity", "diagonal", "full"])
def test_trajectory_and_acceptance_are_blackjax_s(metric):
    """Prevents a wrong half step, a momentum in the wrong metric, a wrong acceptance.

    BlackJAX holds the momentum R^-T p under the inverse mass R R'.
    """
    rng = np.random.default_rng(3)
    potential = potential_of(tanh_problem())
    full = 0.3 * np.triu(rng.normal(size=(5, 5))) + np.eye(5)
    root = {"identity": None, "diagonal": rng.uniform(1, 2, 5), "full": full}[metric]
    root = None if root is None else jnp.asarray(root)
    matrix = np.eye(5) if root is None else np.asarray(root)
    matrix = np.diag(matrix) if matrix.ndim == 1 else matrix
    key, start = jax.random.key(1), jnp.asarray(rng.normal(size=5))
    _, info = hmc_step(
        potential,
        key,
        init_hmc(potential, start),
        step_size=0.05,
        num_leapfrog=7,
        root=root,
    )
    momentum = jax.random.normal(jax.random.split(key, 3)[0], (5,))

    def density(z):
        return -potential(z)

    theirs = metrics.gaussian_euclidean(jnp.asarray(matrix @ matrix.T))
    kinetic = theirs.kinetic_energy
    begin = integrators.IntegratorState(
        start,
        jnp.asarray(np.linalg.solve(matrix.T, momentum)),
        *jax.value_and_grad(density)(start),
    )
    step = integrators.velocity_verlet(density, kinetic)
    end = begin
    for _ in range(7):
        end = step(end, 0.05)
    ours = leapfrog(
        potential,
        init_hmc(potential, start)._replace(momentum=momentum),
        step_size=0.05,
        num_leapfrog=7,
        root=root,
    )
    np.testing.assert_allclose(ours.whitened, end.position, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(
        ours.momentum, matrix.T @ end.momentum, rtol=1e-11, atol=1e-12
    )
    proposal = blackjax_hmc.hmc_proposal(step, kinetic, 0.05, 7)
    _, expected, *_ = proposal(jax.random.key(0), begin)
    rate = getattr(expected, "acceptance_rate", expected)
    np.testing.assert_allclose(info.acceptance, rate, rtol=1e-10)
    assert abs(info.energy_error) > 1e-3
    np.testing.assert_allclose(
        info.acceptance, np.minimum(1, np.exp(-info.energy_error)), rtol=1e-12
    )


def test_a_trajectory_runs_back_to_where_it_came_from():
    """Prevents an integrator that is not reversible, and with it a wrong posterior."""
    potential = potential_of(tanh_problem())
    start = init_hmc(potential, jnp.arange(5.0) / 3)._replace(momentum=jnp.ones(5))
    run = partial(leapfrog, potential, step_size=0.1, num_leapfrog=9)
    end = run(start)
    back = run(end._replace(momentum=-end.momentum))
    np.testing.assert_allclose(back.whitened, start.whitened, atol=1e-12)
    assert np.abs(end.whitened - start.whitened).max() > 0.5


def chain_of(potential, start, num_steps, **options):
    """Draws of one chain, (steps, free), and the mean acceptance."""

    @jax.jit
    def run(state, keys):
        def step(state, key):
            state, info = hmc_step(potential, key, state, **options)
            return state, (state.whitened, info.acceptance)

        return jax.lax.scan(step, state, keys)[1]

    keys = jax.random.split(jax.random.key(0), num_steps)
    draws, acceptance = run(init_hmc(potential, start), keys)
    return np.asarray(draws), float(acceptance.mean())


def standard_error(values):
    """Of the mean of a chain, from the means of 40 batches of it."""
    batches = values[: len(values) // 40 * 40].reshape(40, -1, *values.shape[1:])
    return batches.mean(axis=1).std(axis=0, ddof=1) / np.sqrt(40)


OPTIONS = {
    "trajectories": dict(step_size=0.5, num_leapfrog=4, jitter=0.3),
    "Langevin": dict(step_size=0.7, num_leapfrog=1),
    "underdamped": dict(step_size=0.5, num_leapfrog=1, persistence=0.8),
    "preconditioned": dict(
        step_size=0.6, num_leapfrog=4, jitter=0.2, root=jnp.asarray([0.8])
    ),
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_a_skewed_target_is_sampled_with_its_skewness(kind):
    """Prevents a direction reversed, or a rejection not counted: a symmetric target shows neither.

    log of a Gamma(3) variable: mean digamma(3), variance trigamma(3), third moment polygamma(2, 3).
    """
    potential = lambda z: jnp.sum(jnp.exp(z) - 3 * z)  # noqa: E731
    draws, acceptance = chain_of(potential, jnp.ones(1), 20_000, **OPTIONS[kind])
    assert 0.5 < acceptance < 0.999
    centred = draws[:, 0] - 0.9227843351
    for power, exact in ((1, 0.0), (2, 0.3949340668), (3, -0.1541138063)):
        values = centred**power
        assert abs(values.mean() - exact) < 4 * standard_error(values), power
        assert standard_error(values) < 0.03


@pytest.mark.slow
def test_draws_have_the_moments_of_a_linear_hierarchy():
    """Prevents whitened draws, or the latents made of them, from another posterior.

    Every mean, variance and covariance within 4.5 of the chain's own standard errors.
    """
    rng = np.random.default_rng(4)
    hierarchy = random_hierarchy(rng, (3, 2, 2), ("unit", "full", "scalar"))
    data = rng.normal(size=3)
    problem = pose(network_of(hierarchy), data).problem
    exact = exact_posterior(hierarchy, [KnownUnits(0, np.arange(3), data)])

    @jax.jit
    def draw(key):
        chain = run_chain(problem, key, 8000, HmcOptions(thinning=1))
        latents = jax.vmap(lambda z: unroll(problem, z).latents)(chain.whitened)
        return jnp.concatenate(latents, axis=1), chain.acceptance

    draws, acceptance = draw(jax.random.key(2))
    assert 0.7 < acceptance < 0.95
    centred = np.asarray(draws)[:, 3:] - exact.mean[3:]
    products = centred[:, :, None] * centred[:, None, :]
    assert np.all(np.abs(centred.mean(axis=0)) < 4.5 * standard_error(centred))
    off = products.mean(axis=0) - exact.covariance[3:, 3:]
    assert np.all(np.abs(off) < 4.5 * standard_error(products))
    assert np.all(
        standard_error(centred) < 0.05 * np.sqrt(np.diag(exact.covariance)[3:])
    )


def test_a_hopeless_step_is_rejected_and_called_a_divergence():
    """Prevents a NaN from entering a chain that goes on for hours."""
    potential = potential_of(tanh_problem())
    start = init_hmc(potential, jnp.zeros(5))
    state, info = hmc_step(
        potential, jax.random.key(0), start, step_size=1e200, num_leapfrog=5
    )
    assert info.diverged and info.acceptance == 0
    np.testing.assert_array_equal(state.whitened, start.whitened)


def test_the_root_of_the_laplace_posterior_is_that_of_its_covariance():
    """Prevents a transposed root: sampling would still be right, and slow."""
    problem = tanh_problem()
    around = laplace(problem, pcmodel.GaussNewton())
    factor = hessian_factor(linearise(problem, around.mean))
    inverse = np.linalg.inv(factor @ factor.T)
    np.testing.assert_allclose(around.root @ around.root.T, inverse, rtol=1e-9)


@pytest.mark.parametrize(
    "options", [{"thinning": 0}, {"step_size": -1.0}, {"jitter": 1.0}, {"burn_in": -1}]
)
def test_options_that_cannot_work_are_refused(options):
    """Prevents a chain that silently stands still."""
    with pytest.raises(pcmodel.UserError, match=next(iter(options))):
        HmcOptions(**options)


def test_a_step_grows_where_more_is_accepted_than_wanted_and_ever_more_slowly():
    """Prevents steps that move away from the acceptance wanted, and a gain that never falls."""
    changes = [log_step_change(0.9, 0.8, number) for number in (0, 15, 120)]
    np.testing.assert_allclose(changes, [0.05, 0.025, 0.01])
    slower = log_step_change(np.array([0.5]), 0.9, np.float64(3), first=2, settling=1)
    np.testing.assert_allclose(slower, [-0.4])

"""Perturb-and-solve draws are the same whichever solve makes them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import random_hierarchy
from oracles import KnownUnits, exact_posterior

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import posterior
from pcmodel.inference.linear.block_tridiagonal import BlockTridiagonal
from pcmodel.inference.linear.dual_primal import ConjugateGradient, Dual, Primal


def test_every_linear_solver_makes_the_same_draws():
    """Prevents samples of wide networks, which take conjugate gradients, from another posterior.

    Equal keys perturb alike; the system solved is the same.
    """
    network = pcmodel.dense((4, 3, 2), precisions=(50.0, 1.0, 0.2), rngs=nnx.Rngs(0))
    problem = pose(network, np.asarray([1.0, -2.0, 0.5, 0.1])).problem
    at = jnp.asarray([0.3, -0.2, 1.0, 0.4, -0.7])

    @jax.jit
    def all_draws(key):
        solvers = (Dual(), Primal(), ConjugateGradient(), BlockTridiagonal())
        return [
            posterior.whitened_samples(problem, at, key, 5, linear_solver=solver)
            for solver in solvers
        ]

    first, *others = all_draws(jax.random.key(3))
    assert np.std(first, axis=0).min() > 0.01
    for draws in others:
        np.testing.assert_allclose(draws, first, rtol=1e-6, atol=1e-7)


def test_draws_move_with_what_their_belief_moves_with():
    """Prevents draws without a derivative: their solve corrects itself in a loop that has no reverse.

    One unit of precision 3, observed with precision 5: each draw moves with the observation by 5 / 8.
    """
    network = pcmodel.linear_gaussian([np.ones((1, 1))], [5.0, 3.0])

    @jax.jit
    @jax.value_and_grad
    def second(observed):
        draws = pcmodel.posterior(network, observed[None]).sample(jax.random.key(0), 3)
        return draws[-1][1, 0]

    (low, slope), (high, _) = second(jnp.asarray(0.4)), second(jnp.asarray(1.4))
    np.testing.assert_allclose(slope, 5 / 8, rtol=1e-9)
    np.testing.assert_allclose(high - low, 5 / 8, rtol=1e-9)


@pytest.mark.slow
def test_a_wide_network_s_evidence_by_lanczos_is_the_exact_one(monkeypatch):
    """Prevents the evidence of networks too wide for a factor from an offset: within four standard errors.

    A linear hierarchy 3-2-2, the estimate's own error from 400 keys.
    """
    rng = np.random.default_rng(0)
    hierarchy = random_hierarchy(rng, (3, 2, 2), ("scalar", "unit", "scalar"))
    network = pcmodel.linear_gaussian(
        hierarchy.weights,
        hierarchy.precisions,
        biases=hierarchy.biases,
        prior_mean=hierarchy.prior_mean,
    )
    data = rng.normal(size=3)
    problem = pose(network, data).problem
    mode = pcmodel.infer(network, data).whitened
    exact = exact_posterior(hierarchy, [KnownUnits(0, np.arange(3), data)])
    monkeypatch.setattr(posterior, "DIRECT_LOG_DET", 0)
    keys = jax.random.split(jax.random.key(0), 400)
    found = np.asarray(
        jax.jit(jax.vmap(lambda key: -posterior.free_energy(problem, mode, key=key)))(
            keys
        )
    )
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert 0 < error < 0.05
    assert abs(found.mean() - exact.log_evidence) < 4 * error

"""The Laplace posterior says where it is wrong, is corrected where it may be, and names what to use elsewhere.

One latent unit, six bits seen through its tanh: the truth is an integral on a grid.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import network_of, random_hierarchy

import pcmodel
from pcmodel.inference.importance.weights import weigh

KEY = jax.random.key(0)
BITS = np.array([1.0, 0, 1, 1, 0, 0])
LAYER = pcmodel.Dense(1, 6, scale=3.0, rngs=nnx.Rngs(1))


def saturating(precision):
    """The vaguer the belief, the more of it lies where tanh is flat, far from the mode."""
    return pcmodel.Network(
        [LAYER],
        (6, 1),
        log_precisions=[None, float(np.log(precision))],
        likelihood=pcmodel.Bernoulli(),
    )


def by_integration(precision):
    """log evidence, mean and variance of the latent unit."""
    grid = np.linspace(-80, 80, 400_001)
    logits = np.tanh(grid)[:, None] * np.asarray(LAYER.weight[...])[:, 0]
    logs = np.sum(BITS * logits - np.logaddexp(0, logits), axis=1)
    logs += 0.5 * np.log(precision / (2 * np.pi)) - 0.5 * precision * grid**2
    weights = np.exp(logs - logs.max())
    evidence = np.log(weights.sum() * (grid[1] - grid[0])) + logs.max()
    mean = weights @ grid / weights.sum()
    return evidence, mean, weights @ (grid - mean) ** 2 / weights.sum()


def test_where_k_allows_the_evidence_and_moments_are_corrected():
    """Prevents weights upside down, a constant lost, or an error that is not one."""
    found = pcmodel.posterior(saturating(10.0), BITS)
    told = found.diagnose(KEY, 4000)
    evidence, mean, variance = by_integration(10.0)
    assert told.trusted and told.advice is None and 0.5 < told.effective_share < 1
    assert 0 < told.log_evidence_error < 0.01
    assert abs(told.log_evidence - evidence) < 4 * told.log_evidence_error
    assert abs(found.log_evidence - evidence) > 2 * told.log_evidence_error
    assert abs(told.mean[1][0] - mean) < 4 * told.mean_errors[1][0]
    assert 0 < told.mean_errors[1][0] < 0.1 * np.sqrt(variance)
    np.testing.assert_allclose(told.variances[1][0], variance, rtol=0.08)
    np.testing.assert_allclose(told.covariance("top", 1), told.variances[1][:, None])
    np.testing.assert_array_equal(told.mean[0], BITS)
    assert "Pareto k" in str(told) and "limit 0.70" in str(told)


def test_above_the_limit_it_names_the_sampler_which_is_right_there():
    """Laplace: evidence a nat off, variance 0.18 instead of 7.2; nothing corrected is shown."""
    network = saturating(0.05)
    found = pcmodel.posterior(network, BITS)
    told = found.diagnose(KEY, 4000)
    evidence, mean, variance = by_integration(0.05)
    assert abs(found.log_evidence - evidence) > 1
    assert found.variances[1][0] < 0.1 * variance
    assert not told.trusted and told.pareto_shape > told.limit
    assert "pcmodel.sample_posterior" in told.advice and told.advice in str(told)
    assert np.isnan(told.log_evidence) and np.isnan(told.variances[1]).all()
    draws = pcmodel.sample_posterior(network, BITS, key=KEY)
    assert draws.mixed and draws.advice is None
    spread = np.sqrt(variance / draws.effective_size)
    assert abs(draws.mean[1][0] - mean) < 4 * spread
    np.testing.assert_allclose(draws.variances[1][0], variance, rtol=0.15)
    assert draws.latents[1].shape == (4, 1000, 1) and draws.latents[0].shape[-1] == 6


def test_a_linear_network_whose_mode_was_not_found_is_not_exact():
    """Prevents -45,001 +- 0 nats where it is -5.4."""
    network = pcmodel.linear_gaussian([np.ones((1, 1))], [1e4, 1.0])
    nowhere = pcmodel.GaussNewton(max_iterations=0)
    found = pcmodel.posterior(network, np.array([3.0]), solver=nowhere)
    told = found.diagnose(jax.random.key(0))
    assert not told.is_exact and not told.trusted and np.isnan(told.log_evidence)


def test_a_linear_network_is_exact_and_nothing_is_drawn():
    """k below every limit, and the numbers of the posterior itself to the last bit."""
    rng = np.random.default_rng(0)
    hierarchy = random_hierarchy(rng, (3, 2, 2), ("scalar", "unit", "full"))
    found = pcmodel.posterior(network_of(hierarchy), rng.normal(size=3))
    told = found.diagnose(KEY)
    assert told.is_exact and told.trusted and told.pareto_shape == -np.inf
    assert told.effective_share == 1 and told.log_evidence_error == 0
    np.testing.assert_array_equal(told.log_evidence, found.log_evidence)
    np.testing.assert_array_equal(told.variances[2], found.variances[2])
    np.testing.assert_array_equal(told.covariance(1, 2), found.covariance(1, 2))
    assert "exact" in str(told)


def test_defensive_draws_widen_from_the_posterior_to_the_prior():
    """In turn: evidence of precision 100 tempered to 101^(-k / 4) of it, the last of them none; the density knows all."""
    from pcmodel.api.pose import pose
    from pcmodel.inference.importance.laplace_ratios import NUM_TEMPERED, mixture_draws

    network = pcmodel.linear_gaussian([np.eye(1)], [100.0, 1.0])
    problem = pose(network, np.ones(1)).problem
    size = 20_000
    drawn = mixture_draws(problem, jnp.full(1, 100 / 101), KEY, size)
    defensive = drawn.whitened[size:].reshape(-1, NUM_TEMPERED)
    evidence = 100 * np.array([*(101.0 ** (-np.arange(1, 5) / 4)), 0.0])
    np.testing.assert_allclose(defensive.var(axis=0), 1 / (1 + evidence), rtol=0.1)
    means = evidence / (1 + evidence)
    error = 4 * np.sqrt(NUM_TEMPERED / size / (1 + evidence))
    assert np.all(np.abs(defensive.mean(axis=0) - means) < error)
    # Relative to N(1, 1 / 101) at its mode, half of all own draws.
    points = np.asarray(drawn.whitened)
    shares = np.array([0.5, *np.full(NUM_TEMPERED, 0.5 / NUM_TEMPERED)])
    precisions, centres = 1 + np.array([100, *evidence]), np.array([100 / 101, *means])
    logs = -0.5 * precisions * (points - centres) ** 2 + 0.5 * np.log(precisions / 101)
    np.testing.assert_allclose(drawn.mixture, np.log(np.exp(logs) @ shares), rtol=1e-9)
    # A single draw has a single one beside it, of the first kind.
    single = mixture_draws(problem, jnp.full(1, 100 / 101), KEY, 1)
    points = np.asarray(single.whitened)
    logs = -0.5 * precisions * (points - centres) ** 2 + 0.5 * np.log(precisions / 101)
    expected = np.log(np.exp(logs[:, :2]) @ [0.5, 0.5])
    np.testing.assert_allclose(single.mixture, expected, rtol=1e-9)


@pytest.mark.slow
def test_ratios_of_a_linear_network_are_constant():
    """Own draws, and the mixture's, against the closed form: nothing to correct, k of no tail."""
    from pcmodel.api.pose import pose
    from pcmodel.inference.importance.laplace_ratios import importance_draws
    from pcmodel.inference.infer import infer_one

    rng = np.random.default_rng(0)
    hierarchy = random_hierarchy(rng, (3, 2, 2), ("scalar", "unit", "full"))
    problem = pose(network_of(hierarchy), rng.normal(size=3)).problem
    mode = infer_one(problem, pcmodel.GaussNewton(), jnp.zeros(4)).whitened
    drawn = jax.jit(importance_draws, static_argnums=3)(problem, mode, KEY, 2000)
    np.testing.assert_allclose(drawn.own, 0, atol=1e-9)
    weighed = weigh(np.asarray(drawn.log_ratios)[None])
    assert abs(weighed.log_mean[0]) < 4 * weighed.error[0] < 0.1


@pytest.mark.slow
def test_a_second_mode_is_found_by_looking_elsewhere():
    """The square of a unit is seen: its sign is not. Ratios around one root are perfect, and half the evidence is gone."""
    layer = pcmodel.Dense(1, 1, activation=jnp.square, rngs=nnx.Rngs(0))
    layer.weight[...] = jnp.ones((1, 1))
    network = pcmodel.Network(
        [layer], (1, 1), log_precisions=[float(np.log(400.0)), 0.0]
    )
    network.prior_mean[...] = jnp.full((1,), 0.01)
    found = pcmodel.posterior(network, np.full(1, 4.0))
    told = found.diagnose(KEY)
    np.testing.assert_allclose(told.shares.elsewhere, 1.0, atol=0.1)
    assert not told.trusted and "another mode" in told.advice
    draws = pcmodel.sample_posterior(network, np.full(1, 4.0), key=KEY, num_chains=6)
    assert not draws.mixed and draws.rhat > 1.5 and "do not agree" in draws.advice


@pytest.mark.slow
def test_a_batch_is_diagnosed_example_by_example():
    """Prevents one example's weights from being another's, and parts of a batch from being lost."""
    data = np.stack([BITS, 1 - BITS, np.ones(6)])
    network = saturating(10.0)
    told = pcmodel.posterior(network, data).diagnose(KEY, 4000)
    assert told.pareto_shape.shape == (3,) and told.mean[1].shape == (3, 1)
    assert told.covariance(1, 1).shape == (3, 1, 1)
    for index in range(3):
        alone = pcmodel.posterior(network, data[index]).diagnose(KEY, 4000)
        error = 6 * (alone.log_evidence_error + told.log_evidence_error[index])
        assert abs(alone.log_evidence - told.log_evidence[index]) < error
    draws = pcmodel.sample_posterior(network, data, key=KEY, num_samples=400)
    assert draws.rhat.shape == (3,) and draws.latents[1].shape == (3, 4, 400, 1)
    np.testing.assert_allclose(draws.mean[1], told.mean[1], atol=0.1)


def test_a_tempered_likelihood_has_no_corrected_evidence_either():
    modulation = pcmodel.Modulation({0: 0.5})
    found = pcmodel.posterior(saturating(10.0), BITS, modulation=modulation)
    told = found.diagnose(KEY, 4000)
    with pytest.raises(pcmodel.UserError, match="tempered"):
        _ = told.log_evidence
    assert np.isfinite(told.variances[1]).all()


def test_what_cannot_be_diagnosed_or_drawn_is_said_in_a_sentence():
    found = pcmodel.posterior(saturating(10.0), BITS)
    with pytest.raises(pcmodel.UserError, match="at least 25"):
        found.diagnose(KEY, 10)
    with pytest.raises(pcmodel.UserError, match="cannot run inside jit"):
        jax.jit(lambda key: found.diagnose(key).pareto_shape)(KEY)
    draw = pcmodel.sample_posterior
    with pytest.raises(
        pcmodel.UserError, match="num_chains must be a whole number, at least 2"
    ):
        draw(saturating(1.0), BITS, key=KEY, num_chains=1)
    with pytest.raises(pcmodel.UserError, match="cannot run inside jit"):
        jax.jit(lambda key: draw(saturating(1.0), BITS, key=key).rhat)(KEY)
    with pytest.raises(pcmodel.UserError, match="every unit is clamped"):
        draw(saturating(1.0), BITS, key=KEY, clamp={1: np.zeros(1)})


def test_weights_are_the_ratios_normalised_and_nothing_else():
    """Light tails by hand; a ratio that is no number is never trusted, one that is nothing weighs nothing."""
    logs = np.log(np.random.default_rng(0).uniform(1, 2, size=(1, 4000)))
    logs = np.concatenate([logs, logs + 300.0, logs, logs])
    logs[2, 7] = np.nan
    logs[3, 7] = -np.inf
    weighed = weigh(logs)
    assert np.all(weighed.shape[[0, 1, 3]] < 0) and weighed.shape[2] == np.inf
    plain = np.exp(logs[0])
    np.testing.assert_allclose(weighed.log_mean[0], np.log(plain.mean()), atol=1e-3)
    np.testing.assert_allclose(weighed.log_mean[1] - weighed.log_mean[0], 300.0)
    share = plain.sum() ** 2 / np.sum(plain**2) / 4000
    np.testing.assert_allclose(weighed.share[0], share, rtol=1e-3)
    np.testing.assert_allclose(weighed.weights.sum(axis=1), 1.0)
    error = plain.std() / plain.mean() / np.sqrt(4000)
    np.testing.assert_allclose(weighed.error[0], error, rtol=0.02)
    assert weighed.weights[3, 7] < 1e-200 and weighed.share[2] == 0


def squared(means):
    """Units of these prior means whose squares are seen, y = 1, with precision 4."""
    size = len(means)
    layer = pcmodel.Dense(size, size, activation=jnp.square, rngs=nnx.Rngs(0))
    layer.weight[...] = jnp.eye(size)
    network = pcmodel.Network(
        [layer], (size, size), log_precisions=[float(np.log(4.0)), 0.0]
    )
    network.prior_mean[...] = jnp.asarray(means)
    return network


@pytest.mark.parametrize("mean", [0.1, 3.0])
def test_other_modes_count_by_their_evidence_and_the_same_one_not_at_all(mean):
    """Stationary where 8 x (x^2 - 1) + x - m = 0: two modes of m = 0.1, one of m = 3, by polynomial roots.

    A second unit, with one mode, stands beside.
    """
    from pcmodel.api.pose import pose
    from pcmodel.inference.importance.laplace_ratios import elsewhere
    from pcmodel.inference.infer import infer_one

    problem = pose(squared([mean, 3.0]), np.ones(2)).problem
    solver = pcmodel.GaussNewton()
    mode = infer_one(problem, solver, jnp.ones(2)).whitened
    roots = np.roots([8.0, 0.0, -7.0, -mean]).astype(complex)
    real = np.sort(roots.real[np.abs(roots.imag) < 1e-9])
    modes = real[24 * real**2 - 7 > 0]
    assert float(mode[0]) == pytest.approx(modes[-1] - mean, rel=1e-6)
    energies = 2 * (modes**2 - 1) ** 2 + (modes - mean) ** 2 / 2
    # By Laplace with the Gauss-Newton curvature 1 + 4 (2 x)^2.
    evidence = np.exp(-energies) / np.sqrt(1 + 16 * modes**2)
    expected = evidence[0] / evidence[1] if len(modes) > 1 else 0.0
    found = elsewhere(problem, mode, KEY, solver, 8)
    assert float(found) == pytest.approx(expected, rel=1e-6)
    assert (expected > 0) == (mean < 1)

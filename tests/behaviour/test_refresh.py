"""Jumps leave the posterior as it is, and carry people between its modes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm

from pcmodel.behaviour.refresh import (
    draw_kernels,
    fit_kernels,
    kernel_log_density,
    refresh_people,
)

MODES = np.array([[-4.0, 4.0], [-3.0, 5.0]])  # (participants, modes)
SHARES = np.array([[0.8, 0.2], [0.4, 0.6]])


@pytest.fixture
def kernels():
    """Pilot draws that found both modes, each as often as the other."""
    rng = np.random.default_rng(0)
    picks = np.arange(100) % 2
    return fit_kernels(MODES[:, picks].T[:, None, :] + rng.normal(size=(100, 1, 2)))


def log_density(places):
    """Two unit normals for each participant."""
    terms = jnp.log(SHARES) + norm.logpdf(places[0][:, None], MODES)
    return jax.nn.logsumexp(terms, axis=1)


def test_modes_get_the_weight_of_the_posterior_not_of_the_proposal(kernels, getkey):
    """Prevents chains from reporting the modes as often as they were started in them."""

    def chain(key):
        def step(places, key):
            places, moved = refresh_people(key, places, kernels, log_density)
            return places, (places[0], moved)

        start = jnp.asarray(MODES[:, 0])[None]
        return jax.lax.scan(step, start, jax.random.split(key, 300))[1]

    places, moved = jax.jit(jax.vmap(chain))(jax.random.split(getkey(), 100))
    kept = np.asarray(places)[:, 50:]
    middle = MODES.mean(axis=1)
    share = (kept < middle).mean(axis=(0, 1))
    np.testing.assert_allclose(share, SHARES[:, 0], atol=0.02)
    below = np.where(kept < middle, kept, np.nan)
    np.testing.assert_allclose(np.nanmean(below, axis=(0, 1)), MODES[:, 0], atol=0.05)
    np.testing.assert_allclose(np.nanstd(below, axis=(0, 1)), 1.0, atol=0.05)
    assert np.asarray(moved).mean() > 0.1


def test_density_is_that_of_the_draws(kernels, getkey):
    """Prevents a Metropolis ratio with another density than the one drawn from."""
    keys = jax.random.split(getkey(), 20000)
    draws = np.asarray(jax.vmap(draw_kernels, (0, None))(keys, kernels))[:, 0]
    grid = jnp.linspace(-15.0, 15.0, 601)
    density = np.exp(
        jax.vmap(lambda x: kernel_log_density(kernels, jnp.stack([x, x])[None]))(grid)
    )
    density /= density.sum(axis=0) * 0.05
    for person in range(2):
        counts, _ = np.histogram(draws[:, person], bins=np.arange(-15.025, 15.1, 1.0))
        blocks = density[: 20 * len(counts), person].reshape(-1, 20).sum(axis=1) * 0.05
        np.testing.assert_allclose(counts / 20000, blocks, atol=0.012)


def test_a_place_of_no_density_is_never_taken(kernels, getkey):
    places = jnp.asarray(MODES[:, 0])[None]
    nothing = lambda p: jnp.where(p[0] == places[0], 0.0, jnp.nan)  # noqa: E731
    kept, moved = refresh_people(getkey(), places, kernels, nothing)
    np.testing.assert_array_equal(kept, places)
    assert not np.any(moved)

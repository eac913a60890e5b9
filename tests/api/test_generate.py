"""Completion: draws of what is missing, with the noise it would have been seen with."""

import jax
import numpy as np
import pytest
from flax import nnx
from hierarchies import network_of, random_hierarchy
from oracles import KnownUnits, exact_posterior

import pcmodel
from pcmodel.api.batching import compiled

MASK = np.array([True, False, True, False])


def test_missing_units_have_their_exact_predictive_distribution():
    """Prevents intervals of the prediction's mean, without the units' own noise, and a
    full precision's correlation with the given units from being lost."""
    rng = np.random.default_rng(0)
    hierarchy = random_hierarchy(rng, (4, 3, 2), ("full", "unit", "scalar"))
    data = rng.normal(size=(2, 4))
    draws = pcmodel.complete(
        network_of(hierarchy), data, MASK, key=jax.random.key(0), num_samples=4000
    )
    assert draws.shape == (4000, 2, 4)
    for example in range(2):
        known = KnownUnits(0, np.flatnonzero(MASK), data[example][MASK])
        exact = exact_posterior(hierarchy, [known])
        own = np.asarray(draws)[:, example]
        np.testing.assert_array_equal(
            own[:, MASK], np.tile(data[example][MASK], (4000, 1))
        )
        spread = np.sqrt(np.diag(exact.covariance))[:4][~MASK]
        away = (own[:, ~MASK].mean(axis=0) - exact.mean[:4][~MASK]) / spread
        assert np.all(np.abs(away) < 0.1)
        covariance = np.cov(own[:, ~MASK].T)
        expected = exact.covariance[:4, :4][np.ix_(~MASK, ~MASK)]
        np.testing.assert_allclose(
            covariance, expected, atol=0.1 * np.abs(expected).max()
        )


def test_a_nan_where_masked_is_what_missing_means():
    """Prevents the commonest way to write missing data from being refused."""
    network = pcmodel.dense((4, 3), rngs=nnx.Rngs(0))
    values = np.where(MASK, 0.5, np.nan)
    draws = pcmodel.complete(
        network, values, MASK, key=jax.random.key(0), num_samples=3
    )
    assert draws.shape == (3, 4) and np.all(np.isfinite(draws))
    with pytest.raises(pcmodel.UserError, match="NaN"):
        pcmodel.complete(
            network, np.full(4, np.nan), MASK, key=jax.random.key(0), num_samples=3
        )


def test_missing_binary_units_are_drawn_as_bits():
    """Prevents probabilities from passing for draws."""
    network = pcmodel.dense(
        (4, 3), precisions=(None, 1.0), likelihood=pcmodel.Bernoulli(), rngs=nnx.Rngs(0)
    )
    data = np.array([1.0, 0.0, 0.0, 1.0])
    draws = pcmodel.complete(network, data, MASK, key=jax.random.key(0), num_samples=50)
    assert set(np.unique(draws)) == {0.0, 1.0}
    np.testing.assert_array_equal(
        np.asarray(draws)[:, MASK], np.tile([1.0, 0.0], (50, 1))
    )
    assert np.all(np.asarray(draws)[:, ~MASK].std(axis=0) > 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mask": np.ones(4, bool)}, "nothing to complete"),
        ({"mask": np.ones(3, bool)}, "mask of shape"),
        ({"num_samples": 0}, "at least 1"),
        ({"values": np.zeros(3)}, "4 units"),
    ],
)
def test_what_cannot_be_completed_is_refused_in_one_sentence(options, words):
    """Prevents a shape from being broadcast into an answer."""
    network = pcmodel.dense((4, 3), rngs=nnx.Rngs(0))
    given = {"values": np.zeros(4), "mask": MASK, **options}
    with pytest.raises(pcmodel.UserError, match=words):
        pcmodel.complete(network, **given, key=jax.random.key(0))


@pytest.mark.slow
def test_other_networks_and_data_do_not_compile_again():
    """Prevents a sweep over seeds or data sets from compiling each time."""
    before = None
    for seed in range(3):
        network = pcmodel.dense((4, 3), rngs=nnx.Rngs(seed))
        data = np.full((2, 4), float(seed))
        key = jax.random.key(seed)
        pcmodel.complete(network, data, MASK, key=key, num_samples=2)
        pcmodel.log_likelihood(network, data, key=key, num_steps=2, num_particles=2)
        counts = compiled._cache_size()
        before = before or counts
        assert counts == before


def test_what_is_not_seen_of_a_binary_end_is_drawn_beside_what_is_seen():
    """Its share is that of the prior predictive, and what is given keeps its value."""
    network = pcmodel.hierarchy(
        {
            "end": pcmodel.Level(2, pcmodel.Bernoulli(), parents=["top"]),
            "top": pcmodel.Level(1),
        },
        rngs=nnx.Rngs(0),
    )
    network.layers[0].weight[...] = np.zeros((2, 1))
    network.layers[0].bias[...] = np.log([1.0, 3.0])
    given = {"end": pcmodel.Clamp(np.array([1.0, 0.0]), np.array([True, False]))}
    drawn = np.asarray(pcmodel.sample(network, jax.random.key(0), 4000, clamp=given)[0])
    np.testing.assert_array_equal(drawn[:, 0], 1)
    assert set(np.unique(drawn[:, 1])) == {0.0, 1.0}
    assert abs(drawn[:, 1].mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 4000)

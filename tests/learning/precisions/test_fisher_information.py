"""The information about log-precisions, against sums over pairs of draws written out."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.learning.precisions.fisher_information import (
    covariance,
    covariance_diagonal,
    inverse_information,
)


def by_pairs(scores):
    """Mean over examples and pairs of different draws of the product of their deviations."""
    batch, samples, _ = scores.shape
    deviations = scores - scores.mean((0, 1))
    pairs = list(itertools.permutations(range(samples), 2)) or [(0, 0)]
    terms = [
        np.outer(example[one], example[other])
        for example in deviations
        for one, other in pairs
    ]
    assert len(terms) == batch * len(pairs)
    return np.mean(terms, axis=0)


@pytest.mark.parametrize("samples", [1, 2, 5])
@pytest.mark.parametrize("batch", [1, 3, 7])
def test_the_covariance_is_the_mean_over_pairs_of_draws(batch, samples):
    scores = np.random.default_rng(samples).normal(1, 2, size=(batch, samples, 4))
    expected = by_pairs(scores)
    np.testing.assert_allclose(covariance(jnp.asarray(scores)), expected, rtol=1e-12)
    np.testing.assert_allclose(
        covariance_diagonal(jnp.asarray(scores)), np.diag(expected), rtol=1e-12
    )


def test_the_inverse_information_is_that_of_shares_within_bounds():
    """Of three levels in a basis of its own: shares .5 and .02 of the complete information, and one above all of it."""
    basis, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    complete = np.array([0.5, 4.0, 30.0])
    scale = np.sqrt(np.outer(complete, complete))

    def of(shares):
        return scale * ((basis * shares) @ basis.T)

    def inverse(shares, least):
        given = jnp.asarray(of(np.array(shares)))
        return inverse_information(given, jnp.asarray(complete), least)

    inside = of(np.array([0.5, 0.02, 0.9]))
    np.testing.assert_allclose(
        inverse([0.5, 0.02, 0.9], 0.01), np.linalg.inv(inside), rtol=1e-9
    )
    bounded = of(np.array([0.5, 0.1, 1.0]))
    np.testing.assert_allclose(
        inverse([0.5, 0.02, 3.0], 0.1), np.linalg.inv(bounded), rtol=1e-9
    )

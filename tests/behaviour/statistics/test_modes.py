"""Modes and Laplace errors of single series are exact where the model is linear."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pcmodel.behaviour.statistics.modes import find_mode


def test_a_linear_model_gives_its_posterior_and_evidence():
    rng = np.random.default_rng(0)
    design, values = rng.normal(size=(30, 3)), rng.normal(size=30) * 2.0

    def terms(place):
        error = jnp.asarray(values) - jnp.asarray(design) @ place
        return -0.5 * error**2 - 0.5 * np.log(2.0 * np.pi)

    found = jax.jit(lambda start: find_mode(terms, start))(jnp.full(3, 2.0))
    covariance = np.linalg.inv(design.T @ design + np.eye(3))
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-5)
    np.testing.assert_allclose(found.place, covariance @ design.T @ values, rtol=1e-6)
    exact = multivariate_normal(cov=np.eye(30) + design @ design.T).logpdf(values)
    assert float(found.log_evidence) == pytest.approx(exact, rel=1e-7)
    assert bool(found.settled)


def test_a_mode_is_found_where_scoring_alone_crawls():
    """A curved valley: log density of the Rosenbrock kind, its mode known."""

    def terms(place):
        a, b = place
        return jnp.stack([-((b - a**2) ** 2), -((2.0 - a) ** 2) + 0.5 * (a**2 + b**2)])

    found = jax.jit(lambda start: find_mode(terms, start))(jnp.asarray([-1.0, 1.0]))
    np.testing.assert_allclose(found.place, [2.0, 4.0], atol=1e-3)
    assert bool(found.settled)

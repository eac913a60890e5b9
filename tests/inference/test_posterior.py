"""The Laplace posterior: samples, marginals, determinants, discrete data.

Learning takes its statistics from these samples and revision its confidence, so a
covariance off by a factor would pass unnoticed through every later number.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hierarchies import RTOL, network_of, random_clamps, random_hierarchy
from oracles import exact_posterior, gained
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

import pcmodel
from pcmodel import Bernoulli, Categorical, Modulation
from pcmodel.inference.linear.lanczos import lanczos_log_det

WIDTHS = (4, 3, 2)
GAINS = (0.6, 2.0, 0.5)


class Discrete:
    """-log p of a linear hierarchy over discrete data, by hand, in the latents."""

    def __init__(self, likelihood, seed=0):
        rng = np.random.default_rng(seed)
        self.is_categorical = isinstance(likelihood, Categorical)
        self.hierarchy = random_hierarchy(rng, WIDTHS, ("scalar", "unit", "full"))
        self.data = np.eye(4)[1] if self.is_categorical else np.array([1.0, 0, 0, 1])
        self.network = pcmodel.linear_gaussian(
            self.hierarchy.weights,
            [None, *self.hierarchy.precisions[1:]],
            biases=self.hierarchy.biases,
            prior_mean=self.hierarchy.prior_mean,
            likelihood=likelihood,
        )
        self.precisions = [
            gained(self.hierarchy.precisions[level], GAINS[level], WIDTHS[level])
            for level in (1, 2)
        ]

    def logits(self, state):
        return self.hierarchy.weights[0] @ state[:3] + self.hierarchy.biases[0]

    def energy(self, state):
        """Up to a constant."""
        logits = self.logits(state)
        if self.is_categorical:
            data = -log_softmax(logits)[1]
        else:
            data = np.sum(np.logaddexp(0, logits) - self.data * logits)
        errors = (
            state[:3]
            - self.hierarchy.weights[1] @ state[3:]
            - self.hierarchy.biases[1],
            state[3:] - self.hierarchy.prior_mean,
        )
        return GAINS[0] * data + 0.5 * sum(
            error @ precision @ error
            for error, precision in zip(errors, self.precisions, strict=True)
        )

    def hessian(self, state):
        """Exact: the links are linear and the likelihoods in natural form."""
        below = np.hstack([self.hierarchy.weights[0], np.zeros((4, 2))])
        link = np.hstack([np.eye(3), -self.hierarchy.weights[1]])
        top = np.hstack([np.zeros((2, 3)), np.eye(2)])
        if self.is_categorical:
            p = softmax(self.logits(state))
            fisher = np.diag(p) - np.outer(p, p)
        else:
            p = expit(self.logits(state))
            fisher = np.diag(p * (1 - p))
        return (
            GAINS[0] * below.T @ fisher @ below
            + link.T @ self.precisions[0] @ link
            + top.T @ self.precisions[1] @ top
        )


@pytest.mark.parametrize(
    "likelihood",
    [pytest.param(Bernoulli(), marks=pytest.mark.slow), Categorical()],
    ids=lambda k: k.name,
)
def test_discrete_posteriors_equal_an_independent_newton(likelihood):
    """Prevents beliefs from images or choices with a wrong mode or a wrong width.

    Mode by scipy; covariance the inverse of the dense Hessian, also from 400 000
    samples (1 %).
    """
    truth = Discrete(likelihood)
    modulation = Modulation(dict(enumerate(GAINS)))
    found = pcmodel.posterior(truth.network, truth.data, modulation=modulation)
    mode = np.concatenate(found.mean[1:])
    best = minimize(truth.energy, np.zeros(5), method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(mode, best.x, atol=1e-6)
    assert found.result.converged
    exact = np.linalg.inv(truth.hessian(mode))
    draws = np.hstack(found.sample(jax.random.key(0), 400_000)[1:])
    spread = np.sqrt(np.diagonal(exact))
    np.testing.assert_allclose(draws.mean(0), mode, atol=0.01 * spread.max())
    off = (np.cov(draws.T) - exact) / np.outer(spread, spread)
    assert np.abs(off).max() < 0.01
    variances = np.concatenate(found.variances[1:])
    np.testing.assert_allclose(variances, np.diagonal(exact), rtol=1e-8)
    np.testing.assert_allclose(
        found.covariance(1, 2), exact[:3, 3:], rtol=1e-7, atol=1e-10
    )


@pytest.mark.slow
def test_samples_of_a_partly_clamped_hierarchy_have_its_covariance():
    """Prevents precision learning, which counts these samples' errors, from a bias.

    All free units jointly, full precisions, data and middle clamped in part.
    """
    rng = np.random.default_rng(1)
    hierarchy = random_hierarchy(rng, WIDTHS, ("full", "full", "unit"))
    clamps, known = random_clamps(rng, WIDTHS, {0: (0, 2), 1: (1,)})
    found = pcmodel.posterior(network_of(hierarchy), clamp=clamps)
    exact = exact_posterior(hierarchy, known)
    draws = np.hstack(found.sample(jax.random.key(1), 300_000))
    free = np.diagonal(exact.covariance) > 1e-12
    spread = np.sqrt(np.diagonal(exact.covariance)[free])
    covariance = exact.covariance[np.ix_(free, free)]
    off = (np.cov(draws[:, free].T) - covariance) / np.outer(spread, spread)
    assert np.abs(off).max() < 0.01
    np.testing.assert_allclose(
        draws[:, ~free], exact.mean[None, ~free] + 0 * draws[:, ~free]
    )
    np.testing.assert_allclose(draws.mean(0), exact.mean, atol=0.02)


@pytest.mark.slow
def test_stochastic_log_determinants_are_right_on_average():
    """Prevents the evidence of wide networks from carrying a hidden offset."""
    rng = np.random.default_rng(2)
    root = rng.normal(size=(30, 80)) * 3
    matrix = jnp.array(np.eye(80) + root.T @ root)
    exact = np.linalg.slogdet(matrix)[1]
    estimate = lanczos_log_det(
        lambda v: matrix @ v, jax.random.key(0), jnp.zeros(80), num_probes=2000
    )
    np.testing.assert_allclose(estimate, exact, rtol=0.02)


def test_discrete_evidence_is_laplaces():
    """Prevents comparing models by an evidence that lacks a determinant or a constant.

    One latent unit, one binary datum: the integral is done numerically beside it.
    """
    network = pcmodel.linear_gaussian(
        [np.array([[0.7]])],
        [None, 4.0],
        prior_mean=np.array([0.3]),
        likelihood=Bernoulli(),
    )
    found = pcmodel.posterior(network, np.ones(1))
    grid = np.linspace(-6, 6, 200_001)
    density = expit(0.7 * grid) * np.sqrt(2 / np.pi) * np.exp(-2 * (grid - 0.3) ** 2)
    integral = np.log(np.sum(density) * (grid[1] - grid[0]))
    np.testing.assert_allclose(found.log_evidence, integral, atol=2e-3)
    mode = float(found.mean[1][0])
    p = expit(0.7 * mode)
    by_hand = (
        np.log(p) - 2 * (mode - 0.3) ** 2 + 0.5 * np.log(4 / (4 + 0.49 * p * (1 - p)))
    )
    np.testing.assert_allclose(found.log_evidence, by_hand, rtol=RTOL)

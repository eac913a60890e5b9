"""What the E-step hands to learning: a posterior, not a point."""

import jax
import numpy as np
from hierarchies import network_of, random_clamps, random_hierarchy
from oracles import exact_posterior

from pcmodel.api.pose import pose
from pcmodel.learning.e_step import PosteriorSamples


def test_expected_errors_include_the_posterior_variance():
    """Prevents precisions from running away: at the mode hidden errors look tiny."""
    rng = np.random.default_rng(0)
    hierarchy = random_hierarchy(rng, (3, 2, 2), ("unit", "scalar", "unit"))
    clamps, known = random_clamps(rng, (3, 2, 2), {0: ()})
    problem = pose(network_of(hierarchy), clamp=clamps).problem
    expect = jax.jit(PosteriorSamples(num_samples=100_000).expect)
    latents = expect(problem, jax.random.key(0))[0].latents
    exact = exact_posterior(hierarchy, known)
    link = np.hstack([np.zeros((2, 3)), np.eye(2), -hierarchy.weights[1]])
    mean = link @ exact.mean - hierarchy.biases[1]
    second_moment = np.outer(mean, mean) + link @ exact.covariance @ link.T
    errors = (
        latents[1] - latents[2] @ hierarchy.weights[1].T - hierarchy.biases[1][None]
    )
    np.testing.assert_allclose(
        np.asarray(errors.T @ errors) / len(errors), second_moment, rtol=0.02, atol=0.01
    )

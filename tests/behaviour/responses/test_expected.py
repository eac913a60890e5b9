"""Expected ratings, against sums and integrals over all ratings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from pcmodel.behaviour.responses import (
    RatingParameters,
    Scale,
    expected_censored,
    expected_stepped,
    stepped_log_likelihood,
)

MEANS = np.array([-1e8, -3.0, 0.9, 2.1, 4.95, 30.0, 1e8])


@pytest.mark.parametrize("noise", [1e-8, 0.3, 2.0, 1e4])
@pytest.mark.parametrize("step", [0.5, 4.0])
def test_a_stepped_rating_is_the_sum_over_its_steps(noise, step):
    scale = Scale(1.0, 5.0, step)
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        own = RatingParameters(jnp.log(jnp.asarray(noise)))
        found = np.asarray(expected_stepped(own, jnp.asarray(MEANS), scale=scale))
        wanted = np.zeros(len(MEANS))
        for rating in np.arange(1.0, 5.0 + step / 2, step):
            each = stepped_log_likelihood(
                own, jnp.asarray(MEANS), jnp.full(len(MEANS), rating), scale=scale
            )
            wanted += rating * np.exp(np.asarray(each))
    np.testing.assert_allclose(found, wanted, rtol=1e-8)


@pytest.mark.parametrize("noise", [0.05, 0.4, 50.0])
@pytest.mark.parametrize("mean", [-2.0, 0.1, 0.97, 9.0])
def test_a_censored_rating_is_the_integral_over_its_latent_value(mean, noise):
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        own = RatingParameters(jnp.log(jnp.asarray(noise)))
        found = float(
            expected_censored(own, jnp.asarray(mean), scale=Scale(0.0, 1.0, 0.0))
        )
    inside = integrate.quad(lambda x: x * stats.norm.pdf(x, mean, noise), 0.0, 1.0)[0]
    np.testing.assert_allclose(
        found, inside + stats.norm.sf(1.0, mean, noise), atol=1e-9
    )

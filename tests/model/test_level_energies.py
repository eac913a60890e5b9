"""Where energy is counted, and which units' gain tempers which data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import random_spd
from scipy.special import expit
from scipy.stats import multivariate_normal

import pcmodel
from pcmodel import Belief, Bernoulli, Clamp, Modulation
from pcmodel.api.pose import pose
from pcmodel.model.energy import energy, level_energies

WIDTHS = (3, 2, 2, 2)


def negative_log_density(value, mean, covariance):
    return -multivariate_normal(mean, covariance).logpdf(np.asarray(value))


def test_a_belief_s_energy_is_counted_at_the_lowest_level_it_speaks_of():
    """Prevents energy by level from moving up the hierarchy, which its sum would not show.

    A belief over the levels 1 and 2 adds its own -log density at 1 and nothing elsewhere; one that owns the top
    adds there what it says of the level below *given* the top.
    """
    rng = np.random.default_rng(0)
    network = pcmodel.dense(WIDTHS, precisions=(2.0, 3.0, 0.5, 1.5), rngs=nnx.Rngs(0))
    data = rng.normal(size=3)
    latents = (jnp.asarray(data), *(jnp.asarray(rng.normal(size=2)) for _ in range(3)))

    def terms(*prior):
        problem = pose(network, data, prior=list(prior)).problem
        return np.asarray(jax.jit(level_energies)(problem, latents))

    mean, covariance = rng.normal(size=4), random_spd(rng, 4)
    below = Belief.from_covariance(jnp.asarray(mean), jnp.asarray(covariance), (1, 2))
    own = negative_log_density(np.concatenate(latents[1:3]), mean, covariance)
    np.testing.assert_allclose(terms(below) - terms(), [0, own, 0, 0], atol=1e-10)
    owner = Belief.from_covariance(jnp.asarray(mean), jnp.asarray(covariance), (1, 3))
    joint = np.concatenate([latents[1], latents[3]])
    top = negative_log_density(latents[3], mean[2:], covariance[2:, 2:])
    given_top = negative_log_density(joint, mean, covariance) - top
    prior = negative_log_density(
        latents[3], network.prior_mean[...], np.eye(2) / network_precision(network, 3)
    )
    expected = [0, given_top, 0, top - prior]
    np.testing.assert_allclose(terms(owner) - terms(), expected, atol=1e-10)


def network_precision(network, level):
    return float(jnp.exp(network.log_precision[level][...]))


@pytest.mark.parametrize("observed", [(1, 3), (0, 2, 3)])
def test_each_binary_unit_that_is_seen_is_tempered_by_its_own_gain(observed):
    """Prevents the gains of the first units from tempering the ones that were seen."""
    rng = np.random.default_rng(1)
    gain = np.asarray([0.2, 3.0, 0.7, 1.9])
    network = pcmodel.linear_gaussian(
        [rng.normal(size=(4, 2))], [None, 1.0], likelihood=Bernoulli()
    )
    data, mask = np.asarray([1.0, 0.0, 0.0, 1.0]), np.isin(np.arange(4), observed)
    latent = rng.normal(size=2)

    def total(modulation):
        problem = pose(
            network, clamp={0: Clamp(data, mask)}, modulation=modulation
        ).problem
        whole = jnp.asarray(np.where(mask, data, 0.5))
        return float(jax.jit(energy)(problem, (whole, jnp.asarray(latent))))

    logits = np.asarray(network.layers[0].weight[...]) @ latent
    terms = -np.log(np.where(data == 1, expit(logits), expit(-logits)))[mask]
    tempered = total(Modulation({0: gain})) - total(Modulation())
    np.testing.assert_allclose(tempered, (gain[mask] - 1) @ terms, rtol=1e-10)

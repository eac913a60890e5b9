"""How much of what the evidence says was believed, on evidence made by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import random_spd

import pcmodel
from pcmodel import Belief
from pcmodel.api.pose import pose
from pcmodel.inference.level_evidence import LevelEvidence
from pcmodel.model.generative import sweep
from pcmodel.networks.pure import as_model
from pcmodel.paradigms.revision import (
    entropy,
    revise,
    revision_index,
    settling_time,
    squared_errors,
    surprise,
)


def met(evidence, wanted, prior, dtype=jnp.float64):
    """A belief of precision `prior` (diagonals) meets evidence for `wanted`, both about a mean of 0."""
    evidence, wanted, prior = (np.asarray(x, float) for x in (evidence, wanted, prior))
    information = evidence * wanted
    covariance = 1 / (evidence + prior)
    shift, root = covariance * information, np.sqrt(covariance)
    parts = dict(
        shift=shift,
        prior_precision=np.diag(prior),
        evidence_precision=np.diag(evidence),
        information=information,
        covariance=np.diag(covariance),
        root=np.diag(root),
        whitened=np.sqrt(prior) * shift,
        spread=np.diag(root * np.sqrt(prior)),
        half=np.diag(np.sqrt(evidence / prior)),
    )
    return LevelEvidence(**{name: jnp.asarray(x, dtype) for name, x in parts.items()})


def test_revision_weighs_directions_by_what_the_evidence_says_of_each():
    """rho = sum J^2 w^2 / (J + P) / sum J w^2, 0 where nothing is said, 1 against no prior."""
    evidence, wanted, prior = [4.0, 0.5], [1.0, -3.0], [1.0, 2.0]
    j, w, p = map(np.asarray, (evidence, wanted, prior))
    expected = np.sum(j**2 * w**2 / (j + p)) / np.sum(j * w**2)
    found = revision_index(met(evidence, wanted, prior))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert revision_index(met([0.0, 0.0], wanted, prior)) == 0
    one = revision_index(met([4.0, 0.0], wanted, [1e-12, 1.0]))
    np.testing.assert_allclose(one, 1.0, rtol=1e-10)


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32])
@pytest.mark.parametrize("weak", [1e-9, 1e-7, 1e-3])
def test_a_vague_direction_counts_in_either_precision(dtype, weak):
    """Prevents weak evidence from being cut off above and not below the line."""
    evidence, prior = np.array([1.0, weak]), np.array([1.0, weak])
    wanted = np.array([1.0, 1e5])
    top = met(evidence, wanted, prior, dtype)
    full = np.sum(evidence * wanted**2)
    moved = np.sum(evidence**2 * wanted**2 / (evidence + prior))
    np.testing.assert_allclose(revision_index(top), moved / full, rtol=1e-5)


@pytest.mark.parametrize("ratio", [1e6, 1e7, 1e8])
@pytest.mark.parametrize("y", [(1e-4, 3.0), (0.0, 3.0), (2.0, 0.0)])
def test_the_revision_by_precise_and_vague_senses_in_single_precision(ratio, y):
    """Channels of precisions (ratio, 1) over priors of 1: sum of J^2 y^2 / (J + 1) over sum of J y^2."""
    with jax.enable_x64(False):
        network = pcmodel.linear_gaussian(
            [np.eye(2)], [np.array([ratio, 1.0]), np.ones(2)], prior_mean=np.zeros(2)
        )
        problem = pose(network, np.array(y)).problem
        found = revise(problem, jax.random.key(0), solver=pcmodel.GaussNewton())
    j, seen = np.array([ratio, 1.0]), np.array(y)
    expected = np.sum(j**2 * seen**2 / (j + 1)) / np.sum(j * seen**2)
    assert found.converged
    np.testing.assert_allclose(found.revision, expected, rtol=1e-3)


@pytest.mark.parametrize("x64", [False, True])
def test_a_settling_time_that_rounding_hides_is_not_told(x64):
    """Precisions (1, 1e7, 1e7, 1): three units move as one, pulled by 1 + 1: a rate of 2/3."""
    with jax.enable_x64(x64):
        network = pcmodel.linear_gaussian(
            [np.ones((1, 1))] * 3, [1.0, 1e7, 1e7, 1.0], prior_mean=np.array([-2.0])
        )
        problem = pose(network, np.ones(1)).problem
        time = float(settling_time(problem, pcmodel.infer(network, np.ones(1)).latents))
    assert np.isnan(time) if not x64 else time == pytest.approx(1.5, rel=1e-5)


def test_what_rounding_leaves_of_a_direction_is_no_evidence():
    """Prevents an index that divides a square of noise by less than noise."""
    top = met([1.0, 0.0], [1.0, 0.0], [3.0, 3.0])
    noisy = top._replace(
        half=top.half.at[1, 1].set(1e-17), whitened=top.whitened + 1e-9
    )
    np.testing.assert_allclose(revision_index(noisy), 0.25, rtol=1e-6)


def test_surprise_and_entropy_are_sums_over_independent_units():
    """KL and entropy of Gaussians, one unit at a time."""
    evidence, wanted, prior = [4.0, 0.5], [1.0, -3.0], [1.0, 2.0]
    j, w, p = map(np.asarray, (evidence, wanted, prior))
    mean, variance = j * w / (j + p), 1 / (j + p)
    kl = 0.5 * (p * variance + p * mean**2 - 1 - np.log(p * variance))
    top = met(evidence, wanted, prior)
    np.testing.assert_allclose(surprise(top), kl.sum(), rtol=1e-12)
    expected = 0.5 * np.log(2 * np.pi * np.e * variance).sum()
    np.testing.assert_allclose(entropy(top), expected, rtol=1e-12)


def test_where_nothing_errs_no_level_has_a_share():
    """Prevents a belief's normaliser from being taken off another level than its error was counted at.

    Latents at their predictions, and beliefs about two levels, and about one and the top, that expect exactly them.
    """
    rng = np.random.default_rng(0)
    network = pcmodel.dense(
        (3, 2, 2, 2), precisions=(2.0, 3.0, 0.5, 1.5), rngs=nnx.Rngs(0)
    )
    pure = as_model(network)
    latents = sweep(pure.model, pure.weights)
    for levels in ((1, 2), (1, 3), (2,)):
        mean = jnp.concatenate([latents[level] for level in levels])
        spread = jnp.asarray(random_spd(rng, mean.shape[0]))
        belief = Belief.from_covariance(mean, spread, levels)
        problem = pose(network, latents[0], prior=belief).problem
        found = jax.jit(squared_errors)(problem, latents)
        np.testing.assert_allclose(found, np.zeros(4), atol=1e-12)
        off = (*latents[:1], latents[1] + 1.0, *latents[2:])
        assert jax.jit(squared_errors)(problem, off)[1] > 0.1

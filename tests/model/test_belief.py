"""Beliefs as Gaussians: covariance, the way to the next trial, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hierarchies import RTOL, random_spd

from pcmodel import Belief, UserError


@pytest.mark.parametrize("precision", [2.0, np.array([0.5, 4.0]), "full"])
def test_covariance_is_the_inverse_precision(precision):
    """Prevents a belief from reaching the next trial with its precision as width."""
    if isinstance(precision, str):
        precision = random_spd(np.random.default_rng(0), 2)
    matrix = precision if np.ndim(precision) == 2 else np.diag(precision * np.ones(2))
    belief = Belief.of(np.zeros(2), precision)
    np.testing.assert_allclose(belief.covariance, np.linalg.inv(matrix), rtol=RTOL)


@pytest.mark.parametrize("noise", [0.3, np.array([0.1, 0.4]), "full"])
@pytest.mark.parametrize("moves", [False, True])
def test_propagation_is_the_textbook_prediction(noise, moves):
    """Prevents the drift between trials from being over- or understated.

    Scalar, per-unit and full noise are the same model said in three ways.
    """
    rng = np.random.default_rng(1)
    mean, covariance = rng.normal(size=2), random_spd(rng, 2)
    noise = random_spd(rng, 2) if isinstance(noise, str) else noise
    matrix = noise if np.ndim(noise) == 2 else np.diag(noise * np.ones(2))
    step = rng.normal(size=(2, 2)) if moves else np.eye(2)
    belief = Belief.from_covariance(jnp.array(mean), jnp.array(covariance), ("top",))
    after = belief.propagate(
        transition=jnp.array(step) if moves else None, noise_covariance=noise
    )
    np.testing.assert_allclose(after.mean, step @ mean, rtol=RTOL)
    np.testing.assert_allclose(
        after.covariance, step @ covariance @ step.T + matrix, rtol=RTOL
    )
    assert after.levels == belief.levels


def test_a_belief_can_be_traced_and_batched():
    """Prevents participants' beliefs from mixing when a group is fitted at once."""
    means = jnp.arange(6.0).reshape(3, 2)
    covariance = jnp.array(random_spd(np.random.default_rng(2), 2))

    def widen(mean):
        belief = Belief.from_covariance(mean, covariance, ("top",))
        return belief.propagate(noise_covariance=0.5)

    together = jax.vmap(widen)(means)
    for index, mean in enumerate(means):
        alone = widen(mean)
        np.testing.assert_allclose(together.mean[index], alone.mean)
        np.testing.assert_allclose(
            together.log_precision[index], alone.log_precision, rtol=RTOL
        )


@pytest.mark.parametrize("shared", [False, True])
def test_a_batch_of_beliefs_is_propagated_one_by_one(shared):
    """Prevents a batch's posterior from becoming a wrong prior of the next trial."""
    rng = np.random.default_rng(3)
    alone = [
        Belief.of(
            rng.normal(size=2), random_spd(np.random.default_rng(k * (not shared)), 2)
        )
        for k in range(2)
    ]
    log_precisions = jnp.stack([belief.log_precision for belief in alone])
    batch = Belief(
        jnp.stack([belief.mean for belief in alone]),
        log_precisions[0] if shared else log_precisions,
    ).propagate(noise_covariance=0.2, transition=2 * jnp.eye(2))
    for index, belief in enumerate(alone):
        one = belief.propagate(noise_covariance=0.2, transition=2 * jnp.eye(2))
        np.testing.assert_allclose(batch.mean[index], one.mean, rtol=RTOL)
        np.testing.assert_allclose(batch.covariance[index], one.covariance, rtol=RTOL)


BAD = {
    "mean not finite": (np.array([np.nan, 0.0]), 1.0, "finite"),
    "negative precision": (np.zeros(2), -1.0, "positive"),
    "zero precision": (np.zeros(2), np.array([1.0, 0.0]), "positive"),
    "indefinite": (np.zeros(2), np.array([[1.0, 2.0], [2.0, 1.0]]), "definite"),
}


@pytest.mark.parametrize("name", BAD)
def test_impossible_beliefs_are_refused_in_one_sentence(name):
    """Prevents a belief that is no distribution from silently revising anything."""
    mean, precision, expected = BAD[name]
    with pytest.raises(UserError, match=expected) as caught:
        Belief.of(mean, precision, level="top")
    assert "\n" not in str(caught.value)

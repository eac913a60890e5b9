"""Associative recall: a network that learned a few patterns completes them from a half."""

import jax
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel

pytestmark = pytest.mark.slow
HALF = np.arange(16) < 8


@pytest.fixture(scope="module")
def learned():
    """Four patterns of random signs, and networks before and after learning them."""
    patterns = np.random.default_rng(1).choice([-1.0, 1.0], size=(4, 16))
    network = pcmodel.dense((16, 8, 4), precisions=(10, 10, 10), rngs=nnx.Rngs(0))
    trained = pcmodel.train(
        network,
        np.repeat(patterns, 16, axis=0),
        key=jax.random.key(0),
        learning=pcmodel.Learning(optax.adam(1e-2), variance_floor=0.01),
        num_epochs=100,
        batch_size=32,
    )
    return patterns, network, trained.network


def missing_error(recalled, patterns):
    """Mean distance of the missing units from those stored, (patterns,)."""
    return np.abs(np.asarray(recalled) - patterns)[:, ~HALF].mean(axis=1)


@pytest.mark.parametrize("missing", [0.0, pytest.param(np.nan, marks=pytest.mark.slow)])
def test_the_missing_half_of_a_stored_pattern_is_recalled(learned, missing):
    """Prevents an average of what was stored, or the values under the mask, from passing for
    memory: the mean pattern is several times as far away."""
    patterns, _, network = learned
    cue = pcmodel.Clamp(np.where(HALF, patterns, missing), HALF)
    recalled = pcmodel.reconstruct(network, clamp={0: cue})
    found = missing_error(recalled, patterns)
    mean = missing_error(np.broadcast_to(patterns.mean(axis=0), (4, 16)), patterns)
    assert np.all(found < 0.05) and np.all(mean > 0.4)
    inferred = pcmodel.infer(network, clamp={0: cue})
    assert inferred.converged.all()
    # Where nothing is known of a unit but what is predicted, its mode is the prediction.
    np.testing.assert_allclose(
        np.asarray(inferred.latents[0])[:, ~HALF],
        np.asarray(recalled)[:, ~HALF],
        atol=1e-6,
    )
    np.testing.assert_array_equal(
        np.asarray(inferred.latents[0])[:, HALF], patterns[:, HALF]
    )


def test_what_was_never_learned_is_not_recalled(learned):
    """Prevents the recall from being the work of anything but learning."""
    patterns, network, _ = learned
    cue = pcmodel.Clamp(patterns, HALF)
    recalled = pcmodel.reconstruct(network, clamp={0: cue})
    assert np.all(missing_error(recalled, patterns) > 0.4)


def test_a_cue_with_an_error_is_put_right(learned):
    """Prevents recall from needing the very cue that was learned: one given unit is flipped."""
    patterns, _, network = learned
    wrong = patterns.copy()
    wrong[:, 0] *= -1
    recalled = pcmodel.reconstruct(network, clamp={0: pcmodel.Clamp(wrong, HALF)})
    away = np.abs(np.asarray(recalled)[:, None] - patterns[None])[..., ~HALF].mean(-1)
    np.testing.assert_array_equal(away.argmin(axis=1), np.arange(4))

"""A trained belief about digits over weeks: what relaxed evidence leaves, and what a dose alone does not."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.data.digits import load_digits_split, one_hot
from pcmodel.paradigms.lasting import (
    Probe,
    Retention,
    Session,
    TopLearning,
    Training,
    follow,
)

DATA = load_digits_split()


@pytest.fixture(scope="module")
def convinced():
    """A hierarchy that has learned some digits, and is sure of a 3."""
    images, labels = DATA.train_images[:200], DATA.train_labels[:200]
    trained = pcmodel.train(
        pcmodel.dense((64, 24, 10), precisions=[10] * 3, rngs=nnx.Rngs(0)),
        images,
        clamp={"top": one_hot(labels)},
        key=jax.random.key(0),
        learning=pcmodel.Learning(variance_floor=0.01),
        num_epochs=6,
        batch_size=20,
    ).network
    trained.prior_mean[...] = jnp.asarray(one_hot(np.array([3]))[0])
    trained.log_precision[-1][...] = jnp.log(400.0)
    return trained


def arms(network, learning):
    """The end of three arms: mean of the top, distance of the weights, and what was read."""
    eights = DATA.train_images[:200][DATA.train_labels[:200] == 8][:8]
    probe = Probe(DATA.test_images[DATA.test_labels == 8][0])
    found = []
    for seen, under in (
        (eights, pcmodel.relax("top", 0.02)),
        (eights, None),
        (None, pcmodel.relax("top", 0.02)),
    ):
        told = follow(
            network,
            [Session(day, seen, modulation=under) for day in (1.0, 8.0)],
            days=[0.0, 1.0, 8.0, 40.0],
            learning=learning,
            retention=Retention(),
            probes={"8": probe},
            key=jax.random.key(1),
        )
        assert told.converged.all()
        found.append(told)
    return found


@pytest.mark.slow
def test_the_belief_has_moved_where_it_gave_way_to_evidence(convinced):
    """The day after and weeks later; with no evidence, to the last bit, not at all."""
    both, evidence, dose = arms(convinced, TopLearning(0.5))
    np.testing.assert_array_equal(dose.mean, dose.mean[:1].repeat(4, 0))
    assert np.ptp(dose.revision["8"]) == 0
    for day in (2, 3):
        assert both.mean[day, 8] > 5 * evidence.mean[day, 8] > 0
        assert both.mean[day, 3] < evidence.mean[day, 3] < 1
    assert both.mean[2, 8] > both.mean[3, 8] > 0.02
    assert both.probe_mean["8"][3, 8] > 5 * evidence.probe_mean["8"][3, 8] > 0


@pytest.mark.slow
def test_weights_that_are_learned_return_as_they_are_forgotten(convinced):
    """Gradients move weights in the arms with evidence, and time takes most of it back."""
    learning = Training(
        pcmodel.Learning(optax.adam(1e-3), variance_floor=0.01), num_epochs=3
    )
    both, evidence, dose = arms(convinced, learning)
    assert np.all(dose.distance == 0)
    for told in (both, evidence):
        assert told.distance[2] > told.distance[1] > 1e-3
        assert 0 < told.distance[3] < told.distance[2]

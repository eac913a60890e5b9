"""Examples of a batch: mapped at once or some at a time, cut into parts and joined, they are what each is alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel.api import batching
from pcmodel.api.batching import in_parts, joined, keys_of, over_examples
from pcmodel.api.pose import pose
from pcmodel.inference.whitened import objective

WEIGHTS = np.array([[1.0, 2.0], [0.0, 1.0]]), np.arange(6.0).reshape(2, 3)
NETWORK = pcmodel.linear_gaussian(list(WEIGHTS), [1.0, 2.0, 0.5])
MEANS = np.arange(15.0).reshape(5, 3)
DATA = np.arange(10.0).reshape(5, 2)
PRECISIONS = np.broadcast_to(np.eye(3), (5, 3, 3)) * np.arange(5.0)[:, None, None]


def energy_above(problem, number):
    """The energy of the top-down sweep, and a number of the example's own."""
    return objective(problem, jnp.zeros(problem.structure.num_free)) + number


def posed(examples=slice(None)):
    """Data, means and precisions that all differ between examples."""
    prior = pcmodel.Belief(MEANS[examples], PRECISIONS[examples])
    return pose(NETWORK, DATA[examples], prior=prior)


@pytest.mark.parametrize("at_once", [None, 2, 64])
def test_every_example_is_what_it_is_alone(at_once):
    """Prevents data of one example under the belief of another, and examples left out where parts do not fit."""
    whole, numbers = posed(), jnp.arange(5.0)
    found = over_examples(
        energy_above,
        whole.problem,
        numbers,
        batching=whole.batching,
        at_once=at_once,
    )
    alone = [energy_above(posed(i).problem, float(i)) for i in range(5)]
    np.testing.assert_allclose(found, np.asarray(alone), rtol=1e-6)
    assert np.all(np.abs(np.diff(np.asarray(alone) - numbers)) > 0.1)


def test_an_array_without_a_batch_belongs_to_all():
    """Prevents one belief that is cut up among the examples."""
    whole = pose(NETWORK, DATA, prior=pcmodel.Belief(MEANS[0], PRECISIONS[1]))
    assert whole.batch_size == 5
    found = over_examples(
        lambda p: p.inputs.beliefs[0].mean, *whole[:1], batching=whole.batching
    )
    np.testing.assert_array_equal(found, np.broadcast_to(MEANS[0], (5, 3)))


def test_parts_hold_every_example_once(monkeypatch):
    """Prevents examples that are lost or counted twice where the last part is filled up."""
    monkeypatch.setattr(batching, "NUMBERS_AT_ONCE", 20)
    whole, keys = posed(), np.arange(5)
    parts = list(in_parts(whole, numbers=10))
    assert [(part.places.tolist(), part.size) for part in parts] == [
        ([0, 1], 2),
        ([2, 3], 2),
        ([4, 4], 1),
    ]
    means = joined(
        whole, (part.kept(part.problem.inputs.beliefs[0].mean) for part in parts)
    )
    np.testing.assert_array_equal(means, MEANS)
    np.testing.assert_array_equal(
        joined(whole, [p.kept(p.of(keys)) for p in parts]), keys
    )


def test_a_single_example_is_one_part_without_an_axis():
    """Prevents a batch of one where one example was given."""
    single, key = posed(3), jax.random.key(0)
    (part,) = in_parts(single, numbers=10)
    assert keys_of(single, key).shape == () and keys_of(single, key, 4).shape == (4,)
    mean = joined(single, [part.kept(part.of(MEANS[3]))])
    np.testing.assert_array_equal(mean, MEANS[3])
    assert keys_of(posed(), key).shape == (5,) and keys_of(posed(), key, 4).shape == (
        5,
        4,
    )

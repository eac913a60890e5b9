"""`pcmodel.train(..., modulation=)`: what the door adds to learning under a modulation."""

import jax
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.networks.pure import as_model

DATA = np.random.default_rng(0).normal(size=(16, 4))
LEARNING = pcmodel.Learning()
KEY = jax.random.key(0)


def train(modulation=None, *, function=pcmodel.train, seed=0, **options):
    given = {"key": KEY, "num_epochs": 2, "batch_size": 8, "learning": LEARNING}
    network = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(seed))
    return function(
        network if function is pcmodel.train else [network],
        DATA,
        modulation=modulation,
        **(given | options),
    )


def arrays(result):
    return jax.tree.leaves(as_model(result.network)[1:])


@pytest.mark.parametrize(
    "neutral",
    [
        pcmodel.Modulation(),
        pcmodel.Modulation(
            {"top": 1.0, "data": np.ones(4)}, slopes={"top": 1.0}, plasticity=1.0
        ),
        pcmodel.Modulation(error_transmission={"hidden1": 1.0}),
    ],
)
def test_a_neutral_modulation_is_none_to_the_bit(neutral):
    """Prevents zero dose from being another program than no drug."""
    for got, expected in zip(arrays(train(neutral)), arrays(train()), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_its_plasticity_multiplies_the_other():
    """Prevents a drug's window from being lost where a gain acts, or counted twice."""
    relaxed = {"top": 0.25}
    both = train(pcmodel.Modulation(relaxed, plasticity=0.5), plasticity=3.0)
    one = train(pcmodel.Modulation(relaxed), plasticity=1.5)
    other = train(pcmodel.Modulation(relaxed))
    for got, expected in zip(arrays(both), arrays(one), strict=True):
        np.testing.assert_array_equal(got, expected)
    assert any(
        np.abs(a - b).max() > 1e-4
        for a, b in zip(arrays(one), arrays(other), strict=True)
    )


def test_a_gain_on_everything_moves_weights_as_none_does_under_a_scale_free_step():
    """The uniform null: Adam's steps do not see it, the modes do not move, and draws alone spread more."""
    learning = pcmodel.Learning(
        precision_step=pcmodel.learning.Frozen(),
        e_step=pcmodel.learning.PointEstimate(),
    )
    uniform = {name: 1e2 for name in ("data", "hidden1", "top")}
    alike = train(pcmodel.Modulation(uniform), learning=learning)
    none = train(learning=learning)
    for got, expected in zip(arrays(alike), arrays(none), strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-3, atol=2e-5)


def test_networks_trained_together_learn_under_it_too():
    """`train_seeds` is `train` with the first of its keys."""
    modulation = pcmodel.Modulation(
        {"top": np.array([0.1, 3.0])}, slopes={"hidden1": 0.5}, plasticity=2.0
    )
    (together,) = train(modulation, function=pcmodel.train_seeds)
    alone = train(modulation, key=jax.random.split(KEY, 1)[0])
    plain = train(key=jax.random.split(KEY, 1)[0])
    for got, expected in zip(arrays(together), arrays(alone), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-10)
    assert any(
        np.abs(a - b).max() > 1e-3
        for a, b in zip(arrays(alone), arrays(plain), strict=True)
    )


def test_a_checkpoint_of_another_modulation_is_refused(tmp_path):
    """Prevents half a training under a drug from ending as one without."""
    relaxed = pcmodel.relax("top", 0.5)
    first = train(relaxed, checkpoints=tmp_path)
    again = train(relaxed, checkpoints=tmp_path)
    for got, expected in zip(arrays(again), arrays(first), strict=True):
        np.testing.assert_array_equal(got, expected)
    for other in (None, pcmodel.relax("top", 0.6)):
        with pytest.raises(pcmodel.UserError, match="another modulation"):
            train(other, checkpoints=tmp_path)


@pytest.mark.parametrize(
    ("modulation", "words"),
    [
        (pcmodel.Modulation(top_down=0.2), "top_down or temperature.*in_inference"),
        (pcmodel.Modulation(temperature=2.0), "top_down or temperature"),
        (pcmodel.relax("cellar", 0.5), "cellar"),
        (pcmodel.Modulation({"top": np.ones(3)}), "one gain or 2"),
        (pcmodel.Modulation(slopes={"data": 2.0}), "predicts nothing"),
        (0.5, "Modulation"),
    ],
)
def test_what_learning_cannot_mean_is_refused(modulation, words):
    for function in (pcmodel.train, pcmodel.train_seeds):
        with pytest.raises(pcmodel.UserError, match=words):
            train(modulation, function=function)


def test_a_traced_gain_is_refused_in_a_sentence():
    with pytest.raises(pcmodel.UserError, match="cannot run under"):
        jax.jit(lambda gain: train(pcmodel.relax("top", gain)))(0.5)

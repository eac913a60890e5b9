"""Many networks at once: each must be what `train` makes of it alone."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.inference import TruncatedNewton
from pcmodel.learning import Learning, PosteriorSamples

DATA = np.random.default_rng(0).normal(size=(24, 4))
LABELS = np.random.default_rng(1).normal(size=(24, 2))
LEARNING = Learning(
    optax.adam(0.02), e_step=PosteriorSamples(solver=TruncatedNewton(3))
)
OPTIONS = dict(num_epochs=3, batch_size=8, learning=LEARNING)


def networks(number=3):
    return [
        pcmodel.dense((4, 3, 2), precisions=[1.0, 1.0 + seed, 2.0], rngs=nnx.Rngs(seed))
        for seed in range(number)
    ]


def arrays(network):
    return jax.tree.leaves(
        (pcmodel.weights_of(network), [p[...] for p in network.log_precision])
    )


def test_each_network_is_trained_as_alone():
    """Prevents seeds that share their order of examples, their draws or their optimiser's state."""
    key, told = jax.random.key(5), []
    together = pcmodel.train_seeds(
        networks(), DATA, key=key, clamp={"top": LABELS}, log=told.append, **OPTIONS
    )
    for number, own in enumerate(jax.random.split(key, 3)):
        alone_told = []
        alone = pcmodel.train(
            networks()[number],
            DATA,
            key=own,
            clamp={"top": LABELS},
            log=alone_told.append,
            **OPTIONS,
        )
        for one, other in zip(
            arrays(together[number].network), arrays(alone.network), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
        for field in (
            "energy",
            "level_energies",
            "residual",
            "log_precisions",
            "epoch",
        ):
            one, other = (
                getattr(result.curve, field) for result in (together[number], alone)
            )
            np.testing.assert_allclose(one, other, rtol=1e-8)
        assert together[number].gauge == alone.gauge and not together[number].stopped
        mine = [numbers for numbers in told if numbers["seed"] == number]
        for one, other in zip(mine, alone_told, strict=True):
            assert {*one} == {*other, "seed"}
            np.testing.assert_allclose(
                one["energy/hidden1"], other["energy/hidden1"], rtol=1e-8
            )
    assert not np.allclose(
        arrays(together[0].network)[0], arrays(together[1].network)[0]
    )


def test_a_network_that_diverges_stops_alone():
    """The second has weights so large that its energy overflows in the first epoch."""
    given = networks()
    given[1].layers[0].weight[...] = jnp.full((4, 3), 1e200)
    found = pcmodel.train_seeds(given, DATA, key=jax.random.key(0), **OPTIONS)
    assert [bool(result.stopped) for result in found] == [False, True, False]
    assert "the energy was no longer finite" in found[1].stopped
    np.testing.assert_array_equal(found[1].network.layers[0].weight[...], 1e200)
    alone = pcmodel.train(
        given[2], DATA, key=jax.random.split(jax.random.key(0), 3)[2], **OPTIONS
    )
    for one, other in zip(arrays(found[2].network), arrays(alone.network), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_networks_of_two_architectures_are_refused():
    other = pcmodel.dense((4, 5, 2), rngs=nnx.Rngs(0))
    per_unit = pcmodel.dense(
        (4, 3, 2), precisions=[np.ones(4), 1.0, 1.0], rngs=nnx.Rngs(0)
    )
    for wrong in (other, per_unit):
        with pytest.raises(pcmodel.UserError, match=r"networks\[1\] is of another"):
            pcmodel.train_seeds([networks()[0], wrong], DATA, key=jax.random.key(0))
    with pytest.raises(pcmodel.UserError, match="got none"):
        pcmodel.train_seeds([], DATA, key=jax.random.key(0))

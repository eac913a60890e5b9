"""Precisions of a branching tanh hierarchy with two ends, learned from samples of known ones."""

import jax
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel import Level
from pcmodel.learning import Hmc, NaturalGradient
from pcmodel.networks.pure import as_model

TRUE = {"image": 4.0, "sound": 2.0, "sight": 3.0, "hearing": 1.5, "self": 1.0}


def streams(precisions):
    """Two streams from one top, every map through tanh, the same weights at every call."""
    rngs = nnx.Rngs(5)

    def layer(above, below):
        return pcmodel.Dense(above, below, scale=1.5, rngs=rngs)

    return pcmodel.hierarchy(
        {
            "image": Level(
                12, parents=["sight"], layer=layer(4, 12), precision=precisions["image"]
            ),
            "sound": Level(
                8, parents=["hearing"], layer=layer(3, 8), precision=precisions["sound"]
            ),
            "sight": Level(
                4, parents=["self"], layer=layer(2, 4), precision=precisions["sight"]
            ),
            "hearing": Level(
                3, parents=["self"], layer=layer(2, 3), precision=precisions["hearing"]
            ),
            "self": Level(2, precision=precisions["self"]),
        },
        rngs=nnx.Rngs(0),
    )


def merging():
    """An image and a label below levels that merge, with a map from each parent."""
    return pcmodel.hierarchy(
        {
            "image": Level(6, parents=["shapes"]),
            "label": Level(3, pcmodel.Categorical(), parents=["self"]),
            "shapes": Level(4, parents=["style", "self"], precision=np.ones(4)),
            "style": Level(2),
            "self": Level(3),
        },
        rngs=nnx.Rngs(0),
    )


def learned(network, **options):
    rng = np.random.default_rng(0)
    data = {"image": rng.normal(size=(24, 6)), "label": np.eye(3)[np.arange(24) % 3]}
    options = {"num_epochs": 3, "batch_size": 8, **options}
    return pcmodel.train(network, data, key=jax.random.key(0), **options)


def test_maps_into_hidden_levels_keep_their_norms_and_maps_into_ends_do_not():
    """One norm per unit of each parent's map, as the level has a precision per unit."""
    start, end = merging(), learned(merging())
    image, label, shapes = zip(start.layers, end.network.layers, strict=True)
    for before, after in zip(shapes[0].maps, shapes[1].maps, strict=True):
        assert np.abs(after.weight[...] - before.weight[...]).max() > 1e-3
        np.testing.assert_allclose(
            np.linalg.norm(after.weight[...], axis=1),
            np.linalg.norm(before.weight[...], axis=1),
            rtol=1e-6,
        )
    for before, after in (image, label):
        norms = [np.linalg.norm(layer.weight[...]) for layer in (before, after)]
        assert abs(norms[1] / norms[0] - 1) > 1e-4
    assert "none is known" not in end.gauge


def skipping():
    """A level that reads the top through another and directly."""
    return pcmodel.hierarchy(
        {
            "data": Level(6, parents=["low"]),
            "low": Level(4, parents=["middle", "top"]),
            "middle": Level(3, parents=["top"]),
            "top": Level(2),
        },
        rngs=nnx.Rngs(0),
    )


def test_what_a_skip_adds_is_learned_and_scales_alone_are_fixed():
    """Three scales, of which the norms of two maps fix all but the common one: the third norm can be observed.

    Prevents the ratio of a skip to the path beside it from staying as it was drawn.
    """
    start, data = skipping(), np.random.default_rng(0).normal(size=(24, 6))
    end = pcmodel.train(
        start, data, key=jax.random.key(0), num_epochs=6, batch_size=8
    ).network

    def norms(network):
        low, middle = network.layers[1].maps, network.layers[2]
        return [np.linalg.norm(one.weight[...]) for one in (*low, middle)]

    ratio = np.array(norms(end)) / norms(start)
    held = np.abs(ratio - 1) < 1e-6
    assert held.sum() == 2 and np.abs(ratio[~held] - 1) > 1e-3, ratio


def test_the_decay_of_a_state_is_learned_though_its_scale_is_not():
    """Prevents the norm of a transition, which no scale can compensate, from being held."""
    start = pcmodel.over_time(
        {"y": Level(2, parents=["x"]), "x": Level(2, parents=["x[-1]"])},
        5,
        activation=lambda x: x,
        rngs=nnx.Rngs(0),
    )
    data = np.random.default_rng(0).normal(size=(16, 5, 2))
    end = pcmodel.train(
        start,
        pcmodel.at_steps({"y": data}),
        key=jax.random.key(0),
        num_epochs=4,
        batch_size=8,
    ).network
    norms = [np.linalg.norm(n.layers[-1].weight[...]) for n in (start, end)]
    assert abs(norms[1] / norms[0] - 1) > 1e-3


def test_a_training_of_two_ends_that_was_cut_ends_in_the_same_numbers(tmp_path):
    whole, calls = learned(merging()).network, []

    def cut():
        calls.append(0)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learned(merging(), checkpoints=tmp_path, advance=cut)
    again = learned(merging(), checkpoints=tmp_path).network
    jax.tree.map(
        np.testing.assert_array_equal, as_model(again)[1:], as_model(whole)[1:]
    )


@pytest.mark.slow
def test_the_precisions_of_two_streams_are_recovered():
    """All five from one, by HMC and natural gradients: within 5 %, or two standard errors of these data."""
    true = streams(TRUE)
    image, sound, *_ = pcmodel.sample(true, jax.random.key(1), 2000)
    learning = pcmodel.Learning(
        optax.set_to_zero(), precision_step=NaturalGradient(), e_step=Hmc()
    )
    found = pcmodel.train(
        streams(dict.fromkeys(TRUE, 1.0)),
        {"image": image, "sound": sound},
        key=jax.random.key(2),
        learning=learning,
        num_epochs=700,
        batch_size=500,
    )
    assert found.network.names == tuple(TRUE)
    assert all(found.precisions.settled), found.precisions.reasons
    for level, (name, value) in enumerate(TRUE.items()):
        learned = float(found.network.log_precision[level][...])
        allowed = max(0.05, 2 * float(found.precisions.standard_errors[level]))
        assert abs(learned - np.log(value)) < allowed, (name, np.exp(learned), allowed)
        print(name, np.exp(learned), value, found.precisions.standard_errors[level])

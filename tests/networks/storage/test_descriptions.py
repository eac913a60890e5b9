"""Layers on disk: what a file describes is built again with every option, and what it cannot is said."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from network_files import (
    Doubling,
    custom_network,
    rewritten,
    tanh_network,
)

import pcmodel
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.layers.scaling import Scaling
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model


def test_custom_layers_are_read_into_a_network(tmp_path):
    """Prevents a file from inventing the layers it cannot describe."""
    path = tmp_path / "custom.npz"
    pcmodel.save(custom_network(3.0), path)
    with pytest.raises(pcmodel.UserError, match="into=network"):
        pcmodel.load(path)
    given = custom_network()
    found = pcmodel.load(path, into=given)
    assert found.layers[0].factor[...] == 3.0 and given.layers[0].factor[...] == 2.0


def maps_network(seed=0, pool=None, multiplier=0.5, skip_scale=0.3):
    """Every layer of the package in one network, with options that are no defaults."""
    rngs, scaling = nnx.Rngs(seed), Scaling(1.0, multiplier, 0.1, 0.2)
    branch = pcmodel.Sequential(
        [
            pcmodel.Convolution(
                (4, 4, 2), 3, kernel=(3, 1), stride=2, padding=1, rngs=rngs
            ),
            pcmodel.Dense(18, 8, activation=jax.nn.leaky_relu, rngs=rngs),
        ]
    )
    skip = pcmodel.Convolution((4, 4, 2), 2, stride=2, activation=identity, rngs=rngs)
    layers = [
        pcmodel.Convolution(
            (2, 2, 2),
            3,
            kernel=1,
            padding=0,
            pool=pool or pcmodel.MaxPool(2),
            activation=jax.nn.gelu,
            rngs=rngs,
        ),
        pcmodel.Residual(branch, skip=skip, scale=skip_scale),
        pcmodel.TransposedConvolution(
            (2, 2, 3), 2, kernel=4, stride=2, padding=1, scaling=scaling, rngs=rngs
        ),
        pcmodel.Residual(pcmodel.Dense(12, 12, scaling=scaling, rngs=rngs)),
    ]
    return Network(layers, (3, 8, 32, 12, 12), log_precisions=[0.0] * 5)


def test_every_layer_is_rebuilt_from_the_file_alone(tmp_path):
    """Prevents an option of a layer from falling back to its default on the way."""
    network, path = maps_network(), tmp_path / "network.npz"
    pcmodel.save(network, path)
    found = pcmodel.load(path)
    before, after = as_model(network), as_model(found)
    assert after.model == before.model
    jax.tree.map(np.testing.assert_array_equal, before[1:], after[1:])
    top = np.linspace(-1, 1, 12)
    np.testing.assert_array_equal(
        pcmodel.predict(found, top), pcmodel.predict(network, top)
    )
    assert pcmodel.learning_rates(found) == pcmodel.learning_rates(network)


@pytest.mark.parametrize(
    "build",
    [
        lambda: pcmodel.residual_mlp(5, 4, 3, 2, rngs=nnx.Rngs(1)),
        lambda: pcmodel.resnet18((4, 4, 1), 2, channels=(2, 3), rngs=nnx.Rngs(1)),
        lambda: pcmodel.convolutional_generator(
            (4, 4, 1), 2, channels=(2,), rngs=nnx.Rngs(1)
        ),
    ],
)
def test_built_networks_are_rebuilt_from_the_file_alone(tmp_path, build):
    """Prevents a trained network from needing the code that built it."""
    network = build()
    pcmodel.save(network, tmp_path / "network.npz")
    found = pcmodel.load(tmp_path / "network.npz")
    before, after = as_model(network), as_model(found)
    assert after.model == before.model
    jax.tree.map(np.testing.assert_array_equal, before[1:], after[1:])


@pytest.mark.parametrize(
    "other, words",
    [
        (lambda: maps_network(pool=pcmodel.AveragePool(2)), "level 0.*pool"),
        (lambda: maps_network(skip_scale=0.4), "level 1.*scale"),
        (lambda: maps_network(multiplier=0.6), "level 2.*scaling"),
    ],
)
def test_weights_are_not_poured_into_layers_with_other_options(tmp_path, other, words):
    """Prevents arrays that fit by shape from computing something else."""
    pcmodel.save(maps_network(), tmp_path / "network.npz")
    with pytest.raises(pcmodel.UserError, match=words):
        pcmodel.load(tmp_path / "network.npz", into=other())


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda data: data.pop("layers"), "lacks layers"),
        (lambda data: data.update(format=1), "format 1"),
        (lambda data: data["layers"][0].update(layer="os.system"), "no layer"),
        (lambda data: data["layers"][0].update(width=-1), "no layer"),
        (lambda data: data["layers"][0].update(activation="eval"), "no layer"),
        (lambda data: data["layers"][0].pop("scaling"), "no layer"),
        (lambda data: data["layers"].pop(), "layer"),
        (lambda data: data.update(layers=[3, 4]), "no layer"),
    ],
)
def test_a_foreign_description_is_refused_in_one_sentence(saved, change, words):
    """Prevents a file from naming what is built, and a traceback for one that is odd."""

    def edit(arrays):
        data = json.loads(str(arrays["metadata"]))
        change(data)
        arrays["metadata"] = np.array(json.dumps(data))

    rewritten(saved, edit)
    for into in (None, tanh_network()):
        with pytest.raises(pcmodel.UserError) as error:
            pcmodel.load(saved, into=into)
        assert into is not None or words.split()[-1] in str(error.value)


def test_a_custom_branch_makes_a_layer_custom(tmp_path):
    """Prevents half a residual layer from being described."""
    network = Network([pcmodel.Residual(Doubling())], [2, 2], log_precisions=[0.0] * 2)
    pcmodel.save(network, tmp_path / "network.npz")
    with pytest.raises(pcmodel.UserError, match="custom layers"):
        pcmodel.load(tmp_path / "network.npz")


def test_dense_layers_keep_their_own_activation(tmp_path):
    """Prevents the layers of one network from being given one activation."""
    layers = [
        Dense(4, 3, activation=jnp.tanh, rngs=nnx.Rngs(0)),
        Dense(2, 4, activation=jax.nn.sigmoid, rngs=nnx.Rngs(1)),
    ]
    network = Network(layers, (3, 4, 2), log_precisions=[0.0] * 3)
    pcmodel.save(network, tmp_path / "network.npz")
    found = pcmodel.load(tmp_path / "network.npz")
    assert as_model(found).model == as_model(network).model

"""Networks on disk: what is read is what was written, or a sentence saying why not."""

import dataclasses
import json
import os
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.layers.scaling import Scaling
from pcmodel.networks.network import Network, as_model
from pcmodel.networks.storage.network_file import checksum

UNITS = np.array([1.0, 2.0, 3.0, 4.0])
FULL = np.array([[2.0, 0.5], [0.5, 1.0]])


def tanh_network(seed=0, **options):
    options = {"precisions": (4.0, UNITS, FULL), **options}
    return pcmodel.dense((3, 4, 2), rngs=nnx.Rngs(seed), **options)


def bernoulli_network():
    return tanh_network(
        precisions=(None, 2.0, 1.0),
        likelihood=pcmodel.Bernoulli(),
        names=["a", "b", "c"],
    )


class Doubling(nnx.Module):
    """A layer no file can describe."""

    def __init__(self):
        self.factor = nnx.Param(jnp.array(2.0))

    def __call__(self, above):
        return self.factor[...] * above


def custom_network(value=2.0):
    network = Network([Doubling()], [2, 2], log_precisions=[0.0, 0.0])
    network.layers[0].factor[...] = value
    return network


@pytest.fixture
def saved(tmp_path):
    """A network file."""
    path = tmp_path / "network.npz"
    pcmodel.save(tanh_network(), path)
    return path


@pytest.mark.parametrize(
    ("build", "into"),
    [
        (tanh_network, False),
        (bernoulli_network, True),
        pytest.param(tanh_network, True, marks=pytest.mark.slow),
        pytest.param(bernoulli_network, False, marks=pytest.mark.slow),
    ],
)
def test_a_network_read_back_infers_the_same_to_the_bit(tmp_path, build, into):
    """Prevents a paper's figure from being redrawn with another network."""
    network, path = build(), tmp_path / "network.npz"
    network.prior_mean[...] = jnp.array([0.3, -2.0])
    pcmodel.save(network, path)
    found = pcmodel.load(path, into=build() if into else None)
    before, after = as_model(network), as_model(found)
    assert after.model == before.model
    jax.tree.map(np.testing.assert_array_equal, before[1:], after[1:])
    data = np.array([0.0, 1.0, 1.0])
    one, other = (pcmodel.posterior(given, data) for given in (network, found))
    np.testing.assert_array_equal(one.result.whitened, other.result.whitened)
    np.testing.assert_array_equal(one.log_evidence, other.log_evidence)


@pytest.mark.parametrize("activation", [identity, jax.nn.relu, jax.nn.softplus])
def test_the_activation_is_remembered(tmp_path, activation):
    """Prevents weights learned through one nonlinearity from being read into another."""
    network = tanh_network(activation=activation)
    pcmodel.save(network, tmp_path / "network.npz")
    found = pcmodel.load(tmp_path / "network.npz")
    assert as_model(found).model == as_model(network).model
    assert found.is_linear == (activation is identity)


def test_weights_are_not_poured_into_another_nonlinearity(saved):
    """Prevents `into` from silently changing what the weights mean."""
    with pytest.raises(pcmodel.UserError, match="activation"):
        pcmodel.load(saved, into=tanh_network(activation=jax.nn.relu))


@pytest.mark.parametrize(
    "into",
    [
        lambda: pcmodel.dense((3, 5, 2), rngs=nnx.Rngs(0)),
        lambda: pcmodel.dense((3, 4, 4, 2), rngs=nnx.Rngs(0)),
        lambda: tanh_network(precisions=(4.0, 1.0, 1.0)),
    ],
)
def test_another_architecture_is_refused(saved, into):
    """Prevents arrays from being broadcast into a network they were not learned in."""
    with pytest.raises(pcmodel.UserError, match="does not fit"):
        pcmodel.load(saved, into=into())


def rewritten(path, change):
    """The file with its arrays changed and a valid archive, duly signed, around them."""
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    metadata = json.loads(str(arrays["metadata"]))
    metadata.pop("checksum")
    signed = metadata | {"checksum": checksum(metadata)}
    arrays["metadata"] = np.array(json.dumps(signed))
    np.savez(path, **arrays)


def said(path):
    """What the file says about its network, and its arrays."""
    with np.load(path) as file:
        arrays = dict(file)
    return json.loads(str(arrays.pop("metadata"))), arrays


@pytest.mark.parametrize(
    "change",
    [
        {"names": ["top", "b", "a"]},
        {"is_linear": True},
        {"likelihood": "bernoulli"},
        {"ties": [[0, ["bias"], 1, ["bias"]]]},
        {"types": {}},
        {"checksum": "0" * 64},
        {"checksum": None},
    ],
    ids=str,
)
def test_what_a_file_says_is_sealed(saved, change):
    """Prevents edited metadata from making another network of the same weights."""
    metadata, arrays = said(saved)
    np.savez(saved, metadata=np.array(json.dumps(metadata | change)), **arrays)
    with pytest.raises(pcmodel.UserError, match="damaged or was edited"):
        pcmodel.load(saved)


@pytest.mark.parametrize("version", [2, 3])
def test_files_from_before_the_seal_are_read(saved, version):
    """Prevents networks saved by earlier versions from being lost."""
    before = pcmodel.load(saved)
    metadata, arrays = said(saved)
    metadata |= {"format": version}
    del metadata["checksum"]
    np.savez(saved, metadata=np.array(json.dumps(metadata)), **arrays)
    after = pcmodel.load(saved)
    jax.tree.map(
        np.testing.assert_array_equal, as_model(before)[1:], as_model(after)[1:]
    )


def test_a_changed_weight_is_named(saved):
    """Prevents an archive repaired around damaged numbers from being trusted."""
    name = "[0]['layers'][1]['weight']"
    rewritten(saved, lambda arrays: arrays[name].__setitem__((0, 0), 7.0))
    with pytest.raises(pcmodel.UserError, match="damaged") as error:
        pcmodel.load(saved)
    assert name in str(error.value)


def test_a_missing_array_is_refused(saved):
    """Prevents a level from keeping its initial weights unnoticed."""
    rewritten(saved, lambda arrays: arrays.pop("[0]['prior_mean']"))
    with pytest.raises(pcmodel.UserError):
        pcmodel.load(saved)


def test_no_flipped_byte_changes_a_network(saved):
    """Prevents bit rot: either the file is refused or it reads as it was written."""
    whole, original = saved.read_bytes(), as_model(pcmodel.load(saved))
    refused = 0
    for position in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        saved.write_bytes(damaged)
        try:
            found = as_model(pcmodel.load(saved))
        except pcmodel.UserError as error:
            assert saved.name in str(error)
            refused += 1
        else:
            jax.tree.map(np.testing.assert_array_equal, found[1:], original[1:])
    assert refused > 20


def array_file(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def other_archive(path):
    np.savez(path, x=np.zeros(3))


def other_metadata(path):
    np.savez(path, metadata=np.array("[1, 2]"))


def plain_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")


@pytest.mark.parametrize(
    "write",
    [
        array_file,
        other_archive,
        other_metadata,
        plain_zip,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("a shopping list"),
        lambda path: path.mkdir(),
        lambda path: None,
    ],
)
def test_a_foreign_file_is_refused_in_one_sentence(tmp_path, write):
    """Prevents a traceback from numpy where the path was simply wrong."""
    path = tmp_path / "thing.npz"
    write(path)
    with pytest.raises(pcmodel.UserError, match=r"thing\.npz"):
        pcmodel.load(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved, share):
    """Prevents an interrupted copy from being read as a smaller network."""
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(pcmodel.UserError, match=saved.name):
        pcmodel.load(saved)


def test_a_place_that_cannot_be_written_is_named_and_left_clean(tmp_path):
    """Prevents hours of training from ending in a traceback and a stray file."""
    taken = tmp_path / "folder"
    (taken / "inside").mkdir(parents=True)
    for path in (tmp_path / "nowhere" / "network.npz", taken):
        with pytest.raises(pcmodel.UserError, match="cannot write"):
            pcmodel.save(tanh_network(), path)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("failure", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_a_failed_write_keeps_the_old_file(saved, monkeypatch, failure):
    """Prevents a full disk, or Ctrl-C, from costing the network that was there."""
    before = saved.read_bytes()

    def fail(number):
        os.write(number, b"half")
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((pcmodel.UserError, KeyboardInterrupt)):
        pcmodel.save(tanh_network(1), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


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


def test_a_network_of_half_numbers_is_read_back_as_it_was(tmp_path):
    """Prevents bfloat16, which numpy does not know, from making a file that nothing can read."""
    network = tanh_network()
    state = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), nnx.state(network))
    nnx.update(network, state)
    pcmodel.save(network, tmp_path / "half.npz")
    for into in (None, network):
        found = pcmodel.load(tmp_path / "half.npz", into=into)
        for one, other in zip(
            jax.tree.leaves(as_model(found)[1:]),
            jax.tree.leaves(as_model(network)[1:]),
            strict=True,
        ):
            assert one.dtype == other.dtype == jnp.bfloat16
            np.testing.assert_array_equal(one, other)


def test_a_file_of_the_format_before_is_still_read(saved):
    """Prevents networks that were saved before from being lost."""

    def older(arrays):
        metadata = json.loads(str(arrays["metadata"]))
        metadata["format"] = 2
        del metadata["ties"], metadata["types"]
        arrays["metadata"] = np.array(json.dumps(metadata))

    rewritten(saved, older)
    found, network = as_model(pcmodel.load(saved)), as_model(tanh_network())
    jax.tree.map(np.testing.assert_array_equal, found[1:], network[1:])


@dataclasses.dataclass(frozen=True)
class Tempered(pcmodel.Bernoulli):
    """A likelihood of a user's own, with an option; it keeps the name of the one it is made of."""

    temperature: float = 1.0


@dataclasses.dataclass(frozen=True)
class Weighted(pcmodel.Bernoulli):
    """A likelihood that a file cannot describe."""

    weights: tuple = ()


def with_likelihood(likelihood):
    return pcmodel.dense(
        (3, 2), precisions=(None, 1.0), likelihood=likelihood, rngs=nnx.Rngs(0)
    )


def test_a_likelihood_of_ones_own_comes_back_by_its_class(tmp_path, monkeypatch):
    """Prevents it from coming back as the one whose name it has, or with other options, or not at all."""
    path = tmp_path / "own.npz"
    pcmodel.save(with_likelihood(Tempered(2.0)), path)
    assert pcmodel.load(path).likelihood == Tempered(2.0)
    into = with_likelihood(Tempered(2.0))
    with pytest.raises(pcmodel.UserError, match="does not fit"):
        pcmodel.load(path, into=with_likelihood(Tempered(3.0)))
    with pytest.raises(pcmodel.UserError, match="does not fit"):
        pcmodel.load(path, into=with_likelihood(pcmodel.Bernoulli()))
    monkeypatch.delitem(globals(), "Tempered")
    with pytest.raises(pcmodel.UserError, match=r"not defined here.*into=network"):
        pcmodel.load(path)
    assert pcmodel.load(path, into=into).likelihood == into.likelihood


def test_a_likelihood_that_a_file_cannot_hold_is_refused_when_saved(tmp_path):
    """Prevents the loss from being found out when the network is needed."""
    network = with_likelihood(Weighted((np.ones(3),)))
    with pytest.raises(pcmodel.UserError, match="'weights'"):
        pcmodel.save(network, tmp_path / "own.npz")
    assert not list(tmp_path.iterdir())


def test_a_file_can_ask_for_no_class_but_a_likelihood(saved):
    """Prevents a file from making an object of any class that happens to be loaded."""

    def foreign(arrays):
        metadata = json.loads(str(arrays["metadata"]))
        metadata["likelihood"] = {
            "class": "subprocess.Popen",
            "options": {"args": "true"},
        }
        arrays["metadata"] = np.array(json.dumps(metadata))

    rewritten(saved, foreign)
    with pytest.raises(pcmodel.UserError, match="not defined here"):
        pcmodel.load(saved)

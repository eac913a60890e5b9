"""Networks on disk: what is read is what was written, or a sentence saying why not."""

import json
import os
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from network_files import (
    bernoulli_network,
    rewritten,
    said,
    tanh_network,
)

import pcmodel
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.pure import as_model


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

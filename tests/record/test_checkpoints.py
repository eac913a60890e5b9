"""Checkpoints: what was saved comes back to the bit, and nothing else ever does."""

import json
import os
import resource
import subprocess
import sys
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pcmodel
from pcmodel.record import checkpoints as module
from pcmodel.record.checkpoints import Checkpoints
from pcmodel.record.leaves import name_arrays

IDENTITY = {"network": "4-3-2 tanh", "configuration": "0a1b2c3d"}


class State(NamedTuple):
    weights: dict
    optimiser: object
    key: jax.Array
    step: np.ndarray


def state(seed=0, width=3):
    """Every kind of array training holds: optax state, bfloat16, keys, counters, none."""
    key = jax.random.key(seed)
    weights = {
        "layer": jax.random.normal(key, (4, width), jnp.float32),
        "half": jax.random.normal(key, (5,), jnp.bfloat16),
        "nothing": jnp.zeros((0, 2)),
        "absent": None,
        "flag": jnp.array(True),
    }
    optimiser = optax.adam(1e-2)
    gradient = jax.tree.map(jnp.ones_like, weights)
    _, moved = optimiser.update(gradient, optimiser.init(weights), weights)
    return State(weights, moved, jax.random.split(key, 3), np.array(7))


def folder_of(tmp_path, **options):
    return Checkpoints(tmp_path / "checkpoints", IDENTITY, **options)


def content(tree):
    return [leaf.sha256 for leaf in name_arrays(tree).leaves]


def test_a_state_comes_back_to_the_bit(tmp_path):
    """Prevents a resumed run from differing in the last digit, or in its random numbers."""
    saved, other = state(seed=1), state(seed=2)
    folder_of(tmp_path).save(12, saved, notes={"energy": [1.5, float("nan")]})
    found = folder_of(tmp_path).restore(other)
    assert content(found.state) == content(saved) != content(other)
    assert jax.tree.structure(found.state) == jax.tree.structure(saved)
    for one, two in zip(
        jax.tree.leaves(found.state), jax.tree.leaves(saved), strict=True
    ):
        assert type(one) is type(two) and one.dtype == two.dtype
    draws = [jax.random.normal(s.key[2], (4,)) for s in (found.state, saved)]
    np.testing.assert_array_equal(*draws)
    assert (found.step, found.notes) == (12, {"energy": [1.5, None]})


def test_the_newest_two_and_the_best_are_kept(tmp_path):
    """Prevents a long run from filling the disk, and from losing its best network."""
    store = folder_of(tmp_path)
    for step, metric in enumerate([0.1, 0.9, 0.2, 0.9, None, float("nan")]):
        store.save(step, state(step), metric=metric)
    assert store.steps() == [1, 4, 5] and store.best() == 1
    assert content(store.restore(state(), 1).state) == content(state(1))
    store.discard_after(1)
    assert store.steps() == [1]


def files(path):
    return [f for f in sorted(path.rglob("*")) if f.is_file() and f.stat().st_size]


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_any_damage_is_refused_and_the_checkpoint_before_it_still_serves(
    tmp_path, damage
):
    """Prevents a network with one wrong bit from going on training as if nothing were.

    Every file of the checkpoint is damaged in turn, at its middle byte.
    """
    store = folder_of(tmp_path)
    store.save(1, state(1))
    newest = store.save(2, state(2))
    damaged = files(newest)
    assert len(damaged) > 4
    for file in damaged:
        whole = file.read_bytes()
        broken = bytearray(whole)
        broken[len(whole) // 2] ^= 1
        if damage == "delete":
            file.unlink()
        else:
            cut = whole[: len(whole) // 2]
            file.write_bytes(bytes(broken) if damage == "flip" else cut)
        with pytest.raises(pcmodel.UserError, match=r"is damaged.*step=1") as caught:
            store.restore(state())
        assert str(newest) in str(caught.value) and file.name in str(caught.value)
        file.write_bytes(whole)
    assert content(store.restore(state()).state) == content(state(2))
    assert content(store.restore(state(), 1).state) == content(state(1))


def test_a_flipped_byte_that_the_array_store_lets_through_is_named(
    tmp_path, monkeypatch
):
    """Prevents the checksum of each array from being written but never compared."""
    store = folder_of(tmp_path)
    store.save(1, state())
    read = module._read_arrays

    def flipped(path):
        arrays = read(path)
        array = arrays["array_00002"].copy()
        array.view(np.uint8).reshape(-1)[3] ^= 1
        return arrays | {"array_00002": array}

    monkeypatch.setattr(module, "_read_arrays", flipped)
    with pytest.raises(pcmodel.UserError, match=r"weights\['layer'\].*checksum"):
        store.restore(state())


def rewrite(path, **changes):
    """Metadata changed with a valid checksum: as another version would have written it."""
    file = path / "metadata.json"
    metadata = json.loads(file.read_text()) | changes
    metadata.pop("sha256")
    file.write_text(json.dumps(metadata | {"sha256": module.hash_json(metadata)}))


def test_a_checkpoint_of_something_else_is_refused_in_one_sentence(tmp_path):
    """Prevents weights from being read into another network, or another experiment."""
    path = folder_of(tmp_path).save(3, state())

    def refused(words, template=None, identity=IDENTITY, step=None):
        store = Checkpoints(path.parent, identity)
        with pytest.raises(pcmodel.UserError, match=words) as caught:
            store.restore(state() if template is None else template, step)
        assert "\n" not in str(caught.value)

    refused(r"weights\['layer'\] is float32 of shape \(4, 3\)", state(width=5))
    refused(r"optimiser.*that this network", state()._replace(optimiser=()))
    wider = state()._replace(weights=state().weights | {"extra": jnp.ones(2)})
    refused(r"holds no array \.weights\['extra'\]", wider)
    refused(
        "another network .4-3-2 tanh.; expected 9-9",
        identity=IDENTITY | {"network": "9-9"},
    )
    refused("another seed", identity=IDENTITY | {"seed": 1})
    refused("no checkpoint of step 9; expected one of: 3", step=9)
    rewrite(path, format=99)
    refused("has format 99; expected 1")
    rewrite(path, format=1, versions={"pcmodel": "9.9", "jax": "0.0"})
    refused("pcmodel 9.9 and jax 0.0")
    found = Checkpoints(path.parent, IDENTITY, any_version=True).restore(state())
    assert content(found.state) == content(state())


def test_nothing_there(tmp_path):
    """Prevents an empty folder from starting a resumed run with random weights."""
    with pytest.raises(pcmodel.UserError, match="holds no checkpoint"):
        folder_of(tmp_path).restore(state())
    assert not (tmp_path / "checkpoints").exists()


def untouched_after(store, save, words):
    before = {f: f.read_bytes() for f in files(store.folder)}
    with pytest.raises(pcmodel.UserError, match=words):
        save()
    assert {f: f.read_bytes() for f in files(store.folder)} == before
    assert [path.name for path in store.folder.iterdir()] == ["step_00000001"]


def test_a_write_that_the_system_cuts_off_leaves_the_earlier_checkpoints(tmp_path):
    """Prevents a full disk from costing what was saved before it was full.

    The limit on a file's size stands for the full disk: the write fails inside the array store.
    """
    store, big = folder_of(tmp_path), {"a": np.random.default_rng(0).normal(size=10**5)}
    store.save(1, big)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def save():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            store.save(2, big)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    untouched_after(store, save, "cannot write there .File too large")


@pytest.mark.parametrize(("error", "words"), [(28, "No space"), (30, "Read-only")])
@pytest.mark.parametrize("place", ["_write_arrays", "write_json"])
def test_a_full_or_read_only_disk_is_one_sentence(
    tmp_path, monkeypatch, error, words, place
):
    """Prevents a traceback, and a half-written checkpoint, when the disk refuses."""
    store = folder_of(tmp_path)
    store.save(1, state())

    def refuse(*_):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(module, place, refuse)
    untouched_after(store, lambda: store.save(2, state()), words)


def test_a_file_where_the_folder_should_be(tmp_path):
    """Prevents a traceback when a name is taken."""
    (tmp_path / "checkpoints").write_text("mine")
    with pytest.raises(pcmodel.UserError, match="Not a directory"):
        folder_of(tmp_path).save(1, state())
    assert (tmp_path / "checkpoints").read_text() == "mine"


def test_saving_a_step_again_replaces_it(tmp_path):
    """Prevents a run that went back a step from stumbling over its own later checkpoint."""
    store = folder_of(tmp_path)
    store.save(1, state(1))
    store.save(1, state(2))
    assert store.steps() == [1]
    assert content(store.restore(state()).state) == content(state(2))


WRITER = """
import sys, numpy as np
from pcmodel.record.checkpoints import Checkpoints
store = Checkpoints(sys.argv[1], {})
for step in range(max(store.steps(), default=0) + 1, 10**6):
    store.save(step, {"a": np.full(1000, step), "step": np.array(step)})
    print(step, flush=True)
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_only_whole_checkpoints(tmp_path):
    """Prevents a kill from leaving half a checkpoint that looks like one."""
    store, rng = Checkpoints(tmp_path / "c", {}), np.random.default_rng(0)
    template = {"a": np.zeros(1000, int), "step": np.array(0)}
    reached = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.folder)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        time.sleep(rng.uniform(0, 0.2))
        process.kill()
        process.communicate(timeout=60)
        steps = store.steps()
        assert 1 <= len(steps) <= 3 and steps[-1] >= reached + 3
        reached = steps[-1]
        for step in steps:
            found = store.restore(template, step).state
            np.testing.assert_array_equal(found["a"], np.full(1000, step))
            assert found["step"] == step

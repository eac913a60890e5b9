"""A run's record: strict, whole, and never destroying what is not its own."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel.errors import UserError
from pcmodel.record import (
    RunFolder,
    RunIdentity,
    dump_json,
    flatten_arrays,
    read_arrays,
    to_jsonable,
    write_arrays,
    write_bytes,
    write_json,
)
from pcmodel.record.folder import COMPLETE, INTERRUPTED, is_complete, read_status
from pcmodel.record.processes import began


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    widths: tuple[int, ...] = (3, 4)


class Pair(NamedTuple):
    left: object
    right: object


def identity(**changes):
    parts = {"experiment": "toy", "config": Inner(), "seed": 3} | changes
    return RunIdentity(**parts)


# --- strict JSON


def test_json_holds_dataclasses_tuples_and_arrays():
    value = Pair(
        Inner(), {"mean": jnp.arange(3), 2: np.float32(0.5), "at": Path("a/b")}
    )
    assert json.loads(dump_json(value)) == {
        "left": {"rate": 0.5, "widths": [3, 4]},
        "right": {"mean": [0, 1, 2], "2": 0.5, "at": "a/b"},
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (np.array([1.0, np.nan, -np.inf]), [1.0, None, "-Infinity"]),
        (jnp.inf, "Infinity"),
        (np.bool_(True), True),
        (np.int64(7), 7),
        (jnp.float32(0.25), 0.25),
        (jnp.zeros(2, jnp.bfloat16), [0.0, 0.0]),
    ],
)
def test_json_has_no_tokens_that_other_readers_refuse(value, expected):
    def refuse(token):
        raise AssertionError(token)

    assert json.loads(dump_json(value), parse_constant=refuse) == expected


@pytest.mark.parametrize("value", [object(), {1, 2}, {(1, 2): 3}, np.array([object()])])
def test_json_refuses_what_could_not_be_read_back(value):
    with pytest.raises(TypeError, match=r"as JSON|JSON key"):
        to_jsonable(value)


# --- arrays


def test_arrays_are_named_by_their_place_and_come_back_equal(tmp_path):
    tree = Pair(
        Inner(), {"file": jnp.eye(2), "none": None, "list": [np.arange(2), "a"]}
    )
    names = flatten_arrays(tree)
    assert list(names) == [
        "left.rate",
        "left.widths.0",
        "left.widths.1",
        "right.file",
        "right.list.0",
        "right.list.1",
    ]
    write_arrays(tmp_path / "a.npz", names)
    again = read_arrays(tmp_path / "a.npz")
    assert list(again) == list(names)
    for name, array in names.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype


def test_an_array_may_be_called_file(tmp_path):
    write_arrays(tmp_path / "a.npz", {"file": np.arange(3)})
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.npz")["file"], np.arange(3))


def test_equal_arrays_are_equal_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_arrays(tmp_path / name, {"x": np.arange(100.0)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_objects_are_never_saved_or_read(tmp_path):
    with pytest.raises(TypeError, match=r"'left'.*object"):
        flatten_arrays(Pair(object(), None))
    np.savez(tmp_path / "evil.npz", x=np.array([{}], dtype=object))
    with pytest.raises(UserError, match="not a readable array file"):
        read_arrays(tmp_path / "evil.npz")


@pytest.mark.parametrize("read", [read_arrays, pcmodel.load])
def test_a_table_is_no_archive_and_nobody_is_told_to_unpickle_it(read, tmp_path):
    """numpy's own advice, allow_pickle, would run what a file says."""
    path = tmp_path / "x.csv"
    path.write_text("subject,trial\na,1\n")
    with pytest.raises(UserError) as caught:
        read(path)
    assert "x.csv" in str(caught.value) and "pickle" not in str(caught.value)
    assert "it is no archive of arrays; expected a" in str(caught.value).replace(
        ")", ""
    )


def test_damaged_and_missing_array_files_are_named(tmp_path):
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 cut")
    for name in ("cut.npz", "missing.npz"):
        with pytest.raises(UserError, match=name):
            read_arrays(tmp_path / name)


# --- whole files


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    write_json(path, {"old": 1})

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(UserError, match=r"result\.json.*No space left"):
        write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}
    assert os.listdir(tmp_path) == ["result.json"]


def test_a_value_that_cannot_be_written_leaves_no_file(tmp_path):
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", object())
    assert not os.listdir(tmp_path)


def test_writing_below_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Not a directory"):
        write_bytes(tmp_path / "file" / "x", b"")


# --- the folder


def test_a_run_says_running_from_the_start_and_its_end_last(tmp_path):
    folder = RunFolder.start(tmp_path / "r", identity())
    assert read_status(folder.path)["status"] == "running"
    assert not is_complete(folder.path, identity())
    folder.finish(COMPLETE)
    status = read_status(folder.path)
    assert status["status"] == COMPLETE and status["wall_seconds"] >= 0
    assert is_complete(folder.path, identity())
    assert not is_complete(folder.path, identity(seed=4))


def test_the_name_tells_experiment_config_and_seed_apart():
    names = {
        identity().folder_name,
        identity(seed=4).folder_name,
        identity(config=Inner(0.6)).folder_name,
        identity(experiment="other").folder_name,
        identity(float64=True).folder_name,
    }
    assert len(names) == 5
    assert identity().folder_name == identity().folder_name
    assert identity().folder_name.startswith("toy-")
    assert identity().folder_name.endswith("-3")


def test_a_complete_run_is_kept_unless_overwritten(tmp_path):
    folder = RunFolder.start(tmp_path, identity())
    folder.write_figure("old", b"png")
    folder.write_text("error.txt", "old")
    (tmp_path / "notes.txt").write_text("mine")
    folder.finish(COMPLETE)
    with pytest.raises(UserError, match=r"complete run of toy.*--overwrite"):
        RunFolder.start(tmp_path, identity())
    RunFolder.start(tmp_path, identity(), overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["config.json", "notes.txt", "status.json"]


def test_an_unfinished_run_is_started_again(tmp_path):
    RunFolder.start(tmp_path, identity()).finish(INTERRUPTED)
    (tmp_path / ".arrays.npz.partial").write_text("left by a kill")
    RunFolder.start(tmp_path, identity())
    assert sorted(os.listdir(tmp_path)) == ["config.json", "status.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_never_touched(tmp_path, overwrite):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="not a run of pcmodel"):
        RunFolder.start(tmp_path, identity(), overwrite=overwrite)
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_a_run_still_going_on_is_not_disturbed(tmp_path):
    folder = RunFolder.start(tmp_path, identity())
    other = {"process": os.getppid(), "process_began": began(os.getppid())}
    status = read_status(folder.path) | other
    write_json(tmp_path / "status.json", status)
    with pytest.raises(UserError, match="still writing"):
        RunFolder.start(tmp_path, identity(), overwrite=True)


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="file: "):
        RunFolder.start(tmp_path / "file", identity())

"""Who writes a run's folder: one process at a time, and the folder never says `running` for a dead one."""

import errno
import os
import stat
import subprocess
import sys
import time

import pytest
from flax import nnx

import pcmodel
from pcmodel.errors import UserError
from pcmodel.record import RunFolder, RunIdentity, write_json
from pcmodel.record.files import write_bytes
from pcmodel.record.folder import FAILED, RUNNING, is_complete, read_status
from pcmodel.record.processes import alone, began, is_alive, this_process

IDENTITY = RunIdentity("toy", 1, 3)
DEAD = 2**22 + 1
"""No process has this number: the largest that Linux gives is 2^22."""


def as_another(tmp_path, **told):
    """A folder that says it is being written by another process."""
    folder = RunFolder.start(tmp_path, IDENTITY)
    write_json(tmp_path / "status.json", read_status(folder.path) | told)


def test_a_number_given_again_is_another_process(tmp_path):
    """Prevents a run from being locked for ever by whatever process got its number."""
    parent = os.getppid()
    as_another(tmp_path, process=parent, process_began=began(parent))
    with pytest.raises(UserError, match=f"process {parent} is still writing"):
        RunFolder.start(tmp_path, IDENTITY)
    as_another_began = read_status(tmp_path) | {"process_began": "yesterday"}
    write_json(tmp_path / "status.json", as_another_began)
    assert RunFolder.start(tmp_path, IDENTITY).path == tmp_path


@pytest.mark.parametrize("number", [-1, 0, True, "1", None, DEAD, 10**30, 1.5])
def test_what_is_no_process_is_dead(number):
    """Prevents a signal to every process (-1), and a lock held by nobody."""
    assert not is_alive(this_process() | {"process": number})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        '{"status": 3}',
        '{"config_hash": []}',
        "[" * 100000,
        '{"status": "running", "status": "complete"}',
        "�",
    ],
)
def test_a_status_that_says_nothing_is_not_a_run(tmp_path, content):
    """Prevents odd content from ending in a traceback, or from being cleared away."""
    (tmp_path / "status.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert read_status(tmp_path) is None and not is_complete(tmp_path, IDENTITY)
    with pytest.raises(UserError, match="not a run of pcmodel"):
        RunFolder.start(tmp_path, IDENTITY, overwrite=True)


def test_two_that_start_at_once_are_one_and_a_sentence(tmp_path):
    """Prevents two processes from writing one run."""
    tmp_path.mkdir(exist_ok=True)
    with alone(tmp_path), pytest.raises(UserError, match="another process is starting"):
        RunFolder.start(tmp_path, IDENTITY)
    assert list(tmp_path.iterdir()) == []
    script = (
        "import sys, time; from pathlib import Path\n"
        "from pcmodel.record import RunFolder, RunIdentity\n"
        "from pcmodel.errors import UserError\n"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()))\n"
        "try: RunFolder.start(Path(sys.argv[1]), RunIdentity('toy', 1, 3))\n"
        "except UserError: print('refused')\n"
        "else: print('started'); sys.stdout.flush(); time.sleep(3)\n"
    )
    at = str(time.time() + 1.5)
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), at],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = sorted(each.communicate()[0].strip() for each in starting)
    assert said == ["refused", "refused", "refused", "started"]


def no_space(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_nothing_running(tmp_path, monkeypatch):
    """Prevents a run that has ended from saying for ever that it goes on."""
    folder = RunFolder.start(tmp_path / "one", IDENTITY)
    monkeypatch.setattr(os, "fsync", no_space)
    folder.finish(FAILED, "the disk is full")
    status = read_status(folder.path)
    assert status["status"] == FAILED and status["reason"] == "the disk is full"
    with pytest.raises(UserError, match="No space left"):
        RunFolder.start(tmp_path / "two", IDENTITY)
    assert read_status(tmp_path / "two") is None


def test_a_disk_that_fills_at_the_start_leaves_nothing_running(tmp_path, monkeypatch):
    """Prevents the same where the configuration no longer fits beside the status."""
    left = iter([None])

    def one_file(number):
        next(left, no_space) is None or no_space()

    monkeypatch.setattr(os, "fsync", one_file)
    with pytest.raises(UserError, match="No space left"):
        RunFolder.start(tmp_path, IDENTITY)
    assert read_status(tmp_path)["status"] != RUNNING


def test_what_a_killed_writer_left_is_swept_and_a_live_one_is_not(tmp_path):
    """Prevents halves of files from piling up, and a live writer's from being taken away."""
    path = tmp_path / "network.npz"
    seen = []
    real = os.fsync

    def look(number):
        seen.extend(each.name for each in tmp_path.iterdir())
        real(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", look)
        write_bytes(path, b"whole")
    (own,) = seen
    dead = own.replace(f"-{os.getpid()}-", f"-{DEAD}-")
    alive = own.replace(f"-{os.getpid()}-", f"-{os.getppid()}-")
    (tmp_path / dead).write_bytes(b"half")
    (tmp_path / alive).write_bytes(b"half")
    write_bytes(path, b"new")
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        [alive, path.name]
    )


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_saved_network_has_the_mode_of_any_file(tmp_path, mask):
    """Prevents colleagues from being shut out of a network by how it was written."""
    before = os.umask(mask)
    try:
        pcmodel.save(pcmodel.dense((2, 1), rngs=nnx.Rngs(0)), tmp_path / "n.npz")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "n.npz").stat().st_mode) == 0o666 & ~mask

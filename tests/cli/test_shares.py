"""Work shared among jobs: every piece once, the numbers of one run, and bad input in one sentence."""

import subprocess
import sys
import time

import numpy as np
import pytest

from pcmodel.cli import main
from pcmodel.cli.running.cluster import without_cluster
from pcmodel.cli.running.shares import Share, ShareDone, SharedStore, read_share
from pcmodel.record import read_arrays


@pytest.mark.parametrize("total", [1, 2, 3, 7])
@pytest.mark.parametrize("together", [1, 4])
def test_every_piece_is_computed_once_and_blocks_stay_whole(total, together):
    common, blocks = {}, {}
    for number in range(total):
        store = SharedStore(common, Share(number, total), together=together)
        for piece in range(22):
            if piece not in store:
                assert piece not in common
                store[piece] = piece * 10
                assert blocks.setdefault(piece // together, number) == number
        # A later job reads all; an earlier one ends where it would read another's.
        if total > 1:
            with pytest.raises(ShareDone):
                [store[piece] for piece in range(22)]
    assert sorted(common) == list(range(22))
    own = SharedStore(common, Share(total - 1, total), together=together)
    assert [own[piece] for piece in own] == [10 * piece for piece in own]
    assert len(own) == sum(own.is_own(piece) for piece in range(22))
    again = SharedStore(common, Share(0, 1))
    assert [again[piece] for piece in range(22)] == [10 * i for i in range(22)]


@pytest.mark.parametrize(
    "text", ["", "1", "2/2", "-1/3", "0/0", "1/2/3", "a/b", "0/99999"]
)
def test_what_is_no_share(text):
    with pytest.raises(Exception, match="is no share"):
        read_share(text)


def test_jobs_get_the_command_without_what_is_said_of_jobs():
    line = ["recover", "binary", "hgf2", "--cluster", "slurm", "--jobs=4", "--output"]
    line += ["there", "--quiet", "--cluster-options", "a=1", "--seed", "3"]
    assert without_cluster(line) == ["recover", "binary", "hgf2", "--seed", "3"]


WORDS = ("recover", "binary", "rescorla_wagner", "--smoke", "--quiet")


@pytest.mark.parametrize(
    ("more", "part"),
    [
        (("--jobs", "3"), "--jobs: is said of a cluster"),
        (("--cluster-options", "a=1"), "--cluster-options: is said of a cluster"),
        (("--share", "3/3"), "is no share"),
        (("--cluster", "local", "--share", "0/2"), "--share: is one job's"),
        (("--cluster", "local", "--overwrite"), "deletes what other jobs compute"),
        (("--cluster", "local", "--cluster-options", "a"), "cannot be read: 'a'"),
        (("--cluster", "condor"), "condor"),
    ],
)
def test_bad_input_is_one_sentence(more, part, capsys):
    assert main([*WORDS, *more]) == 2
    said = capsys.readouterr().err
    assert part in said and "Traceback" not in said


def test_without_submitit_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "submitit", None)
    assert main([*WORDS, "--cluster", "local"]) == 2
    assert "pip install 'pcmodel[cluster]'" in capsys.readouterr().err


def same(one, other):
    first, second = (read_arrays(path / "arrays.npz") for path in (one, other))
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_shares_add_up_to_the_run_that_was_not_shared(tmp_path, monkeypatch):
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    assert main([*WORDS, "--output", str(whole)]) == 0
    for share in ("1/2", "0/2"):
        assert main([*WORDS, "--output", str(shared), "--share", share]) == 0
    from pcmodel.behaviour.studies import recovery

    monkeypatch.setattr(recovery, "_study", None)  # nothing is left to compute
    assert main([*WORDS, "--output", str(shared)]) == 0
    same(whole, shared)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_local_jobs_killed_half_way_and_given_again_end_in_the_same_numbers(tmp_path):
    """In processes of their own, as a user would run and stop them."""
    pytest.importorskip("submitit")
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    assert main([*WORDS, "--replications", "6", "--output", str(whole)]) == 0
    words = [sys.executable, "-m", "pcmodel", *WORDS, "--replications", "6"]
    words += ["--output", str(shared), "--cluster", "local"]

    def finished():
        return len(list(shared.glob("replications-*/[0-9]*.npz")))

    running = subprocess.Popen(words)
    try:
        while running.poll() is None and not finished():
            time.sleep(0.05)
    finally:
        running.terminate()
        running.wait()
    assert 1 <= finished()
    assert subprocess.run(words, check=False).returncode == 0
    assert finished() == 6
    same(whole, shared)

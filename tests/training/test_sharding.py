"""A run shared among devices, or among processes, learns what one device learns."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def start(*words, module="training.sharing"):
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "true",
    }
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(processes, seconds):
    """What each found."""
    told = printed(processes, seconds)
    return [json.loads(text.split("FOUND")[1].splitlines()[0]) for text in told]


def printed(processes, seconds):
    """What each printed; a process that waits for a dead one is killed, not asked."""
    try:
        told = [process.communicate(timeout=seconds)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, text in zip(processes, told, strict=True):
        assert process.returncode == 0, text[-3000:]
    return told


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def close(one, two):
    for name in ("classify", "generate"):
        np.testing.assert_allclose(one[name], two[name], rtol=1e-6)


@pytest.mark.slow
def test_two_devices_learn_what_one_learns(tmp_path):
    """Prevents half of every batch from being lost, or counted twice; resumes too."""
    (one,) = finish([start(1, tmp_path / "one")], 200)
    (two,) = finish([start(2, tmp_path / "two")], 200)
    close(one, two)
    assert two["is_shared"] and not one["is_shared"]
    assert one["classify_resumed"] == two["classify_resumed"] == 12


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_learn_what_one_learns(tmp_path):
    """Prevents processes from learning apart, or from writing over each other."""
    (one,) = finish([start(1, "none")], 200)
    port = free_port()
    together = [start(2, tmp_path / "run", number, 2, port) for number in range(2)]
    first, second = finish(together, 240)
    close(one, first)
    assert first == second
    steps = sorted(
        path.name for path in (tmp_path / "run/classify/checkpoints").iterdir()
    )
    assert steps[-1] == "step_00000012"
    lines = (tmp_path / "run/classify/metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 6, 9, 12]


BRANCHES = "training.sharing_branches"
KINDS = "samples,chains,incremental"


def same(found, kinds):
    """One device and all of them learned the same numbers, and these are numbers."""
    for kind in kinds.split(","):
        one, together = found["one"][kind], found["all"][kind]
        assert np.all(np.isfinite(one)) and len(one) > 100
        # The chains amplify the rounding of sums in another order.
        np.testing.assert_allclose(together, one, rtol=1e-6, atol=1e-8)
    assert found["all"]["is_shared"] and not found["one"]["is_shared"]


def test_two_devices_move_the_weights_of_a_branching_hierarchy_as_one_does():
    """Prevents what two streams share, a skip, or a second end from being summed over one device's examples alone."""
    (found,) = finish([start(2, "incremental", module=BRANCHES)], 100)
    same(found, "incremental")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_four_devices_learn_of_a_branching_hierarchy_what_one_learns():
    (found,) = finish([start(4, KINDS, module=BRANCHES)], 500)
    same(found, KINDS)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_learn_of_a_branching_hierarchy_what_one_learns():
    port = free_port()
    together = [start(2, KINDS, i, 2, port, module=BRANCHES) for i in range(2)]
    first, second = finish(together, 500)
    same(first, KINDS)
    assert first["all"] == second["all"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_command_shares_a_run_among_processes(tmp_path):
    """Prevents `pcmodel train` on two machines from being two runs, or two writers."""
    words = ["train", "digits_generative", "--smoke", "--quiet"]
    alone = start(*words, "--output", tmp_path / "one", module="pcmodel")
    printed([alone], 240)
    joined = ["--devices", 2, "--output", tmp_path / "two"]
    joined += ["--coordinator", f"127.0.0.1:{free_port()}", "--processes", 2]
    first, second = printed(
        [start(*words, *joined, "--process", i, module="pcmodel") for i in range(2)],
        240,
    )
    assert "report.html" in first and "report.html" not in second
    one, two = (
        [
            json.loads(line)["energy"]
            for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        ]
        for name in ("one", "two")
    )
    np.testing.assert_allclose(one, two, rtol=1e-4)
    assert json.loads((tmp_path / "two/status.json").read_text())["status"] == (
        "complete"
    )

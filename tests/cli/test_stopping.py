"""A run that is stopped says so, and leaves no half file."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from coin_experiment import RECORD, sentence

from pcmodel.cli import main
from pcmodel.record.folder import read_status

ROOT = Path(__file__).resolve().parents[2]


def test_ctrl_c_is_recorded(coin, capsys):
    name = coin("    raise KeyboardInterrupt\n")
    assert main(["run", name, "--output", "out"]) == 130
    assert "interrupted" in sentence(capsys)
    assert read_status(Path("out"))["status"] == "interrupted"
    assert sorted(os.listdir("out")) == [*RECORD[1:3], "status.json"]


def start_and_signal(name, number):
    """Start a run that waits, send it a signal, and return how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pcmodel", "run", name, "--output", "out"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not Path("started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    return process.wait(60), process.communicate()[1]


WAIT = "    open('started', 'w').close()\n    import time; time.sleep(60)\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_process_says_so_and_exits_130(coin, number):
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("ignored here, as under nohup, and so by every program started")
    code, error = start_and_signal(coin(WAIT), number)
    assert code == 130 and "Traceback" not in error
    assert error.count("pcmodel: interrupted") == 1
    assert read_status(Path("out"))["status"] == "interrupted"


def test_a_killed_run_has_no_half_files_and_can_be_run_again(coin):
    code, _ = start_and_signal(coin(WAIT), signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert read_status(Path("out"))["status"] == "running"
    assert sorted(os.listdir("out")) == [*RECORD[1:3], "status.json"]
    assert main(["run", coin(), "--output", "out"]) == 0
    assert read_status(Path("out"))["status"] == "complete"

"""The batteries of calls, commands and files, in a process without the tests' type checker."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def battery(name, *options):
    """What a battery prints: lines on what went wrong, and the counts by kind of the last line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-m", name, *options],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    *lines, last = done.stdout.strip().splitlines() or [done.stderr[-2000:]]
    counts = re.findall(r"([a-z][a-zN ]+): (\d+)", last)
    wrong = [line for line in lines if re.match("raw|silent|accepted and wrong", line)]
    assert counts, done.stderr[-2000:]
    return wrong, {kind.strip(): int(number) for kind, number in counts}


def test_a_draw_of_wrong_calls_is_refused_in_a_sentence():
    """Prevents a traceback, a NaN or a wrong answer where an argument is wrong."""
    options = (
        "--share",
        "0.15",
        "--only",
        "dense,Dense,Learning,infer,Modulation,relax",
    )
    wrong, counts = battery("tests.doors.calls", *options)
    assert not wrong and counts["named error"] > 50


def test_a_draw_of_damaged_files_is_refused_by_name():
    """Prevents a damaged file from being read as another, or from ending in a traceback."""
    wrong, counts = battery("tests.doors.files", "--rounds", "2")
    assert not wrong and counts["named error"] > 150


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_wrong_call_command_and_file_is_refused_or_right():
    """The whole: at least 5,000 inputs."""
    wrong, counts = battery("tests.doors")
    assert not wrong and sum(counts.values()) > 5000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_public_callable_is_tried():
    """Prevents a new function from being left out of the battery without a word."""
    script = (
        "from tests.doors.surface import DOORS, NOT_CALLED, exported\n"
        "known = {door.name.split('.')[-1] for door in DOORS}\n"
        "print(sorted(exported() - known - set(' '.join(NOT_CALLED.values()).split())))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT
    )
    assert found.stdout.strip() == "[]", found.stderr[-500:]

"""Benchmarks run, at toy size; what they measure is no business of a test."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = sorted(
    file.stem
    for file in (ROOT / "benchmarks").glob("*.py")
    if file.stem not in ("timing", "descent_tuning")
)


@pytest.mark.slow
@pytest.mark.timeout(1000)
@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmarks_run_and_say_where(name, tmp_path):
    """Prevents a published speed that nobody can measure again."""
    script = str(ROOT / "benchmarks" / f"{name}.py")
    command = [sys.executable, script, "--smoke", "--output", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, env=environment(), timeout=900)
    (result,) = tmp_path.glob(f"{name}*.json")
    written = json.loads(result.read_text("utf-8"))
    assert written["cases"] and {"packages", "device", "git_revision"} <= set(
        written["environment"]
    )


def environment():
    """The package of this checkout, on the CPU."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}

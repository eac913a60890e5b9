"""Benchmarks run, at toy size; what they measure is no business of a test."""

import json
import math
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jax
import pytest

from pcmodel.inference import GaussNewton

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = sorted(
    file.stem
    for file in (ROOT / "benchmarks").glob("*.py")
    if file.stem not in ("asking", "timing", "descent_tuning")
)


@pytest.fixture
def scripts(monkeypatch):
    """Where a script finds the modules beside it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def test_every_benchmark_is_asked_in_one_way(scripts):
    """Prevents a script whose --output or question is another's; help's heading is the first line."""
    from asking import RESULTS, parser_of, question_of

    doc = "Is it so?\n\nHow it is found out."
    parser = parser_of(doc)
    assert question_of(doc) == parser.description == "Is it so?"
    assert vars(parser.parse_args([])) == {"smoke": False, "output": RESULTS}
    assert RESULTS == ROOT / "benchmarks" / "results"
    for name in BENCHMARKS:
        text = (ROOT / "benchmarks" / f"{name}.py").read_text("utf-8")
        assert "parser_of(__doc__)" in text and "ArgumentParser" not in text, name
    with pytest.raises(ValueError, match="states its question"):
        question_of(None)


@pytest.mark.slow  # forgets what other tests have compiled
def test_a_search_over_iterations_holds_few_programs(scripts, monkeypatch):
    """Prevents a benchmark that dies of its hundredth program: each has hundreds of memory maps."""
    import inference_speed

    @partial(jax.jit, static_argnames="solver")
    def program(number, solver):
        return number + solver.max_iterations

    held, asked = [], []

    def run_inference(posed, solver):
        asked.append(solver.max_iterations)
        return SimpleNamespace(whitened=program(posed, solver))

    def mean_excess(posed, whitened):
        held.append(program._cache_size())
        return math.inf

    monkeypatch.setattr(inference_speed, "run_inference", run_inference)
    monkeypatch.setattr(inference_speed, "mean_excess", mean_excess)
    assert inference_speed.iterations_needed(0.0, GaussNewton(), 26) == 26
    assert asked == list(range(1, 26))
    assert max(held) == inference_speed.HELD


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

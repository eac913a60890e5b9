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
import numpy as np
import pytest
from scipy import stats

from pcmodel.inference import GaussNewton

ROOT = Path(__file__).resolve().parents[1]
RESULT = "against_twin_mnist_vgg4_nudged.json"
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


def test_paired_differences_are_those_of_a_t_test(scripts):
    """Against scipy; prevents an interval over images from passing for one over seeds, and one of a single seed."""
    from twins.paired import paired

    rng = np.random.default_rng(0)
    one, twin = rng.random((5, 400)) < 0.9, rng.random((5, 400)) < 0.88
    told = paired(one, twin)
    test = stats.ttest_rel(one.mean(1), twin.mean(1)).confidence_interval(0.95)
    assert (told["low"], told["high"]) == pytest.approx((test.low, test.high))
    assert told["by_seed"] == pytest.approx(list(one.mean(1) - twin.mean(1)))
    alone = paired(one[:1], twin[:1])
    assert alone["low"] is None and alone["high"] is None
    spread = np.std(one[0] - 1.0 * twin[0], ddof=1) / 20
    assert alone["image_standard_error"] == pytest.approx(spread)


@pytest.mark.parametrize("bend", [False, True])
def test_modes_of_bayesian_coding_are_stationary(scripts, bend):
    """Energy against its gradient by differences, and the linear covariance against the joint precision's inverse."""
    import bayesian_coding as coding

    rng = np.random.default_rng(1)
    maps = [0.5 * rng.normal(size=shape) for shape in ((4, 3), (3, 2))]
    data = rng.normal(size=(3, 4))
    model = coding.Hierarchy(maps, bend, data)
    halves = [rng.normal(size=(width, width)) for width in (4, 3, 2)]
    precisions = [half @ half.T + np.eye(len(half)) for half in halves]
    doubt = [0.3 * np.eye(3), 0.2 * np.eye(2)]
    start = [data, np.zeros((3, 3)), np.zeros((3, 2))]
    found = start
    for _ in range(10):
        found, spread = coding.modes(model, precisions, found, doubt)
    for level in (1, 2):
        for unit in range(found[level].shape[1]):
            moved = [latent.copy() for latent in found]
            ends = []
            for step in (1e-5, -1e-5):
                moved[level][:, unit] = found[level][:, unit] + step
                ends.append(coding.energies(model, precisions, moved, doubt))
            assert np.all(np.abs(ends[0] - ends[1]) < 2e-5 * 1e-4)
    if not bend:
        top = precisions[2] + doubt[1] + maps[1].T @ precisions[1] @ maps[1]
        middle = precisions[1] + doubt[0] + maps[0].T @ precisions[0] @ maps[0]
        across = -precisions[1] @ maps[1]
        joint = np.linalg.inv(np.block([[middle, across], [across.T, top]]))
        assert np.allclose(spread[2], 3 * joint[3:, 3:])
        assert np.allclose(spread[0], 3 * maps[0] @ joint[:3, :3] @ maps[0].T)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_comparison_in_parts_is_the_comparison_at_once(tmp_path):
    """Prevents a cut-off run that begins again, or goes on from another epoch than its last."""
    script = str(ROOT / "benchmarks" / "against_twin.py")

    def call(folder, *more):
        command = [sys.executable, script, "--smoke", "--output", str(folder), *more]
        return subprocess.run(command, cwd=ROOT, env=environment(), timeout=600)

    assert call(tmp_path / "once").returncode == 0
    codes = []
    while 0 not in codes and len(codes) < 20:
        codes.append(call(tmp_path / "parts", "--minutes", "0").returncode)
    assert codes[-1] == 0 and set(codes[:-1]) == {75} and len(codes) > 2
    once, parts = (
        json.loads((tmp_path / name / RESULT).read_text("utf-8"))["runs"]
        for name in ("once", "parts")
    )
    for rule, runs in once.items():
        for one, other in zip(runs, parts[rule], strict=True):
            kept = [name for name in one if "seconds" not in name]
            assert {n: one[n] for n in kept} == {n: other[n] for n in kept}


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

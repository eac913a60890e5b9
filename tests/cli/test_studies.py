"""`pcmodel design` and `pcmodel recover`: one message for bad input, a page at toy size."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from pcmodel.cli import main
from pcmodel.cli.commands import calibrate, design, recover
from pcmodel.cli.main import make_parsers
from pcmodel.cli.pages.design_page import _best, _verdict

HUGE = "1" + 20 * "0"
LARGE = ("--participants", "1000000", "--trials", "1000000")
EFFECT = ("--effect", "omega2=1")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("design", "binary", "hgf9", *EFFECT), "did you mean"),
        (("design", "binary", "hgf2"), "--effect"),
        (("design", "binary", "hgf2", *EFFECT, "--trials", "ten"), "whole numbers"),
        (("design", "binary", "hgf2", *EFFECT, "--pool", "5"), "as the largest study"),
        (("design", "dice", "hgf2", *EFFECT), "no task is called 'dice'"),
        (
            (
                "design",
                "binary",
                "rescorla_wagner",
                "--effect",
                "log_zeta=1",
                "--confidence",
            ),
            "no precision",
        ),
        (("recover", "binary", "hgf2", "hgf2"), "named twice"),
        (("recover", "binary", "hgf2", "nobody"), "hgf3"),
        (("recover", "binary", "hgf2", "--replications", "0"), "1 or more"),
        (("recover", "binary", "hgf2", "--participants", HUGE), "at most 1000000"),
        (("recover", "binary", "hgf2", "--arms", "3"), "said of the bandit task"),
        (("recover", "bandit", "hgf2", "--scale", "0,9"), "said of the rating task"),
        (
            ("recover", "rating", "hgf2", "--scale", "0"),
            "cannot be 0; expected two numbers",
        ),
        (("recover", "bandit", "hgf2", "--arms", "10000"), "at most 1000"),
        (("recover", "binary", "hgf2", *LARGE), "iB of memory; expected less than"),
        (("calibrate", "binary", "hgf2", *LARGE), "iB of memory; expected less"),
        (("calibrate", "binary", "hgf2", "--samples", HUGE), "at most 1000000"),
        (("design", "binary", "hgf2", *EFFECT, "--trials", HUGE), "at most 1000000"),
        (("design", "binary", "hgf2", *EFFECT, "--pool", HUGE), "at most 1000000"),
        (
            ("design", "binary", "hgf2", *EFFECT, "--pool", "9" * 6, *LARGE[2:]),
            "iB of memory; expected less",
        ),
    ],
)
def test_bad_input_is_one_message(words, part, capsys, tmp_path):
    assert main([*words, "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert part in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("low", "outcome", "words"),
    [(0.92, "holds", "are enough"), (0.5, "inconclusive", "may be enough")],
)
def test_a_size_is_enough_only_where_its_whole_band_is(low, outcome, words):
    told = SimpleNamespace(
        rival="log_zeta",
        has_confidence=False,
        num_trials=100,
        verdict="told apart",
        needed=10,
        right=np.asarray([0.95, 0.99]),
        low=np.asarray([low, 0.95]),
        high=np.asarray([1.0, 1.0]),
    )
    results = SimpleNamespace(effect="omega2", participants=(10, 20), told=(told,))
    found = _verdict(results, told)
    assert found.outcome == outcome and words in found.observed
    assert f"{low:.0%} to 100%" in found.observed
    assert f"{low:.0%} to 100%" in _best(results)


def test_a_rival_that_is_not_told_apart_has_no_size():
    told = SimpleNamespace(
        rival="log_zeta",
        has_confidence=False,
        num_trials=100,
        verdict="not told apart",
        needed=0,
        right=np.asarray([0.6, 0.7]),
    )
    results = SimpleNamespace(effect="omega2", participants=(10, 20), told=(told,))
    assert _verdict(results, told).observed == "at most 70% right"
    assert "more than was tried" in _best(results)


@pytest.mark.slow
def test_a_design_has_a_page_and_goes_on_where_it_was(tmp_path):
    out = tmp_path / "out"
    words = ["design", "binary", "hgf2", *EFFECT, "--confidence", "--smoke", "--quiet"]
    words += ["--output", str(out)]
    assert main(words) == 0
    with np.load(out / "arrays.npz") as arrays:
        whole = dict(arrays)
    status = json.loads((out / "status.json").read_text())
    (out / "status.json").write_text(json.dumps(status | {"status": "interrupted"}))
    kept, lost = sorted(out.glob("replications-*/*.npz"))[:2]
    before = kept.stat().st_mtime_ns
    lost.unlink()
    assert main(words) == 0
    assert kept.stat().st_mtime_ns == before
    with np.load(out / "arrays.npz") as arrays:
        for name, values in whole.items():
            np.testing.assert_array_equal(arrays[name], values)
    page = (out / "report.html").read_text()
    assert "Looks alike at" in page and "with confidence" in page


@pytest.mark.slow
def test_a_recovery_has_a_page_with_the_matrix(tmp_path):
    out = tmp_path / "out"
    words = ["recover", "binary", "rescorla_wagner", "hgf2", "--smoke", "--quiet"]
    assert main([*words, "--output", str(out)]) == 0
    page = (out / "report.html").read_text()
    assert "wins its own data" in page and "Parameters of hgf2" in page


@pytest.mark.parametrize(
    ("module", "words", "smoke", "given"),
    [
        (recover, ("binary", "hgf2"), (3, 20), (7, 20)),
        (calibrate, ("binary", "hgf2"), (2, 20), (7, 20)),
        (design, ("binary", "hgf2", *EFFECT), ((5, 10), (20,)), ((7,), (20,))),
    ],
)
def test_sizes_that_are_given_hold_in_a_smoke_run_too(module, words, smoke, given):
    parser = make_parsers()[1][module.__name__.rpartition(".")[2]]

    def sizes(*more):
        plan = module.make_plan(parser.parse_args([*words, *more]))
        return plan.participants, plan.trials

    assert sizes("--smoke") == smoke
    assert sizes("--smoke", "--participants", "7") == given
    whole = ((10, 20, 40), (50, 100, 200)) if module is design else (10, 100)
    assert sizes() == whole
    assert sizes("--trials", "30")[1] in (30, (30,))

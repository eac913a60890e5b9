"""`pcmodel design` and `pcmodel recover`: one message for bad input, a page at toy size."""

import json

import numpy as np
import pytest

from pcmodel.cli import main

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
    ],
)
def test_bad_input_is_one_message(words, part, capsys, tmp_path):
    assert main([*words, "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert part in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()


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

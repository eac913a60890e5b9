"""`pcmodel fit`: bad input in one message, and a run from file to report."""

import json
import re

import numpy as np
import pytest

from pcmodel.cli import main


@pytest.fixture
def data(tmp_path):
    """Four people, two sessions, a drug; a few missing responses."""
    rng = np.random.default_rng(0)
    rows = ["subject,session,drug,trial,outcome,response"]
    for who in range(4):
        for session, drug in enumerate(("placebo", "drug")):
            for trial in range(12):
                response = "n/a" if rng.random() < 0.1 else rng.integers(2)
                rows.append(
                    f"p{who},{session},{drug},{trial},{rng.integers(2)},{response}"
                )
    path = tmp_path / "data.csv"
    path.write_text("\n".join(rows))
    return path


def fit(data, *more):
    return ["fit", str(data), "--task", "binary", "--model", "hgf2", *more]


@pytest.mark.parametrize(
    ("more", "part"),
    [
        (("--formula", "omega2 ~ drg"), "did you mean 'drug'"),
        (("--formula", "omega7 ~ drug"), "did you mean 'omega2'"),
        (("--formula", "omega2 drug"), "cannot be read"),
        (("--columns", "response"), "name=column"),
        (("--columns", "response=drug"), "rows 2-97 ('drug', 'placebo'): is not"),
        (("--model", "hgf9"), "did you mean"),
        (("--samples", "3"), "expected 50 or more"),
        (("--nonsense",), "does not know the option"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_two(data, more, part, capsys, tmp_path):
    arguments = fit(data, *more, "--output", str(tmp_path / "out"), "--quiet")
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert part in said and "Traceback" not in said


def test_no_such_file(capsys):
    assert main(fit("nowhere.csv")) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_from_a_file_to_a_report(data, tmp_path, capsys):
    out = tmp_path / "out"
    formula = "omega2 ~ drug + (drug | participant)"
    more = ("--formula", formula, "--smoke", "--output", str(out), "--quiet")
    assert main(fit(data, *more)) == 0
    result = json.loads((out / "result.json").read_text())["summary"]
    # Fifty draws cannot be trusted, and the page must refuse to show them.
    assert result["refused"] and result["effects"] == []
    assert "cannot be trusted" in capsys.readouterr().out
    page = (out / "report.html").read_text()
    page = re.sub("base64,[^\"')]*", "", page)  # pictures may spell anything
    assert "R-hat" in page and "p0" not in page
    with np.load(out / "arrays.npz") as arrays:
        assert arrays["posterior.omega2"].shape == (2, 50, 2)
        assert arrays["posterior.omega2_correlation"].shape == (2, 50, 2, 2)
    assert main(fit(data, *more, "--accept-unconverged", "--overwrite")) == 0
    assert "omega2[drug" in (out / "report.html").read_text()

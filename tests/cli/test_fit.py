"""`pcmodel fit`: bad input in one message, and a run from file to report."""

import json
import re

import numpy as np
import pytest

from pcmodel.behaviour.studies import fit as workflow
from pcmodel.cli import main
from pcmodel.cli.commands.fit import add_arguments, make_plan
from pcmodel.cli.parser import Parser
from pcmodel.cli.running.outputs import FILES
from pcmodel.record import read_arrays
from pcmodel.record.folder import read_status
from pcmodel.record.replications import StoredReplications
from pcmodel.report import SMOKE_STAMP


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
        (("--columns", "trial=trial,trial=session"), "columns: name 'trial' twice"),
        (("--columns", "response=nothing"), "there is no column 'nothing'"),
        (("--columns", "answer=response"), "no column of the task is called 'answer'"),
        (("--codes", "response=0,1", "--codes", "response=1,0"), "'response' twice"),
        (("--codes", "answer=0,1"), "condition in a formula is called 'answer'"),
        (("--units", "reaction_time=s,reaction_time=ms"), "as 's' and 'ms'"),
        (("--units", "rt=s"), "no column with a unit is called 'rt'"),
        (("--scale", "0,10"), "responses of the binary task have none to give"),
        (("--after-outcome",), "is said of ratings, and the binary task has none"),
        (("--model", "hgf9"), "did you mean"),
        (("--samples", "3"), "expected 50 or more"),
        (("--samples", "1e20"), "'1e20' is not a whole number"),
        (("--samples", "1" + 20 * "0"), "expected at most 1000000"),
        (("--warmup", "1000001"), "expected at most 1000000"),
        (("--chains", "1001"), "expected at most 1000"),
        (("--max-tree-depth", "21"), "expected at most 20"),
        (("--svi", "--steps", "1" + 200 * "0"), "expected at most 10000000"),
        (("--samples", "1000000", "--chains", "1000"), "iB of memory; expected less"),
        (("--steps", "50"), "--steps: is said of a variational fit; expected it to be"),
        (("--svi", "--samples", "90"), "--samples: is said of NUTS, and --svi fits"),
        (("--svi", "--target-accept", "0.9"), "--target-accept: is said of NUTS"),
        (("--nonsense",), "does not know the option"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_two(data, more, part, capsys, tmp_path):
    arguments = fit(data, "--output", str(tmp_path / "out"), "--quiet")
    if more[0] in arguments:
        place = arguments.index(more[0])
        del arguments[place : place + 2]
    assert main([*arguments, *more]) == 2
    said = capsys.readouterr().err
    assert part in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("more", "sizes"),
    [
        ((), (400, 500, 4, 0.9, 8, 3000)),
        (("--smoke",), (5, 50, 2, 0.9, 2, 50)),
        (("--smoke", "--samples", "70"), (5, 70, 2, 0.9, 2, 50)),
        (("--smoke", "--svi", "--steps", "400"), (5, 50, 2, 0.9, 2, 400)),
        (("--chains", "2", "--target-accept", "0.95"), (400, 500, 2, 0.95, 8, 3000)),
    ],
)
def test_sizes_that_are_given_hold_in_a_smoke_run_too(more, sizes, data):
    """As in all other commands; they were passed over without a word."""
    parser = Parser(prog="pcmodel fit")
    add_arguments(parser)
    plan = make_plan(parser.parse_args(fit(data, *more)[1:]))
    found = (plan.num_warmup, plan.num_samples, plan.num_chains, plan.target_accept)
    assert (*found, plan.max_tree_depth, plan.num_steps) == sizes


def test_no_such_file(capsys):
    assert main(fit("nowhere.csv")) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_from_a_file_to_a_report(data, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    formula = "omega2 ~ drug + (drug | participant)"
    more = ("--formula", formula, "--smoke", "--output", str(out), "--quiet")
    assert main(fit(data, *more)) == 0
    record = json.loads((out / "result.json").read_text())
    result = record["summary"]
    assert record["stamp"] == SMOKE_STAMP and result["caveats"]
    # Fifty draws cannot be trusted, and the page must refuse to show them.
    assert result["refused"] and result["effects"] == []
    assert "cannot be trusted" in capsys.readouterr().out
    page = (out / "report.html").read_text()
    page = re.sub("base64,[^\"')]*", "", page)  # pictures may spell anything
    assert "R-hat" in page
    assert set(FILES) <= {file.name for file in out.iterdir()}
    people = (out / "participants.csv").read_text().splitlines()
    assert people[1].startswith("p0,0,placebo,false,") and len(people) == 9
    assert len((out / "trials.csv").read_text().splitlines()) == 97
    with np.load(out / "arrays.npz") as arrays:
        assert arrays["posterior.omega2"].shape == (2, 50, 2)
        assert arrays["posterior.omega2_correlation"].shape == (2, 50, 2, 2)
    # Asked for, they are shown as they were computed.
    monkeypatch.setattr(workflow, "run_workflow", None)
    drawn = dict(read_arrays(out / "arrays.npz"))
    assert main(fit(data, *more, "--accept-unconverged")) == 0
    page = (out / "report.html").read_text()
    assert "omega2[drug" in page and "do not trust" in page and SMOKE_STAMP in page
    assert "omega2[drug" in capsys.readouterr().out
    for name, values in read_arrays(out / "arrays.npz").items():
        np.testing.assert_array_equal(values, drawn[name])
    assert read_status(out)["status"] == "complete"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_more_draws_go_on_from_a_finished_fit(data, tmp_path, monkeypatch):
    """From another folder beside it, chunk by chunk, to what one long fit would draw."""
    sizes = ("--warmup", "20", "--chains", "1", "--max-tree-depth", "2", "--quiet")
    written = []
    put = StoredReplications.__setitem__
    monkeypatch.setattr(
        StoredReplications,
        "__setitem__",
        lambda self, number, row: written.append(number) or put(self, number, row),
    )
    for name, samples, new in (("a", "50", 4), ("b", "90", 2)):
        written.clear()
        out = tmp_path / name
        words = fit(data, *sizes, "--samples", samples, "--output", str(out))
        words[words.index("hgf2")] = "rescorla_wagner"
        assert main(words) == 0
        assert len(written) == new
    short, long = (read_arrays(tmp_path / n / "arrays.npz") for n in "ab")
    for name in ("posterior.log_zeta", "posterior.log_zeta_series"):
        np.testing.assert_array_equal(long[name][:, :50], short[name])
    assert long["posterior.log_zeta"].shape[1] == 90

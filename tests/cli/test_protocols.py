"""`pcmodel protocols` and `pcmodel power`: what is shipped, what is understood, one sentence for bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pcmodel.cli import main
from pcmodel.cli.commands import power
from pcmodel.cli.main import make_parsers
from pcmodel.sessions.protocol.shipped import shipped_protocols

ROOT = Path(__file__).resolve().parents[2]
NAME = "psilocybin_depression"


def test_every_shipped_protocol_is_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["protocols"]) == 0
    printed = capsys.readouterr().out
    for name in shipped_protocols():
        assert name in printed
    assert "therapy_alone" in printed and "126" in printed


@pytest.mark.parametrize("name", shipped_protocols())
def test_a_shipped_protocol_is_printed_as_it_is(name, capsys, tmp_path, monkeypatch):
    """What is printed into a file is a file to begin from."""
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["protocols", name]) == 0
    text = capsys.readouterr().out
    assert text == shipped_protocols()[name].read_text("utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(text)
    assert main(["protocols", str(own)]) == 0
    printed = capsys.readouterr().out
    assert "dosing" in printed and "daily life" in printed


def test_what_was_understood_of_a_file_is_said(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    own = tmp_path / "own.yaml"
    own.write_text(shipped_protocols()["mdma_trauma"].read_text("utf-8"))
    assert main(["protocols", str(own)]) == 0
    printed = capsys.readouterr().out
    assert "MDMA 120 mg on day 28, MDMA 60 mg on day 28.08 and 2 more" in printed
    assert "-14, -9, -4" in printed and "memory 12 x (0.5, precision 2)" in printed


def test_listing_and_printing_start_without_jax():
    script = (
        "import sys\nfrom pcmodel.cli import main\nmain(['protocols'])\n"
        f"main(['protocols', {NAME!r}])\n"
        "assert not {'jax', 'flax', 'matplotlib'} & set(sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    subprocess.run(command, check=True, env=environment, capture_output=True)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (
            ("protocols", "psilocybin"),
            "no protocol is called 'psilocybin', did you mean",
        ),
        (("protocols", "nowhere.yaml"), "nowhere.yaml: there is no such file"),
        (("protocols", "own.yaml"), "own.yaml, line 2: drug.compound is unknown"),
        (("protocols", "."), "no protocol is called '.'"),
        (("protocols", NAME, "more"), "does not know what to do with 'more'"),
        (("power", "own.yaml"), "own.yaml, line 2: drug.compound is unknown"),
        (("power",), "PROTOCOL"),
        (("power", NAME, "--arms", "drug_alone"), "two or more, each once"),
        (("power", NAME, "--arms", "drug_alone,plazebo"), "no arm is called 'plazebo'"),
        (
            ("power", NAME, "--questions", "cause"),
            "'therapy' or 'unblinding' or 'window'",
        ),
        (("power", NAME, "--participants", "ten"), "--participants: cannot be read"),
        (("power", NAME, "--participants", "0,5"), "participants"),
        (("power", NAME, "--participants", "900"), "cannot be drawn from 500 people"),
        (("power", NAME, "--days", "400"), "days in order, 1 to 84"),
        (("power", NAME, "--noise", "nan"), "not a finite number"),
        (("power", NAME, "--noise=-1"), "cannot be -1; expected a number above 0"),
        (("power", NAME, "--account", "rebos"), "did you mean 'rebus'"),
        (("power", NAME, "--pool", "1000000"), "iB of memory; expected less"),
    ],
)
def test_bad_input_is_one_sentence(words, part, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = shipped_protocols()[NAME].read_text("utf-8")
    body = text[text.index("drug:") :].replace(
        "compound: psilocybin", "compound: water"
    )
    head = "name: own\nabout: x\ncondition: depression\n"
    Path("own.yaml").write_text(body.replace("  route: oral\n", "") + head)
    assert main(list(words)) == 2
    said = capsys.readouterr().err
    assert part in said and "Traceback" not in said and said.count("\n") == 1
    assert not Path("runs").exists()


def test_sizes_that_are_given_hold_in_a_smoke_run_too():
    parser = make_parsers()[1]["power"]

    def plan(*more):
        return power.make_plan(parser.parse_args([NAME, *more]))

    assert plan().participants == (25, 50, 100, 200) and plan().pool == 500
    smoke = plan("--smoke", "--participants", "7,3")
    assert smoke.participants == (3, 7) and smoke.pool == 16
    assert plan().protocol_sha256.endswith(f" {NAME}")
    given = plan("--arms", "drug_alone,untreated", "--days", "8,21", "--guess")
    assert given.arms == ("drug_alone", "untreated") and given.days == (8, 21)
    assert given.guess and given.questions == ("therapy", "unblinding", "window")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_study_has_a_page_and_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr("pcmodel.sessions.planning.studies.NUM_POOLS", 2)
    out = tmp_path / "out"
    words = ["power", "suggestion_contrast", "--smoke", "--quiet", "--output", str(out)]
    words += ["--arms", "directive_true,directive_true_without_drug"]
    assert main(words) == 0
    page = (out / "report.html").read_text()
    assert "unblinding alone" in page and "Looks alike at" in page
    assert main(words) == 0  # complete: not run again


def test_therapy_takes_any_protocol(capsys, tmp_path, monkeypatch):
    """Prevents the default protocol's digest from standing in the way of another protocol."""
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(shipped_protocols()[NAME].read_text("utf-8"))
    for given in ("mdma_trauma", "own.yaml"):
        assert main(["run", "therapy", "--protocol", given, "--print-config"]) == 0
        config = json.loads(capsys.readouterr().out)
        assert config["protocol"] == given
        assert config["protocol_sha256"].endswith(f" {given}")
    Path("config.json").write_text(json.dumps(config))
    words = ["run", "therapy", "--config", "config.json", "--print-config"]
    assert main(words) == 0
    Path("own.yaml").write_text(Path("own.yaml").read_text() + "# more\n")
    assert main(words) == 2
    assert "is not what it was when the run was recorded" in capsys.readouterr().err
    assert main(["run", "therapy", "--protocol", "mdma_truma"]) == 2
    assert "did you mean 'mdma_trauma'" in capsys.readouterr().err

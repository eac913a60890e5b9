"""A declared experiment by path, as its author runs it."""

import json
from pathlib import Path

import numpy as np
import pytest
from coin_experiment import COIN, sentence

from pcmodel.cli import main

README = Path(__file__).resolve().parents[2] / "experiments/README.md"


def files_of_the_readme():
    """The example's files, by name: blocks that follow a line `**name**`."""
    text = README.read_text("utf-8").split("## A declared example")[1]
    found = {}
    for part in text.split("\n**")[1:]:
        name, _, rest = part.partition("**\n")
        found[name.strip()] = rest.split("```")[1].partition("\n")[2]
    return found


FILES = files_of_the_readme()


@pytest.fixture
def declared(tmp_path, monkeypatch):
    """Writes the example with some of its text replaced; the cwd is its parent."""
    monkeypatch.chdir(tmp_path)

    def write(file="__init__.py", old="", new=""):
        assert old in FILES[file]
        Path("walk").mkdir()
        for name, text in FILES.items():
            Path("walk", name).write_text(
                text.replace(old, new) if name == file else text
            )
        return "./walk"

    return write


def test_the_example_runs_from_beginning_to_end(declared, capsys):
    assert main(["run", declared(), "--people", "200", "--output", "out"]) == 0
    result = json.loads(Path("out/result.json").read_text())["summary"]
    outcomes = {v["name"]: v["outcome"] for v in result["verdicts"]}
    assert outcomes == {
        "A drift moves people": "holds",
        "The spread grows as the root of time": "holds",
    }
    arrays = np.load("out/arrays.npz")
    assert arrays["tested.A drift moves people.halved.end"].shape == (2,)
    page = Path("out/report.html").read_text("utf-8")
    for words in ("What overturns each verdict", "drift halved", "200 people"):
        assert words in page
    assert Path("out/figures/paths.png").is_file()


def test_its_analysis_sees_what_was_stored(declared):
    """Prevents claims that are measured anew, with another seed, when the page is written."""
    path = declared()
    assert main(["run", path, "--seed", "5", "--output", "out"]) == 0
    verdicts = json.loads(Path("out/result.json").read_text())["summary"]["verdicts"]
    stored = float(np.load("out/arrays.npz")["tested.A drift moves people.as_set.end"])
    assert f"end at {stored:.2f}" in verdicts[0]["observed"]


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("page.md", "# A", "A", "page.md, line 1: has no title"),
        ("page.md", "](paths)", "](pats)", "page.md, line 5: no figure is called 'pats'"),
        ("__init__.py", '"page.md"', '"pge.md"', "pge.md: there is no such file"),
        ("claims.py", "{end:.2f}", "{ends:.2f}", "no field is called 'ends'"),
        ("simulate.py", "    tested: Examined = NOT_EXAMINED\n", "", "a field 'tested'"),
        ("simulate.py", ") -> Results:", "):", "simulate: does not say that it returns"),
        ("claims.py", "    verdicts: tuple[Verdict, ...] = ()\n", "", "field 'verdicts'"),
        ("claims.py", "def summarise(results)", "def summarise(result)", "'result'"),
        ("figures.py", "def draw(results)", "def draw(reslts)", "figure 'paths': no arg"),
        ("__init__.py", "EXPERIMENT = Experiment(", "EXPERIMENT = str(", "cannot be imp"),
        (
            "__init__.py",
            "EXPERIMENT = Experiment(",
            "analyse = max\nEXPERIMENT = Experiment(",
            "defines both EXPERIMENT and 'analyse'",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence_before_the_run(
    declared, capsys, file, old, new, words
):
    assert main(["run", declared(file, old, new), "--output", "out"]) == 2
    assert words in sentence(capsys) and not Path("out").exists()


def test_what_is_no_declaration_is_one_sentence(coin, capsys):
    coin()
    Path("coin.py").write_text(COIN + "\nEXPERIMENT = 3\n")
    assert main(["run", "coin.py"]) == 2
    assert "its EXPERIMENT is a int; expected a pcmodel.report.Experiment" in sentence(
        capsys
    )


def test_a_claim_of_the_same_name_is_refused(declared, capsys):
    path = declared(
        "claims.py", "The spread grows as the root of time", "A drift moves people"
    )
    assert main(["run", path]) == 2
    assert "'A drift moves people': is the name of 2 claims" in sentence(capsys)


def test_chains_are_kept_for_a_simulation_that_asks(declared):
    """Prevents a declared experiment whose interrupted chains start anew."""
    path = declared(
        "simulate.py",
        "*, seed: int, progress) -> Results:\n",
        "*, seed: int, progress, open_store) -> Results:\n    open_store('chains')\n",
    )
    assert main(["run", path, "--output", "out"]) == 0

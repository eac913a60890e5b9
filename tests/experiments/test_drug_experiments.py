"""The drug experiments at toy size, as a user runs them."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from pcmodel.cli import main

EXPERIMENTS = {
    "time_course": {"Zero dose is no drug", "DMT comes and goes in minutes"},
    "dose_response": {"Blockade shifts the dose curve to the right"},
    "receptor_dissection": {"Ketanserin leaves 5-HT1A alone"},
    "rival_accounts": {
        "Belief means cannot tell relaxed priors from raised senses",
        "All precisions alike move no belief",
        "Noise moves no belief",
    },
    "illusions_under_psilocybin": {
        "No illusion can tell relaxed priors from raised senses",
        "Noise, and all precisions alike, change no illusion",
        "A top relaxed alone strengthens every contrast",
    },
    "mismatch": {
        "Nothing learned, no mismatch",
        "Responses are linear in precision at a fixed residual",
    },
    "perception": {
        "With feedback cut they do not",
        "The mask flips at a precision of the prior",
    },
}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_runs_and_its_checks_hold_at_any_size(name, tmp_path):
    """Prevents a page whose theorems or deterministic calibrations fail unseen."""
    out = tmp_path / "run"
    assert main(["run", name, "--smoke", "--output", str(out)]) == 0
    verdicts = json.loads((out / "result.json").read_text())["summary"]["verdicts"]
    outcomes = {verdict["name"]: verdict["outcome"] for verdict in verdicts}
    assert {outcomes[check] for check in EXPERIMENTS[name]} == {"holds"}
    theorems = [v for v in verdicts if v["kind"] == "theorem"]
    assert theorems == [] or {v["outcome"] for v in theorems} == {"holds"}
    page = (out / "report.html").read_text()
    assert "What is assumed" in page and "What overturns each verdict" in page
    assert "What belief means alone cannot separate" in page


@pytest.mark.parametrize("name", list(EXPERIMENTS))
def test_a_page_reads_the_numbers_of_claims_that_there_are(name):
    """Prevents a renamed claim from ending a run of minutes when its page is written."""
    declared = import_module(f"experiments.{name}").EXPERIMENT
    page = Path(__file__).parents[2] / "experiments" / name / declared.page
    read = set(re.findall(r"\{results\.tested\[([^]]+)\]", page.read_text("utf-8")))
    assert read <= {claim.name for claim in declared.claims if claim.is_simulated}
    assert name != "dose_response" or read

"""The drug experiments at toy size, as a user runs them."""

import json

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
}


@pytest.mark.slow
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

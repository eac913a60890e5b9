"""The main job at toy size, as a user runs it."""

import json

import pytest

from pcmodel.cli import main


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*agent anchored")  # chains this short disagree
def test_the_main_job_runs_reports_and_keeps_its_theorems(tmp_path):
    """A theorem that fails at any size is an error in the software."""
    out = tmp_path / "run"
    assert main(["run", "belief_revision", "--smoke", "--output", str(out)]) == 0
    verdicts = json.loads((out / "result.json").read_text())["summary"]["verdicts"]
    exact = (
        "All gains alike move nothing",
        "Raised senses equal relaxed everything-else in the mode",
        "Relaxation without evidence moves nothing",
        "Linear networks revise monotonically",
        "No order effect without nonlinearity",
    )
    outcomes = {verdict["name"]: verdict["outcome"] for verdict in verdicts}
    assert {outcomes[name] for name in exact} == {"holds"}
    assert "<html" in (out / "report.html").read_text()[:200].lower()

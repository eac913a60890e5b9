"""The experiment on courses of therapy: its parts by hand, and the whole at toy size."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from experiments.therapy import EXPERIMENT
from experiments.therapy.perturb import (
    ALL,
    Asked,
    cohort_of,
    perturbed,
    protocol_of,
    study_of,
)
from experiments.therapy.simulate import Config, arms_of, reading_day
from pcmodel.cli import main
from pcmodel.errors import UserError
from pcmodel.report import UNPERTURBED
from pcmodel.sessions.protocol.shipped import shipped_protocols

SMALL = Asked("suggestion_contrast", ("drug_and_therapy", "therapy_alone"), 2, 0)


def test_arms_are_compared_before_an_adverse_event():
    protocol = protocol_of("psilocybin_depression")
    assert protocol.adverse_event.day == 70
    assert reading_day(protocol) == 69
    assert reading_day(protocol_of("mdma_trauma")) == 126


@pytest.mark.parametrize("name", shipped_protocols())
def test_every_shipped_protocol_has_the_arms_that_claims_need(name):
    arms = arms_of(protocol_of(name))
    assert len(set(arms)) == len(arms)
    assert arms[:4] == ("drug_and_therapy", "therapy_alone", "drug_alone", "untreated")
    for arm in arms:
        protocol_of(name).arm(arm)


def test_every_parameter_of_the_claims_changes_something():
    """Prevents a parameter whose path is misspelt: it would seem to overturn nothing."""
    as_set = cohort_of(SMALL)
    study = study_of(SMALL)
    for parameter in ALL:
        turned = parameter.times(2.0)
        part = parameter.path.split(".")[0]
        if part == "dynamics":
            changed = not np.array_equal(
                cohort_of(SMALL, "default", turned).belief, as_set.belief
            )
        else:
            changed = str(perturbed(study, turned)) != str(study)
        absent = parameter.path in ("evidence.body", "evidence.expectation")
        assert changed != absent, parameter.path
    assert perturbed(study, UNPERTURBED) is study


def test_wrong_options_are_refused():
    with pytest.raises(UserError, match="people"):
        Config(people=3)
    with pytest.raises(
        UserError, match="no protocol is called 'psilocibin_depression'"
    ):
        Config(protocol="psilocibin_depression")
    with pytest.raises(UserError, match="no account is called 'rebuss'"):
        Config(account="rebuss")


def test_the_page_reads_claims_that_there_are():
    page = Path(__file__).parents[2] / "experiments/therapy" / EXPERIMENT.page
    read = set(re.findall(r"\{results\.tested\[([^]]+)\]", page.read_text("utf-8")))
    assert read <= {claim.name for claim in EXPERIMENT.claims if claim.is_simulated}


@pytest.mark.slow
def test_the_experiment_runs_and_its_theorem_holds(tmp_path):
    out = tmp_path / "run"
    assert main(["run", "therapy", "--smoke", "--output", str(out)]) == 0
    verdicts = json.loads((out / "result.json").read_text())["summary"]["verdicts"]
    assert {v["outcome"] for v in verdicts if v["kind"] == "theorem"} == {"holds"}
    page = (out / "report.html").read_text()
    assert "What is assumed" in page and "What overturns each verdict" in page

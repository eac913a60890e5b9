"""The experiment on courses of therapy: its parts by hand, and the whole at toy size."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import spearmanr

from experiments.therapy import EXPERIMENT
from experiments.therapy.claims import BY_ACCOUNT, as_published
from experiments.therapy.measures import Who, lead, rank_correlations
from experiments.therapy.perturb import (
    ALL,
    Asked,
    cohort_of,
    perturbed,
    protocol_of,
    study_of,
)
from experiments.therapy.simulate import Config, arms_of, reading_day
from experiments.therapy.under_accounts import (
    Outcomes,
    accounts_of,
    all_alike,
    outcomes,
    tell_accounts,
)
from pcmodel.cli import main
from pcmodel.errors import UserError
from pcmodel.report import UNPERTURBED, Claim, Parameter
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


@pytest.mark.parametrize("factor", [0.5, 2.0, 1e8])
def test_a_stronger_block_leaves_some_channels_open(factor):
    """A drug of twice the strength occupies what twice its concentration does."""
    study = study_of(Asked("ketamine_reactivation", ("drug_and_therapy",), 2, 0))
    before = study.treatment.acute.effects.nmda_block
    turned = perturbed(study, Parameter("strength", "drug.effect").times(factor))
    found = np.asarray(turned.treatment.acute.effects.nmda_block)
    odds = factor * before / (1 - before)
    np.testing.assert_allclose(found, odds / (1 + odds), rtol=1e-5)
    assert 0.3 < before.max() < 1 and (found < 1).all()


def test_which_trait_tells_more_is_decided_by_an_interval():
    """Spearman's by scipy, ties included; a lead that is there is found, one that is not stays open."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 400))
    outcome = np.round(one + rng.normal(size=400), 1)
    rows = np.stack([one, np.round(other), outcome])
    exact = [spearmanr(row, outcome).statistic for row in rows[:2]]
    np.testing.assert_allclose(rank_correlations(rows), exact, rtol=1e-12)
    found = lead(one, other, outcome, seed=0)
    value, low, high = found.difference
    np.testing.assert_allclose(value, found.each[0] - found.each[1])
    assert 0 < low < value < high
    back = lead(other, one, outcome, seed=0).difference
    np.testing.assert_allclose(back, -found.difference[[0, 2, 1]], rtol=1e-12)
    _, low, high = lead(one, other, rng.normal(size=400), seed=0).difference
    assert low < 0 < high
    # As wide as the error of two independent correlations of nothing, 2 x 1.96 sqrt(2 / 400).
    np.testing.assert_allclose(high - low, 3.92 * np.sqrt(2 / 400), rtol=0.15)
    assert np.all(np.isnan(lead(one, other, np.ones(400), seed=0).difference))


@pytest.mark.parametrize(
    ("drug", "other", "expected"),
    [
        ((0.2, 0.1, 0.3), (0.3, 0.1, 0.5), True),
        ((0.2, 0.1, 0.3), (0.1, -0.1, 0.3), None),
        ((0.2, -0.1, 0.5), (0.1, -0.1, 0.3), None),
        ((-0.2, -0.3, -0.1), (0.3, 0.1, 0.5), False),
    ],
)
def test_an_order_holds_only_by_both_intervals(drug, other, expected):
    found = Who(0.0, 0.0, 0.0, 0.0, np.array(drug), np.array(other))
    assert as_published(found) is expected


def test_every_claim_is_measured_under_every_account():
    """The outcome is the claim's own, as set, with the account in use exchanged; NaN is inconclusive."""

    class Found(NamedTuple):
        size: float

    sizes = {"default": 1.0, "noise": -1.0, "uniform": float("nan")}

    def measure(config: Config, seed: int) -> Found:
        return Found(sizes.get(config.account, 1.0))

    claim = Claim(
        name="positive",
        prediction="above 0",
        kind="predicted",
        measure=measure,
        holds=lambda found: found.size > 0,
        observed="{size}",
    )
    config = Config()
    names = accounts_of(config)
    found = outcomes([claim], config, 0)
    told = dict(zip(names, found.codes[:, 0], strict=True))
    assert told["default"] == told["rebus"] == 1
    assert (told["noise"], told["uniform"]) == (0, 2)
    assert all_alike(found) is False
    row = tell_accounts([claim], config, found).rows[0]
    assert dict(zip(names, row[1:], strict=True))["noise"] == "FAILS"
    assert accounts_of(Config.smoke()) == ("default",)
    assert all_alike(Outcomes(found.codes[:1])) is None
    # All claims of the experiment but the one about accounts, each with what it hangs on.
    assert len(BY_ACCOUNT) == len(EXPERIMENT.claims) - 1
    without = {claim.name for claim in BY_ACCOUNT if not claim.parameters}
    assert without == {
        "A drug without evidence changes nobody",
        "Another strength of ketamine's window or of learning leaves no difference",
    }


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

"""Strengths of a treatment's parts in simulated people: nothing where there is none, and the model itself at 1."""

import jax
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.sessions.cohort import prepare, simulate_cohort
from pcmodel.sessions.planning.explanations import Strengths
from pcmodel.sessions.planning.options import StudyPlan
from pcmodel.sessions.planning.power import run_power
from pcmodel.sessions.planning.simulate import (
    MOST_BLOCKED,
    CohortStudies,
    find_account,
    run_study,
    with_strengths,
)
from pcmodel.sessions.protocol.read import parse_protocol, read_protocol
from pcmodel.sessions.protocol.shipped import shipped_protocols
from pcmodel.sessions.readouts import improvement

SMALL = """\
name: small
about: one dosing, one talk
condition: depression
drug: {compound: psilocybin, dose: 25 mg}
phases:
  - phase: dosing
    sessions:
      - day: 0
        hours: 6
        evidence:
          memory: {mean: 1, sd: 0.5, precision: 2, items: 3}
  - phase: integration
    sessions:
      - day: 1
        evidence:
          therapist: {mean: 0.5, sd: 0.5, precision: 1, items: 2}
daily_life:
  evidence:
    everyday: {mean: 0.3, sd: 1, precision: 1}
    expectation: {mean: 1, precision: 0.1}
arms:
  drug_and_therapy:
  therapy_alone:
follow_up_days: [2, 5]
length: 5
"""
PROTOCOL = parse_protocol(SMALL, where="small.yaml").protocol
ARMS = ("drug_and_therapy", "therapy_alone")
STUDIES = CohortStudies()


def outcome(strengths, seed=0):
    return STUDIES(
        PROTOCOL,
        arms=ARMS,
        days=(2, 5),
        num_people=6,
        seed=seed,
        strengths=strengths,
    )


def test_strengths_of_one_are_the_model_itself():
    cohort = simulate_cohort(PROTOCOL, num_people=6, key=jax.random.key(0), arms=ARMS)
    points = outcome(Strengths()).points
    for place, day in enumerate((2, 5), 1):
        gained = points[..., 0] - points[..., place]
        np.testing.assert_allclose(gained, improvement(cohort, day=day), rtol=1e-12)


def test_a_drug_without_effects_and_expectation_is_an_inert_tablet():
    """What is felt and believed stays; nothing else may tell the arms apart."""
    found = outcome(Strengths(0.0, 0.0, 0.0))
    np.testing.assert_allclose(found.points[0], found.points[1], rtol=1e-12)
    assert (found.believed[0] > found.believed[1]).all()


@pytest.mark.parametrize("part", Strengths._fields)
def test_each_part_alone_tells_the_arms_apart_and_more_of_it_more(part):
    none = Strengths(0.0, 0.0, 0.0)
    gaps = []
    for size in (0.0, 0.5, 1.0, 2.0):
        points = outcome(none._replace(**{part: size})).points
        gained = (points[..., 0] - points[..., -1]).mean(axis=1)
        gaps.append(gained[0] - gained[1])
    assert gaps[0] == pytest.approx(0.0, abs=1e-12) and (np.diff(gaps) > 0).all()


def test_people_and_their_luck_are_the_same_whatever_the_strengths():
    one, other = outcome(Strengths()), outcome(Strengths(0.0, 3.0, 2.0))
    np.testing.assert_array_equal(one.points[..., 0], other.points[..., 0])
    np.testing.assert_array_equal(one.believed, other.believed)
    assert (outcome(Strengths(), seed=1).points[..., 0] != one.points[..., 0]).all()


def test_blocked_channels_stay_a_share():
    study = prepare(PROTOCOL, num_people=2, key=jax.random.key(0), arms=ARMS)
    acute = study.treatment.acute
    blocked = acute.effects._replace(nmda_block=0.0 * acute.effects.nmda_block + 0.8)
    treatment = study.treatment._replace(acute=acute._replace(effects=blocked))
    found = with_strengths(study._replace(treatment=treatment), Strengths(32.0))
    most = found.treatment.acute.effects.nmda_block.max()
    assert most == pytest.approx(MOST_BLOCKED) and most < 1.0


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_protocols())
def test_every_shipped_protocol_survives_every_strength(name):
    """Prevents a NaN from passing as rivals that are alike: doubled effects, and rivals sixteen times as strong."""
    protocol = read_protocol(name).protocol
    for strengths in (
        Strengths(2.0, 2.0, 1.0),
        Strengths(0.0, 32.0, 1.0),
        Strengths(0.0, 0.0, 32.0),
    ):
        found = STUDIES(
            protocol,
            arms=tuple(arm.name for arm in protocol.arms[:2]),
            days=(protocol.length,),
            num_people=40,
            seed=0,
            strengths=strengths,
        )
        assert np.isfinite(found.points).all() and np.isfinite(found.believed).all()


def test_accounts_are_found_by_name():
    assert type(find_account("sensory")).__name__ == "Sensory"
    with pytest.raises(UserError, match="no account is called 'rebos', did you mean"):
        find_account("rebos")


def test_a_file_that_has_changed_is_refused(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(SMALL)
    plan = StudyPlan(str(file), "0" * 64, pool=10, participants=(4,))
    with pytest.raises(UserError, match=r"own\.yaml: is not what it was"):
        run_study(plan, seed=0)


@pytest.mark.slow
def test_a_small_study_of_these_people(monkeypatch):
    monkeypatch.setattr("pcmodel.sessions.planning.studies.NUM_POOLS", 2)
    plan = StudyPlan(
        "small",
        pool=10,
        participants=(4, 8),
        studies=20,
        sizes=5,
        arms=ARMS,
        guess=True,
    )
    found = run_power(plan, PROTOCOL, seed=0, simulate=STUDIES)
    again = run_power(plan, PROTOCOL, seed=0, simulate=STUDIES)
    assert found.days == (2, 5) and len(found.told) == 2
    np.testing.assert_array_equal(found.told[1].right.share, again.told[1].right.share)
    assert found.superiority.difference == pytest.approx(
        found.improvement[0, -1] - found.improvement[1, -1]
    )

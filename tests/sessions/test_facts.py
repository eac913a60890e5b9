"""Facts that simulated courses must show, with moderate cohorts of the shipped protocols."""

import jax
import numpy as np
import pytest

from pcmodel.sessions.cohort import follow, prepare
from pcmodel.sessions.protocol.load import load_protocol
from pcmodel.sessions.readouts import improvement, negative_confidence, share_of

pytestmark = pytest.mark.slow
KEY = jax.random.key(11)
FOUR = ("drug_and_therapy", "therapy_alone", "drug_alone", "untreated")


def study_of(name, arms, people=60):
    return prepare(load_protocol(name), num_people=people, key=KEY, arms=arms)


@pytest.fixture(scope="module")
def depression():
    study = study_of("psilocybin_depression", (*FOUR, "low_dose"))
    return study, follow(study)


def test_untreated_people_stay_where_they_are(depression):
    """Calibrated: within a fifth of a belief unit and of their symptoms over twelve weeks."""
    _, cohort = depression
    gained = improvement(cohort, day=84)[3].mean()
    assert -2 < gained < 2.5
    change = np.asarray(cohort.log_precision[3, :, -1] - cohort.log_precision[3, :, 0])
    assert abs(change.mean()) < 0.15


def test_drug_and_therapy_do_more_than_both_apart(depression):
    """Fact 18: relaxed belief plus evidence, not relaxation with neither."""
    _, cohort = depression
    both, therapy, drug, none = improvement(cohort, day=69)[:4]
    surplus = both - therapy - drug + none
    assert surplus.mean() > 2 * surplus.std(ddof=1) / np.sqrt(len(surplus))
    assert (drug - none).mean() < 0.1 * (both - none).mean()


def test_a_full_dose_and_not_a_small_one_lowers_confidence(depression):
    """Fact 19, its sign."""
    _, cohort = depression
    told = negative_confidence(cohort)
    start, week = (list(cohort.days).index(day) for day in (0, 8))
    fall = (told[..., start] - told[..., week]).mean(axis=1)
    assert fall[0] > 3 * fall[4] > 0


def test_therapy_carries_most_of_the_gain_of_mdma():
    """Fact 27: 0.45 to 0.75; the strength of trust was calibrated on it."""
    study = study_of("mdma_trauma", FOUR[:2])
    found = share_of(follow(study), "therapy_alone", "drug_and_therapy", day=126)
    assert 0.45 < found.of_change.value < 0.75


def test_a_directive_suggestion_moves_beliefs_more_under_the_drug():
    """Fact 28: in either direction, true or false, by more than half again."""
    arms = tuple(
        f"directive_{what}{state}"
        for state in ("", "_without_drug")
        for what in ("true", "false")
    )
    cohort = follow(study_of("suggestion_contrast", arms))
    belief = np.asarray(cohort.belief[:, :, list(cohort.days).index(1)]).mean(axis=1)
    drug, sober = belief[0] - belief[1], belief[2] - belief[3]
    assert sober > 0
    assert drug > 1.5 * sober


def test_avoidance_undoes_gains(depression):
    study, cohort = depression
    people = study.people
    bold = follow(
        study._replace(people=people._replace(avoidance=0 * people.avoidance))
    )
    shy = follow(
        study._replace(people=people._replace(avoidance=0 * people.avoidance + 1))
    )
    gains = [improvement(one, day=84)[0].mean() for one in (bold, cohort, shy)]
    assert gains[0] > gains[1] > gains[2]

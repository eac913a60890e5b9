"""Cohorts against the numpy person, and what must hold for any."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import ACCOUNTS
from pcmodel.neuromodulation.accounts.accounts import NmdaBlock, Rebus
from pcmodel.sessions.cohort import _followed, follow, prepare, simulate_cohort
from pcmodel.sessions.person.dynamics import Dynamics
from pcmodel.sessions.person.event import Event
from pcmodel.sessions.person.hierarchy import self_anatomy
from pcmodel.sessions.protocol.arm import Arm
from pcmodel.sessions.protocol.events import DailyLife, Phase
from tests.sessions import person_oracle
from tests.sessions.courses import ARMS, course, session

KEY = jax.random.key(5)
QUIET = DailyLife()
FAST = Dynamics(mean_rate=0.2, precision_rate=0.1, forgetting=0.02)


@pytest.fixture(scope="module")
def study():
    return prepare(course(), num_people=3, key=KEY, dynamics=FAST)


def of(tree, index):
    return jax.tree.map(lambda leaf: np.asarray(leaf[index], float), tree)


def numpy_beliefs(study, arm, person, *, strength=2.0):
    """The belief and log-precision at each reading, by the oracle, under the account of relaxed priors."""
    plan, people = study.course, of(study.people, person)
    # One of the five streams stands for all senses.
    kappa = np.asarray(self_anatomy().density_2a)[4:]
    state = (people.belief, people.log_precision) * 2 + (people.alliance,)
    now, found = None, []
    readings = [(float(day), None) for day in study.days]
    events = [(float(day), number) for number, day in enumerate(plan.day)]
    # A reading comes before what happens at the same time.
    for day, number in sorted(
        readings + events, key=lambda one: (one[0], one[1] is not None)
    ):
        since = 0 if now is None else day - now
        later = person_oracle.passed(state, since, people, FAST)
        if number is None:  # a reading changes nothing
            found.append(later[:2])
            continue
        state, now = later, day
        acute = study.treatment.acute
        effect = float(acute.effects.effect_2a[arm, person, number])
        luck = np.asarray(study.luck[person, number])
        event = Event(
            np.asarray(plan.mean[arm, number])
            + np.asarray(plan.sd[arm, number]) * luck,
            np.asarray(plan.precision[arm, number]),
            bool(plan.replays_belief[arm, number]),
            bool(plan.chosen[number]),
            float(plan.alliance_building[arm, number]),
            0.0,
            float(study.treatment.believed[arm, person, number]),
            float(study.treatment.plasticity[arm, person, number]),
        )
        gains = np.exp(-strength * kappa / kappa.mean() * effect)
        state, _ = person_oracle.meet(
            state, event, people, FAST, top_gain=gains[2], middle_gain=gains[1]
        )
    return np.array(found).T


def test_a_whole_cohort_is_that_of_the_equations(study):
    """Prevents anything between the event and the table: order, clocks, arms, people, readings."""
    found = follow(study, dynamics=FAST, account=Rebus(2.0))
    for arm in range(len(ARMS)):
        for person in range(3):
            belief, log_precision = numpy_beliefs(study, arm, person)
            np.testing.assert_allclose(found.belief[arm, person], belief, rtol=1e-8)
            np.testing.assert_allclose(
                found.log_precision[arm, person], log_precision, rtol=1e-8
            )
    # The drug acted, so that the comparison is about it too.
    assert study.treatment.acute.effects.effect_2a[0].max() > 0.5


def test_the_same_study_in_single_precision(study):
    double = follow(study, dynamics=FAST)
    with jax.enable_x64(False):
        rounded = jax.tree.map(
            lambda leaf: (
                np.asarray(leaf, np.float32)
                if getattr(leaf, "dtype", None) == np.float64
                else leaf
            ),
            study._replace(course=study.course._replace(doses=())),
        )
        single = follow(rounded, dynamics=FAST)
    np.testing.assert_allclose(single.belief, double.belief, atol=3e-5)
    np.testing.assert_allclose(single.log_precision, double.log_precision, atol=3e-5)


def test_the_same_people_are_in_all_arms_and_in_larger_cohorts():
    few = simulate_cohort(course(("therapy_alone", "untreated")), num_people=2, key=KEY)
    many = simulate_cohort(course(), num_people=5, key=KEY)
    np.testing.assert_allclose(few.belief[0], many.belief[1, :2], rtol=1e-12)
    np.testing.assert_array_equal(many.belief[0, :, 0], many.belief[1, :, 0])


def test_zero_dose_is_no_drug_to_the_last_bit():
    nothing = Arm("nothing", dose="none")
    found = simulate_cohort(
        course((nothing, Arm("therapy_alone"), Arm("drug_and_therapy"))),
        num_people=3,
        key=KEY,
    )
    np.testing.assert_array_equal(found.belief[0], found.belief[1])
    assert np.abs(found.belief[2] - found.belief[1]).max() > 0.05


@pytest.fixture(scope="module", params=["psilocybin", "ketamine"])
def silent(request):
    """A drug, its window, and no evidence of any kind."""
    quiet = course(("drug_alone",), compound=request.param, daily_life=QUIET)
    return prepare(quiet, num_people=4, key=KEY)


@pytest.mark.parametrize(
    "name",
    [
        name if name == "rebus" else pytest.param(name, marks=pytest.mark.slow)
        for name in ACCOUNTS
    ],
)
def test_a_drug_without_any_evidence_changes_nobody(name, silent):
    """The drug is not the therapy, under every account, with its window open: a theorem (of events: test_event)."""
    assert silent.treatment.acute.peak.max() > 0.3
    assert silent.treatment.plasticity.max() > 1.5
    found = follow(silent, account=ACCOUNTS[name]())
    for told, start in (
        (found.belief[0], silent.people.belief),
        (found.log_precision[0], silent.people.log_precision),
    ):
        want = np.broadcast_to(np.asarray(start)[:, None], told.shape)
        np.testing.assert_allclose(told, want, rtol=1e-11)


def test_one_person_one_arm_one_event():
    """The smallest course: one dosing session of one moment, and nothing else."""
    dosing = Phase("dosing", (session(0, items=1),))
    least = replace(course(("drug_and_therapy",), daily_life=QUIET), phases=(dosing,))
    study = prepare(least, num_people=1, key=KEY)
    assert len(study.course.day) == 1
    found = follow(study)
    assert np.all(np.isfinite(found.belief))


def test_what_cannot_be_is_refused_in_a_sentence():
    with pytest.raises(UserError, match="num_people"):
        simulate_cohort(course(), num_people=0, key=KEY)
    with pytest.raises(UserError, match="no arm is called 'drug_and_therpy'"):
        simulate_cohort(course(), num_people=1, key=KEY, arms=["drug_and_therpy"])
    with pytest.raises(
        UserError, match="nmdablock: depends on nmda_block, which psilocybin"
    ):
        simulate_cohort(course(), num_people=1, key=KEY, account=NmdaBlock())
    with pytest.raises(UserError, match="would take"):
        simulate_cohort(course(), num_people=10**9, key=KEY)


def test_channels_that_are_all_blocked_are_refused(study):
    """Prevents beliefs that are no numbers."""
    effects = study.treatment.acute.effects
    blocked = effects._replace(nmda_block=effects.nmda_block + 1.0)
    acute = study.treatment.acute._replace(effects=blocked)
    whole = study._replace(treatment=study.treatment._replace(acute=acute))
    with pytest.raises(UserError, match="all NMDA channels of a person are blocked"):
        follow(whole)
    assert np.all(np.isfinite(follow(whole, account=Rebus()).belief))


def test_other_numbers_and_people_need_no_other_program(study):
    """Prevents a compilation for each value of a sweep."""
    follow(study, dynamics=FAST)
    known = _followed._cache_size()
    other = study._replace(
        people=study.people._replace(avoidance=study.people.avoidance / 2)
    )
    follow(other, dynamics=Dynamics(mean_rate=0.31))
    assert _followed._cache_size() == known


def test_the_program_does_not_grow_with_people_days_or_arms():
    """Cost is linear: the same operations for each event of each person, scanned and mapped."""

    def size(people, days, arms):
        own = prepare(course(arms, days=days), num_people=people, key=KEY)
        traced = jax.make_jaxpr(lambda: follow(own).belief)()
        return sum(1 for _ in str(traced).splitlines())

    assert size(2, 4, ("therapy_alone",)) == size(5, 9, ("therapy_alone", "untreated"))

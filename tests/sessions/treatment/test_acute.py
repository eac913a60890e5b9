"""What arms do to people: acute effects against `simulate`, clocks, believed allocation, windows."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.special import expit, logit

from pcmodel.neuromodulation import (
    Bolus,
    Dose,
    draw_participants,
    effects,
    group_administrations,
    load_compounds,
    plasticity_window,
    simulate,
    simulate_group,
    typical,
)
from pcmodel.sessions.protocol.arm import Arm
from pcmodel.sessions.timeline import timeline
from pcmodel.sessions.treatment import acute
from pcmodel.sessions.treatment.blinding import (
    HALF,
    PATIENCE,
    believed_allocation,
)
from pcmodel.sessions.treatment.windows import Plasticity, learning_factors
from tests.sessions.courses import course
from tests.sessions.treatment.long_course import long_course

LIBRARY = load_compounds()
KEY = jax.random.key(2)


def longer(phase):
    """The same with sessions of twelve hours."""
    sessions = tuple(replace(each, hours=12.0) for each in phase.sessions)
    return replace(phase, sessions=sessions)


def population(*compounds, number=3):
    return acute.Population(number, KEY, compounds, LIBRARY)


def test_effects_at_events_are_those_of_the_simulated_people():
    """Prevents a wrong clock, person or interpolation."""
    days = np.array([-1.0, 10 + 2 / 24, 10 + 3.1234 / 24, 10.5, 30])
    found = acute.take(
        (Dose("psilocybin", 25.0, 240.0),), days, population("psilocybin")
    ).acute
    people = draw_participants(typical(LIBRARY, "psilocybin"), KEY, 3)
    hours = np.array([2.0, 3.1234, 12.0])
    for number in range(3):
        person = jax.tree.map(lambda leaf, at=number: leaf[at], people)
        told = effects(simulate((Dose("psilocybin", 25.0),), hours, person))
        np.testing.assert_allclose(
            found.effects.effect_2a[number, 1:4], told.effect_2a, atol=2e-3
        )
        np.testing.assert_allclose(
            found.effects.response_1a[number, 1:4], told.response_1a, atol=2e-3
        )
    assert np.all(np.asarray(found.effects.effect_2a)[:, [0, 4]] == 0)
    assert np.all(np.diff(found.peak, axis=1) >= 0)
    assert np.all(np.asarray(found.peak)[:, 0] == 0)
    assert np.all(np.asarray(found.peak)[:, 4] > 0.3)


def test_doses_far_apart_repeat_themselves():
    doses = (
        Dose("MDMA", 80.0),
        Dose("MDMA", 40.0, 2.0),
        Dose("MDMA", 80.0, 672.0),
        Dose("MDMA", 40.0, 674.0),
    )
    days = np.array([3 / 24, 28 + 3 / 24])
    found = acute.take(doses, days, population("MDMA"))
    assert len(found.administrations) == 2
    np.testing.assert_allclose(
        found.acute.released[:, 0], found.acute.released[:, 1], rtol=1e-4
    )
    assert np.all(np.asarray(found.acute.released) > 0.2)


def test_a_dose_of_nothing_does_nothing():
    found = acute.take(
        (Dose("psilocybin", 0.0),), np.array([0.1, 1.0]), population("psilocybin")
    )
    for leaf in jax.tree.leaves(found.acute):
        assert np.all(np.asarray(leaf) == 0)
    factors = learning_factors(
        Plasticity(), found.administrations, np.array([0.1, 1.0]), num_people=3
    )
    assert np.all(np.asarray(factors) == 1)


def test_the_window_is_the_package_s_person_by_person():
    days = np.array([-3.0, 0.5, 1.0, 1.0, 7.0])
    doses = (Dose("psilocybin", 25.0),)
    found = acute.take(doses, days, population("psilocybin"))
    factors = np.asarray(
        learning_factors(Plasticity(), found.administrations, days, num_people=3)
    )
    hours = np.arange(0, 120.1, 0.25)
    group = simulate_group(doses, hours, num_people=3, key=KEY)
    told = plasticity_window(group_administrations(group), [0.5, 1.0, 7.0]).gain[1:]
    np.testing.assert_allclose(factors[:, [1, 2, 4]], told, rtol=2e-3)
    np.testing.assert_array_equal(factors[:, 2], factors[:, 3])
    assert np.all(factors[:, 0] == 1)


def test_many_events_within_an_hour_keep_their_places():
    days = np.linspace(0, 2 / 24, 500)
    found = acute.take((Dose("DMT", 20.0, route=Bolus()),), days, population("DMT"))
    effect = np.asarray(found.acute.effects.effect_2a)
    assert np.all(
        np.diff(effect[:, 300:], axis=1) <= 1e-9
    )  # over after the first minutes
    assert effect[:, :60].max() > 0.3


def test_believed_allocation_by_hand():
    arms = (
        "drug_and_therapy",
        "therapy_alone",
        Arm("active_placebo", felt=0.6),
        Arm("masked", masked=True),
        Arm("open", told=1.0),
    )
    plan = timeline(replace(course(arms), told=0.4))
    shape = (1, len(plan.day))
    full, none = np.full(shape, 0.8), np.zeros(shape)

    def last(arm, peak):
        found = believed_allocation(plan, arm, jax.numpy.asarray(peak), unblinding=6.0)
        np.testing.assert_allclose(found[0, 0], plan.told[arm])  # before the dosing
        return float(found[0, -1])

    def odds(felt):
        return expit(logit(0.4) + 6 * (felt - HALF))

    assert last(0, full) == pytest.approx(odds(0.8))
    assert last(1, none) == pytest.approx(odds(0.0))
    assert last(2, none) == pytest.approx(odds(0.6))
    assert last(3, full) == pytest.approx(0.4)
    assert last(4, none) == 1.0


@pytest.mark.parametrize("hour", [0.0, 3.0])
def test_the_clock_of_blinding_begins_with_the_intake(hour):
    """Six hours after the dose, also where it is taken three hours into a session, no effect counts as none."""
    taken = f"25 mg at {hour:g} h"
    plan = course(("drug_and_therapy", "therapy_alone"), dose=taken, items=24)
    plan = replace(plan, phases=tuple(map(longer, plan.phases)), told=0.5)
    line = timeline(plan)
    since = 24 * np.asarray(line.day) - hour
    np.testing.assert_allclose(line.intake, hour / 24)
    for arm in range(2):  # the placebo is taken when the drug is
        found = believed_allocation(
            line, arm, jax.numpy.zeros((1, len(since))), unblinding=4.0
        )[0]
        late = since >= PATIENCE
        assert 0 < late.sum() < len(late) and np.any((since > 0) & ~late)
        np.testing.assert_allclose(found[~late], 0.5)
        np.testing.assert_allclose(found[late], expit(-4.0 * HALF))


DOSES = tuple(float(hour) for hour in (0, 60, 200, 248))
HOURS = np.array([2, 50, 62, 65, 100, 202, 205, 247.5, 250, 252, 260], float)


@pytest.mark.parametrize(("compound", "mg"), [("MDMA", 100.0), ("LSD", 0.1)])
def test_later_doses_meet_what_earlier_ones_have_left(compound, mg):
    """Two to six days apart: one long differential equation, store, receptors and the drug still in the body."""
    doses = tuple(Dose(compound, mg, hour) for hour in DOSES)
    found = acute.take(doses, HOURS / 24, population(compound, number=2))
    people = draw_participants(typical(LIBRARY, compound), KEY, 2)
    for number in range(2):
        person = jax.tree.map(lambda leaf, at=number: leaf[at], people)
        exact = long_course(person, doses, HOURS, renewed=DOSES)
        np.testing.assert_allclose(
            found.acute.released[number], exact.released, rtol=5e-3, atol=1e-6
        )
        np.testing.assert_allclose(
            found.acute.effects.effect_2a[number], exact.effect, rtol=2e-2, atol=1e-4
        )
    # From rest every dose would do what the first did.
    told = np.asarray(
        found.acute.released if compound == "MDMA" else found.acute.effects.effect_2a
    )
    assert np.all(told[:, 2] < 0.6 * told[:, 0])


def test_drives_of_doses_that_meet_are_those_of_one_course():
    """What is left of the first dose's drive counts once, with the second."""
    doses = (Dose("MDMA", 100.0), Dose("MDMA", 100.0, 50.0))
    found = acute.take(doses, HOURS / 24, population("MDMA", number=1))
    group = simulate_group(doses, np.arange(-0.05, 200, 0.05), num_people=1, key=KEY)
    one = group_administrations(group, starts=[0.0, 50.0])
    drives = [each.drive.serotonin_2a[0, 0, 0] for each in found.administrations]
    np.testing.assert_allclose(drives, one.drive.serotonin_2a[1, :, 0], rtol=2e-3)
    factors = learning_factors(
        Plasticity(), found.administrations, np.array([1.0, 3.0, 9.0]), num_people=1
    )
    told = plasticity_window(one, [1.0, 3.0, 9.0]).gain[1:]
    np.testing.assert_allclose(factors, told, rtol=2e-3)

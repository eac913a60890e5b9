"""The chain from dose to effect: no special cases, exact zeros, right derivatives."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import (
    Dose,
    check_times,
    draw_participants,
    regimen,
    simulate,
    typical,
    vital_signs,
)
from pcmodel.neuromodulation.course import threshold_of, transducer_of
from pcmodel.neuromodulation.participant import typical_variation
from pcmodel.neuromodulation.pharmacology.transducer import Direct, Sigmoid, Threshold

TIMES = np.linspace(0, 12, 145)


def test_concentration_is_proportional_to_dose(take):
    """At doses nothing was calibrated on, a microdose and an overdose."""
    base = take(Dose("LSD", 0.1), times=TIMES).plasma
    for mg in (0.005, 0.4):
        got = take(Dose("LSD", mg), times=TIMES).plasma
        np.testing.assert_allclose(got, base * mg / 0.1, rtol=1e-12)


def test_two_half_doses_are_one_dose(take):
    whole = take(Dose("psilocybin", 20.0, 1.0), times=TIMES)
    halves = take(
        Dose("psilocybin", 10.0, 1.0), Dose("psilocybin", 10.0, 1.0), times=TIMES
    )
    np.testing.assert_allclose(halves.effect_2a, whole.effect_2a, rtol=1e-10)


@pytest.mark.parametrize("compound", ["psilocybin", "MDMA", "placebo", "ketanserin"])
def test_zero_dose_is_exactly_nothing(take, compound):
    course = take(Dose(compound, 0.0), times=TIMES)
    for name in ("plasma", "occupancy_2a", "serotonin", "response_2a", "effect_2a"):
        assert np.all(np.asarray(getattr(course, name)) == 0), name
    assert np.all(np.asarray(course.store) == 1)


def test_a_second_compound_at_dose_zero_changes_nothing(take):
    alone = take(Dose("LSD", 0.1), times=TIMES)
    with_none = take(Dose("LSD", 0.1), Dose("ketanserin", 0.0), times=TIMES)
    np.testing.assert_allclose(with_none.effect_2a, alone.effect_2a, rtol=1e-12)


def test_ketanserin_moves_receptors_and_leaves_plasma(take):
    """Antagonism is competition: more agonist restores the response exactly."""
    lsd, block = Dose("LSD", 0.1), Dose("ketanserin", 40.0)
    alone, both = take(lsd, times=TIMES), take(lsd, block, times=TIMES)
    assert np.array_equal(alone.plasma[0], both.plasma[0])
    at = 36
    ratio = 1 + float(both.effect_site[1, at]) / 16.5
    more = take(Dose("LSD", 0.1 * ratio), block, times=TIMES)
    np.testing.assert_allclose(more.response_2a[at], alone.response_2a[at], rtol=1e-10)


def test_a_second_dose_of_mdma_does_less(take):
    """Acute tolerance: the same amount again four hours later, by what it adds."""
    times = np.linspace(0, 16, 193)
    one = take(Dose("MDMA", 100.0), times=times).serotonin
    two = take(Dose("MDMA", 100.0), Dose("MDMA", 100.0, 4.0), times=times).serotonin
    late = times > 4
    assert (two - one)[late].max() < 0.35 * one.max()


def test_receptors_are_lost_with_use_and_come_back(take):
    """Tachyphylaxis: 50-85 % left after a day, within 5 % of all after a week."""
    times = np.linspace(0, 24 * 8, 24 * 8 * 4 + 1)
    first = Dose("psilocybin", 25.0)
    once = take(first, times=times, tolerance=True)
    day, week = np.searchsorted(times, [24.0, 168.0])
    assert 0.5 < once.receptors[day] < 0.85
    assert once.receptors[week] > 0.95
    peaks = []
    for pause in (24.0, 168.0):
        again = take(
            first, Dose("psilocybin", 25.0, pause), times=times, tolerance=True
        )
        peaks.append(float(again.effect_2a[times > pause].max()))
    assert peaks[0] < 0.5 * peaks[1] < peaks[1] < once.effect_2a.max()


def test_at_rest_with_tone_there_is_no_effect_and_an_antagonist_has_none(
    library, run_person
):
    """Endogenous serotonin is part of rest."""
    person = typical(library, "ketanserin")
    toned = person.physiology._replace(tone=jnp.asarray(0.4))
    person = type(person)(person.ligands, toned, person.compounds, False)
    for mg in (0.0, 40.0):
        doses = regimen(Dose("ketanserin", mg), library=library)
        course = run_person(doses, person, jnp.asarray(TIMES))
        assert np.all(np.asarray(course.effect_2a) == 0)
    assert course.response_2a.min() < -0.01


def test_second_stages_agree_where_they_are_defined_to():
    """All are 0 at rest and 1 at `full`."""
    stages = (Threshold(0.11, 0.16), Sigmoid(0.13, 20.0, 0.16), Direct(0.16))
    for stage in stages:
        assert float(stage(jnp.asarray(0.0))) == 0
        np.testing.assert_allclose(stage(jnp.asarray(0.16)), 1.0, rtol=1e-12)
    assert float(stages[0](jnp.asarray(0.1))) == 0


@pytest.mark.parametrize("compound", ["psilocybin", "LSD", "MDMA"])
def test_effects_have_the_derivative_in_dose_that_differences_show(library, compound):
    """A dose can be fitted, through a store as well."""
    person, times = typical(library, compound), jnp.linspace(0, 6, 73)

    def total(mg):
        doses = regimen(Dose(compound, mg), library=library)
        course = simulate(doses, times, person, transducer=Direct(0.16))
        return jnp.sum(course.effect_2a) + jnp.sum(course.response_1a)

    mg = {"psilocybin": 22.0, "LSD": 0.13, "MDMA": 90.0}[compound]
    step = 1e-5 * mg
    compiled = jax.jit(total)
    numeric = (compiled(mg + step) - compiled(mg - step)) / (2 * step)
    np.testing.assert_allclose(jax.jit(jax.grad(total))(mg), numeric, rtol=1e-6)


def test_people_vary_around_the_typical_one(library):
    """Medians are the table's; coefficients of variation those of the variation rows."""
    person = typical(library, "psilocybin", "LSD")
    draw = jax.jit(draw_participants, static_argnums=2)
    group = draw(person, jax.random.key(1), 20000)
    clearance = np.asarray(group.ligands.kinetics.clearance)
    typical_clearance = np.asarray(person.ligands.kinetics.clearance)
    np.testing.assert_allclose(
        np.median(clearance, axis=0), typical_clearance, rtol=0.02
    )
    spread = clearance.std(axis=0) / clearance.mean(axis=0)
    np.testing.assert_allclose(spread, 0.30, rtol=0.05)
    assert abs(np.corrcoef(clearance.T)[0, 1]) < 0.03
    ratio = np.asarray(group.ligands.k_2a) / np.asarray(person.ligands.k_2a)
    np.testing.assert_allclose(ratio[:, 0], ratio[:, 1], rtol=1e-12)


@pytest.mark.slow
def test_mapping_over_people_is_a_loop_over_people(library, run_person):
    """Prevents one participant's numbers from leaking into another's."""
    doses = regimen(Dose("MDMA", 100.0), library=library)
    group = draw_participants(typical(library, "MDMA"), jax.random.key(2), 3)
    times = jnp.asarray(TIMES)
    mapped = jax.vmap(lambda person: run_person(doses, person, times))(group)
    for index in range(3):
        one = run_person(doses, jax.tree.map(lambda x, i=index: x[i], group), times)
        for got, expected in zip(mapped, one, strict=True):
            np.testing.assert_allclose(got[index], expected, rtol=1e-9, atol=1e-12)


def test_times_are_checked(library):
    person = typical(library, "MDMA")
    with pytest.raises(UserError, match="ascend"):
        check_times(np.asarray([0.0, 2.0, 1.0]), person, tolerance=False)
    with pytest.raises(UserError, match=r"steps of 0\.25 h"):
        check_times(np.asarray([0.0, 1.0, 2.0]), person, tolerance=False)


def test_the_default_second_stage_is_the_participants_own(library):
    person = typical(library, "LSD")
    for made, place, effect in (
        (transducer_of, "half", 0.5),
        (threshold_of, "onset", 0.0),
    ):
        stage = made(person.physiology)
        at_full = stage(person.physiology.full)
        np.testing.assert_allclose(at_full, 1.0, rtol=1e-12)
        found = float(stage(getattr(person.physiology, place)))
        ceiling = float(stage(jnp.asarray(1e3))) if effect else 1.0
        np.testing.assert_allclose(found, effect * ceiling, rtol=1e-12)


def test_two_agonists_of_one_efficacy_act_as_more_of_one(take):
    """LSD beside psilocin: concentrations in units of their K add."""
    both = take(Dose("psilocybin", 10.0), Dose("LSD", 0.05), times=TIMES)
    ratio = both.effect_site[0] / 1.97 + both.effect_site[1] / 0.232
    filled = ratio / (1 + ratio)
    expected = 0.19 * filled / (1 + 0.19 * filled)
    np.testing.assert_allclose(both.response_2a, expected, rtol=1e-10)
    alone = [take(Dose(n, mg), times=TIMES) for n, mg in MIXED]
    parts = sum(np.asarray(course.response_2a) for course in alone)
    assert np.all(np.asarray(both.response_2a)[24:] < parts[24:])


MIXED = (("psilocybin", 10.0), ("LSD", 0.05))


def test_a_dose_of_zero_has_the_derivative_of_a_small_one(library):
    """Prevents a fit that starts at no drug from staying there."""
    person, times = typical(library, "LSD"), jnp.linspace(0, 6, 13)

    def total(mg):
        doses = regimen(Dose("LSD", mg), library=library)
        course = simulate(doses, times, person, transducer=Direct(0.16))
        return jnp.sum(course.effect_2a) + jnp.sum(course.response_1a)

    assert float(total(0.0)) == 0
    step = 1e-9
    slope = jax.jit(jax.grad(total))(0.0)
    np.testing.assert_allclose(slope, jax.jit(total)(step) / step, rtol=1e-5)


def test_one_person_stays_the_same_whatever_else_is_taken(library):
    """Prevents an interaction from being a comparison of different people."""
    key = jax.random.key(3)
    alone = draw_participants(typical(library, "LSD"), key, 4)
    both = draw_participants(typical(library, "ketanserin", "LSD"), key, 4)
    for got, expected in zip(
        both.ligands.kinetics, alone.ligands.kinetics, strict=True
    ):
        np.testing.assert_array_equal(got[:, 1], expected[:, 0])
    np.testing.assert_array_equal(both.ligands.k_2a[:, 1], alone.ligands.k_2a[:, 0])
    for name in ("half", "ego_half", "onset"):
        np.testing.assert_array_equal(
            getattr(both.physiology, name), getattr(alone.physiology, name)
        )


def test_how_much_people_differ_is_an_argument(library):
    """Prevents a variation that is set from being read from the table all the same."""
    person = typical(library, "LSD")
    alike = typical_variation()._replace(clearance=0.0, volume=0.0)
    group = draw_participants(person, jax.random.key(3), 5, alike)
    np.testing.assert_allclose(
        group.ligands.kinetics.clearance[:, 0], person.ligands.kinetics.clearance[0]
    )
    assert np.ptp(np.asarray(group.ligands.kinetics.absorption)) > 0


def test_a_store_cannot_be_full_after_the_dose(library):
    """Prevents release before the first time from being left out."""
    doses = regimen(Dose("MDMA", 100.0, 0.5), library=library)
    person = typical(library, "MDMA")
    check_times(np.asarray([0.5, 0.6]), person, tolerance=False, doses=doses)
    with pytest.raises(UserError, match=r"dose 1 \(MDMA\).*before the first time, 1 h"):
        check_times(np.asarray([1.0, 1.1]), person, tolerance=False, doses=doses)


def test_a_threshold_out_of_reach_is_never_crossed():
    """Prevents an onset above the maximum from turning effects around."""
    stage = Threshold(0.22, 0.16)
    assert np.all(np.asarray(stage(jnp.asarray([0.0, 0.1, 0.3]))) == 0)


def test_released_serotonin_raises_pressure_once(library, run_person):
    """MDMA beside a trace of psilocin: the pressure of MDMA alone."""
    trace = Dose("psilocybin", 1e-9)
    pair, alone = (Dose("MDMA", 125.0), trace), (Dose("MDMA", 125.0),)
    times, found = jnp.asarray(TIMES), []
    for doses in (pair, alone):
        person = typical(library, *(dose.compound for dose in doses))
        # More serotonin than anyone releases, so that it crosses the threshold itself.
        physiology = person.physiology._replace(excess=jnp.asarray(200.0))
        person = replace(person, physiology=physiology)
        course = run_person(regimen(*doses, library=library), person, times)
        assert course.effect_2a.max() > 0.1
        found.append(vital_signs(course, times, person).systolic)
    np.testing.assert_allclose(*found, rtol=1e-6)

"""Several ligands at one place, serotonin's tone included: every share written out."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from pcmodel.neuromodulation import Bolus, Dose, regimen, typical
from pcmodel.neuromodulation.body import drives, serotonin_agonism
from pcmodel.neuromodulation.course import bind
from pcmodel.neuromodulation.pharmacology.exchange import AtOnce
from pcmodel.neuromodulation.pharmacology.pools import depletable

TIMES = np.linspace(0, 6, 73)
TAU, K, TONE = 0.3, 1.7, 0.6
"""Serotonin's efficacy and K at a receptor, and its tone."""


def bound(site, serotonin=0.0):
    """Two ligands, K 2 and 5, efficacies 0.8 and 0, beside serotonin."""
    times = jnp.asarray([0.0, 1.0])
    return bind(
        lambda moments: jnp.asarray(site)[:, None] + 0 * moments[None],
        jnp.full(2, serotonin),
        times,
        exchange=AtOnce(),
        off_rates=jnp.full(2, jnp.inf),
        dissociation=jnp.asarray([2.0, 5.0]),
        efficacy=jnp.asarray([0.8, 0.0]),
        serotonin_k=jnp.asarray(K),
        serotonin_efficacy=jnp.asarray(TAU),
        tone=jnp.asarray(TONE),
    )


def test_serotonin_s_tone_has_its_own_efficacy_at_rest():
    """Prevents a baseline from which no drug would differ by the right amount.

    Without drugs the stimulus *is* the one at rest, tau x / (1 + x) with x = tone / K.
    """
    nothing, ratio = bound([0.0, 0.0]), TONE / K
    expected = TAU * ratio / (1 + ratio)
    np.testing.assert_allclose(nothing.rest, expected, rtol=1e-12)
    np.testing.assert_allclose(nothing.stimulus, [expected] * 2, rtol=1e-12)


def test_an_antagonist_takes_from_tone_what_gaddum_says():
    """Prevents ligands that do not compete, or tone that does not count among them."""
    found = bound([3.0, 8.0], serotonin=0.9)
    a, b, own = 3.0 / 2.0, 8.0 / 5.0, (TONE + 0.9) / K
    whole = 1 + a + b + own
    np.testing.assert_allclose(found.occupancy[:, 0], [a / whole, b / whole])
    np.testing.assert_allclose(found.stimulus, [(0.8 * a + TAU * own) / whole] * 2)


def test_responses_are_counted_from_rest(library, run_person):
    """Prevents tone from being forgotten, or counted without its efficacy, in what a drug does.

    Ketanserin under tone: E(S) - E(S at rest) of the operational model, by hand, at both receptors.
    """
    person = typical(library, "ketanserin")
    changed = person.physiology._replace(
        tone=jnp.asarray(TONE),
        serotonin_efficacy_2a=jnp.asarray(0.35),
        serotonin_efficacy_1a=jnp.asarray(2.5),
        serotonin_k_1a=jnp.asarray(0.8),
    )
    person = replace(person, physiology=changed)
    doses = regimen(Dose("ketanserin", 40.0), library=library)
    course = run_person(doses, person, jnp.asarray(TIMES))
    slope = float(changed.slope)
    for response, occupied, tau, k in (
        (course.response_2a, course.occupancy_2a, 0.35, float(changed.serotonin_k_2a)),
        (course.response_1a, course.occupancy_1a, 2.5, 0.8),
    ):
        free = TONE / k / (1 + TONE / k)
        taken = (1 - np.asarray(occupied[0])) * free
        drive, rest = (tau * taken) ** slope, (tau * free) ** slope
        expected = drive / (1 + drive) - rest / (1 + rest)
        np.testing.assert_allclose(response, expected, rtol=1e-9, atol=1e-14)
    assert course.response_2a.min() < -0.01


def two_blockers(library):
    """Ketamine, and LSD as if it blocked the channel and released serotonin too."""
    lsd = library["LSD"].with_value("nmda_ic50", 0.4, "a second blocker")
    ketamine = library["ketamine"].with_value("release_ec50", 60.0, "a releaser")
    library = library.replacing(lsd.with_value("release_ec50", 0.7, "another"))
    return library.replacing(ketamine)


def test_two_blockers_and_two_releasers_compete_for_one_place(library, run_person):
    """Prevents blocks that add beyond all channels, and a circulation pushed by more than there is.

    Each takes x_i / (1 + sum x); together they block sum x / (1 + sum x).
    """
    both = two_blockers(library)
    doses = regimen(
        Dose("ketamine", 40.0, route=Bolus()), Dose("LSD", 0.1), library=both
    )
    person = typical(both, "ketamine", "LSD")
    course = run_person(doses, person, jnp.asarray(TIMES))
    site = np.asarray(course.effect_site)
    order = [person.compounds.index(name) for name in ("ketamine", "LSD")]
    block, release = np.zeros_like(site), np.zeros_like(site)
    block[order] = site[order] / np.asarray([[119.0], [0.4]])
    release[order] = site[order] / np.asarray([[60.0], [0.7]])
    assert min(block[0].max(), block[1].max(), release[0].max()) > 0.1
    total = block.sum(axis=0)
    np.testing.assert_allclose(course.nmda_block, total / (1 + total), rtol=1e-9)
    demand = release.sum(axis=0) / (1 + release.sum(axis=0))
    expected = float(person.physiology.excess) * demand * np.asarray(course.store)
    np.testing.assert_allclose(course.serotonin, expected, rtol=1e-9)
    # Without a 5-HT2A effect the drives are the released and the blocked shares alone.
    quiet = course._replace(effect_2a=jnp.zeros_like(course.effect_2a))
    shares = block / (1 + total)
    shares += release / (1 + release.sum(axis=0)) * np.asarray(course.store)
    np.testing.assert_allclose(drives(quiet, person), shares, rtol=1e-9, atol=1e-14)


def test_released_serotonin_s_part_of_the_stimulus_is_gaddum_s(library, run_person):
    """tau y / (1 + tone + y + sum x): what was released, y, among all that compete."""
    person = typical(library, "MDMA", "LSD")
    changed = person.physiology._replace(
        tone=jnp.asarray(TONE),
        serotonin_efficacy_2a=jnp.asarray(TAU),
        serotonin_k_2a=jnp.asarray(K),
        excess=jnp.asarray(9.0),
    )
    person = replace(person, physiology=changed)
    doses = regimen(Dose("MDMA", 100.0), Dose("LSD", 0.1), library=library)
    course = run_person(doses, person, jnp.asarray(TIMES))
    ratios = course.effect_site / person.ligands.k_2a[:, None]
    released = np.asarray(course.serotonin) / K
    assert released.max() > 0.5
    whole = 1 + TONE / K + released + np.sum(ratios, axis=0)
    expected = TAU * released / whole
    found = serotonin_agonism(course, person)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


def test_only_agonists_use_receptors_up(library, run_person):
    """Prevents an antagonist from making tolerance, and a response from receptors that are lost.

    What is left follows the pool's equation under the agonist's occupancy, and the response is that of S times it.
    """
    times = jnp.asarray(np.linspace(0, 24, 97))
    person = typical(library, "ketanserin", "LSD")
    doses = regimen(Dose("ketanserin", 40.0), Dose("LSD", 0.2), library=library)
    course = run_person(doses, person, times, tolerance=True)
    body, number = person.physiology, person.compounds.index("LSD")
    occupied = course.occupancy_2a[number]
    left = depletable(times, occupied, spend=body.down_regulation, refill=body.recovery)
    np.testing.assert_allclose(course.receptors, left, rtol=1e-9)
    assert 0.5 < float(left.min()) < 0.99
    tau, slope = float(person.ligands.efficacy_2a[number]), float(body.slope)
    drive = (tau * np.asarray(occupied) * np.asarray(left)) ** slope
    assert float(body.tone) == 0
    np.testing.assert_allclose(course.response_2a, drive / (1 + drive), rtol=1e-9)
    alone = regimen(Dose("ketanserin", 40.0), library=library)
    course = run_person(alone, typical(library, "ketanserin"), times, tolerance=True)
    np.testing.assert_array_equal(course.receptors, np.ones(97))

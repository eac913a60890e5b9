"""Every stage of a course, in a person of whom no number is 0, 1 or infinite: written out in numpy and scipy."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pharmacology import chain_by_ode, lag_by_ode

from pcmodel.neuromodulation import Bolus, Dose, simulate, typical, vital_signs
from pcmodel.neuromodulation.participant import Ligands
from pcmodel.neuromodulation.pharmacology.kinetics import Kinetics

TIMES = np.concatenate([np.linspace(0, 1, 6), np.linspace(1.1, 3, 16)])
NAMES = ("LSD", "MDMA", "ketamine")
DOSES = (
    Dose("LSD", 0.04, 0.15),
    Dose("MDMA", 60.0, 0.3),
    Dose("ketamine", 25.0, 0.7),
    Dose("MDMA", 30.0, 1.4),
)
LIGANDS = Ligands(
    kinetics=Kinetics(
        lag=np.asarray([0.1, 0.2, 0.05]),
        absorption=np.asarray([2.0, 1.3, 3.0]),
        elimination=np.asarray([0.3, 0.5, 0.9]),
        volume=np.asarray([40.0, 300.0, 90.0]),
        effect_site=np.asarray([1.5, 4.0, 2.5]),
        bioavailability=np.asarray([0.7, 0.8, 0.3]),
    ),
    k_2a=np.asarray([0.5, 150.0, 700.0]),
    off_2a=np.asarray([0.4, np.inf, np.inf]),
    efficacy_2a=np.asarray([0.6, 0.2, 0.0]),
    k_1a=np.asarray([14.0, 90.0, 400.0]),
    efficacy_1a=np.asarray([0.8, 0.3, 1.7]),
    release_ec50=np.asarray([70.0, 130.0, 1900.0]),
    nmda_ic50=np.asarray([50.0, 800.0, 120.0]),
    rises=np.asarray([[20.0, 10.0, 8.0], [40.0, 25.0, -12.0], [15.0, 6.0, 30.0]]),
)
BODY = {
    "slope": 1.3,
    "serotonin_k_2a": 1.6,
    "serotonin_k_1a": 0.7,
    "serotonin_efficacy_2a": 0.9,
    "serotonin_efficacy_1a": 1.4,
    "tone": 0.35,
    "excess": 5.0,
    "release": 1.8,
    "refill": 0.2,
    "down_regulation": 0.6,
    "recovery": 0.15,
    "half": 0.17,
    "power": 3.0,
    "full": 0.45,
    "resting": np.asarray([121.0, 77.0, 64.0]),
    "habituation": np.asarray([0.3, 0.8, 1.7]),
}


@pytest.fixture(scope="module")
def person(library):
    someone = typical(library, *NAMES)
    return replace(
        someone,
        ligands=jax.tree.map(jnp.asarray, LIGANDS),
        physiology=someone.physiology._replace(
            **jax.tree.map(lambda x: jnp.asarray(x, float), BODY)
        ),
    )


@pytest.fixture(scope="module")
def course(person):
    return jax.tree.map(lambda curve: curve[0], everyone(person))


TONES = BODY["tone"] * np.linspace(1, 3, 32)


@cache
def _everyone():
    def one(tone, person):
        body = person.physiology._replace(tone=tone)
        someone = replace(person, physiology=body)
        return simulate(DOSES, TIMES, someone, tolerance=True)

    return jax.jit(jax.vmap(one, in_axes=(0, None)))


def everyone(person):
    """The person, and others of more serotonin at rest."""
    return _everyone()(jnp.asarray(TONES), person)


@pytest.fixture(scope="module")
def sites():
    """Plasma and effect site (ng/mL) of each compound, integrated."""
    found = []
    for index, name in enumerate(NAMES):
        lag, ka, ke, volume, k0, _ = (part[index] for part in LIGANDS.kinetics)
        rows = [(d.mg, d.hours, "oral", 0.0) for d in DOSES if d.compound == name]
        found.append(chain_by_ode(TIMES, (ka, ke, k0, lag), rows, volume))
    return np.moveaxis(np.asarray(found), 1, 0)


def pool(demand, spend, refill):
    """From 1, with the demand's mean within each step: the exact solution."""
    content = [1.0]
    for step, mean in zip(np.diff(TIMES), (demand[1:] + demand[:-1]) / 2, strict=True):
        rate = spend * mean + refill
        goal = refill / rate
        content.append(goal + (content[-1] - goal) * np.exp(-rate * step))
    return np.asarray(content)


def serotonin_of(site):
    reversal = (site / LIGANDS.release_ec50[:, None]).sum(0)
    demand = reversal / (1 + reversal)
    store = pool(demand, BODY["release"], BODY["refill"])
    return BODY["excess"] * demand * store, store


def bound(site, constants, k):
    """Shares of compounds and of serotonin, and that of serotonin at rest."""
    serotonin, _ = serotonin_of(site)
    compounds = site / constants[:, None]
    own = (BODY["tone"] + serotonin) / k
    whole = 1 + compounds.sum(0) + own
    tone = BODY["tone"] / k
    return compounds / whole, own / whole, tone / (1 + tone)


def response(stimulus):
    return stimulus ** BODY["slope"] / (1 + stimulus ** BODY["slope"])


def hill(x):
    return x ** BODY["power"] / (x ** BODY["power"] + BODY["half"] ** BODY["power"])


def test_concentrations_of_three_compounds_and_two_doses_of_one(course, sites):
    np.testing.assert_allclose(course.plasma, sites[0], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(course.effect_site, sites[1], rtol=1e-6, atol=1e-8)


def test_serotonin_is_released_from_a_store_that_runs_out(course, sites):
    serotonin, store = serotonin_of(sites[1])
    np.testing.assert_allclose(course.serotonin, serotonin, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(course.store, store, rtol=1e-6)
    assert store[-1] < 0.5


def test_receptors_are_shared_lost_and_answer_above_rest(course, sites):
    """5-HT2A with agonists only spending receptors, and 5-HT1A, which loses none."""
    k, tau = BODY["serotonin_k_2a"], BODY["serotonin_efficacy_2a"]
    shares, own, rest = bound(sites[1], LIGANDS.k_2a, k)
    np.testing.assert_allclose(course.occupancy_2a, shares, rtol=1e-6, atol=1e-8)
    left = pool(shares[:2].sum(0), BODY["down_regulation"], BODY["recovery"])
    np.testing.assert_allclose(course.receptors, left, rtol=1e-6)
    stimulus = (LIGANDS.efficacy_2a @ shares + tau * own) * left
    above = response(stimulus) - response(tau * rest)
    np.testing.assert_allclose(course.response_2a, above, rtol=1e-5, atol=1e-8)
    effect = np.where(above > 0, hill(np.maximum(above, 0)), 0) / hill(BODY["full"])
    np.testing.assert_allclose(course.effect_2a, effect, rtol=1e-4, atol=1e-8)
    assert above.max() > 0.05 and effect.max() > 0.01
    k, tau = BODY["serotonin_k_1a"], BODY["serotonin_efficacy_1a"]
    shares, own, rest = bound(sites[1], LIGANDS.k_1a, k)
    np.testing.assert_allclose(course.occupancy_1a, shares, rtol=1e-6, atol=1e-8)
    above = response(LIGANDS.efficacy_1a @ shares + tau * own) - response(tau * rest)
    np.testing.assert_allclose(course.response_1a, above, rtol=1e-5, atol=1e-8)


def test_before_the_first_dose_there_is_nothing_to_the_bit(person):
    """Whatever serotonin there is at rest, and though it is added up in two ways."""
    courses = everyone(person)
    for name in ("occupancy_2a", "response_2a", "response_1a", "effect_2a"):
        curves = np.asarray(getattr(courses, name))
        assert np.all(curves[..., TIMES < 0.25] == 0), name
        assert np.all(curves[..., TIMES > 0.8].any(axis=-1)), name
    assert np.all(np.asarray(courses.response_1a)[:, TIMES > 0.25] != 0)


def test_receptors_that_a_drug_has_cost_are_missed_when_it_is_gone(library):
    """In single precision nothing of DMT is left after a day; less serotonin is felt than at rest."""
    dmt, times = typical(library, "DMT"), np.linspace(0, 24, 97)
    body = dmt.physiology._replace(tone=jnp.asarray(0.5), down_regulation=jnp.ones(()))
    low = jax.tree.map(lambda x: x.astype(jnp.float32), replace(dmt, physiology=body))
    doses = (Dose("DMT", 25.0, 0.0, Bolus()),)
    course = jax.jit(
        lambda one: simulate(doses, times.astype(np.float32), one, tolerance=True)
    )(low)
    assert course.effect_site[0, -1] == 0 and course.receptors[-1] < 0.95
    rest = 0.19 * 0.5 / 1.5
    left = rest * float(course.receptors[-1])
    expected = left / (1 + left) - rest / (1 + rest)
    np.testing.assert_allclose(course.response_2a[-1], expected, rtol=1e-4)


def test_channels_are_blocked_by_all_compounds_together(course, sites):
    block = (sites[1] / LIGANDS.nmda_ic50[:, None]).sum(0)
    expected = block / (1 + block)
    np.testing.assert_allclose(course.nmda_block, expected, rtol=1e-6, atol=1e-9)


def test_every_sign_follows_what_drives_it_and_gets_used_to_it(course, person):
    """The compounds' parts of the effect, of release and of block, by the course's own curves."""
    tau, k = BODY["serotonin_efficacy_2a"], BODY["serotonin_k_2a"]
    site, occupancy = np.asarray(course.effect_site), np.asarray(course.occupancy_2a)
    effect, store = np.asarray(course.effect_2a), np.asarray(course.store)
    agonism = LIGANDS.efficacy_2a[:, None] * occupancy
    released, tone = np.asarray(course.serotonin) / k, BODY["tone"] / k
    shared = tau * released * (1 - occupancy.sum(0)) / (1 + tone + released)
    whole = agonism.sum(0) + shared
    part = agonism / np.where(whole > 0, whole, 1)
    reversal = site / LIGANDS.release_ec50[:, None]
    block = site / LIGANDS.nmda_ic50[:, None]
    drive = part * effect
    drive += reversal / (1 + reversal.sum(0)) * store
    drive += block / (1 + block.sum(0))
    signs = vital_signs(course, TIMES, person)
    for number, sign in enumerate(signs):
        push = LIGANDS.rises[:, number] @ drive
        learned = lag_by_ode(
            TIMES,
            lambda t, push=push: np.interp(t, TIMES, push),
            BODY["habituation"][number],
        )
        expected = BODY["resting"][number] + push - learned
        np.testing.assert_allclose(sign, expected, rtol=1e-6)
        assert np.ptp(expected) > 1

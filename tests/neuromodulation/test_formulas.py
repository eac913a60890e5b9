"""Every account's factors, and every sign of the body, by the formula it states."""

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.neuromodulation import draw_participants, typical, vital_signs
from pcmodel.neuromodulation.accounts.accounts import (
    Dimmer,
    Effects,
    Noise,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
    Uniform,
    excitability,
)
from pcmodel.neuromodulation.accounts.maps import Anatomy, graded
from pcmodel.neuromodulation.course import Course, hours_above
from pcmodel.neuromodulation.participant import Variation
from pcmodel.neuromodulation.pharmacology.pools import lagged

PLACES = Anatomy(("a", "b", "c"), (0.8, 1.3, 0.9), (1.2, 0.5, 1.3))
FELT = Effects(jnp.asarray(0.6), jnp.asarray(0.4), jnp.asarray(0.2))


def logs(levels):
    return [float(np.log(levels[level])) for level in sorted(levels)]


def test_weights_of_the_levels_are_density_times_depth_over_their_mean():
    """Prevents selectivity that changes how much is relaxed in all, not only where."""
    raw = np.asarray([0.0, 1.3 * 0.5**2, 0.9])
    np.testing.assert_allclose(graded(PLACES.density_2a, 2.0), raw / raw.mean())
    flat = np.asarray(PLACES.density_2a)
    np.testing.assert_allclose(graded(PLACES.density_2a, 0.0), flat / flat.mean())


def test_gains_are_what_each_account_says():
    """Prevents a precision account from acting at another level, or by another amount."""
    kappa = graded(PLACES.density_2a, 1.0)
    share = np.asarray([0.25, 1.0, 1.0])  # of the senses three quarters are exempt
    one_a = np.asarray(PLACES.density_1a)
    rebus = Rebus(1.7, selectivity=1.0, exemption=0.75, restoring_1a=0.9)
    expected = share * (-1.7 * kappa * 0.6 + 0.9 * one_a * 0.4)
    np.testing.assert_allclose(logs(rebus.modulate(FELT, PLACES).gains), expected)
    raised = Rebus(1.7, sign=1, selectivity=1.0, exemption=0.75)
    got = logs(raised.modulate(FELT, PLACES).gains)
    np.testing.assert_allclose(got, share * 1.7 * kappa * 0.6)
    sebus = Sebus(1.7, strengthening=3.5, selectivity=1.0, exemption=0.75)
    net = 0.6 - 3.5 * 0.6 * 0.4
    got = logs(sebus.modulate(FELT, PLACES).gains)
    np.testing.assert_allclose(got, -share * 1.7 * kappa * net)
    np.testing.assert_allclose(logs(Sensory(1.7).modulate(FELT, PLACES).gains), [1.02])
    uniform = Uniform(1.7).modulate(FELT, PLACES).gains
    np.testing.assert_allclose(logs(uniform), [-1.02] * 3)


def test_what_is_no_precision_is_what_each_account_says():
    """Prevents slopes, mixing or temperature from following another part of the drug."""
    slopes = Dimmer(0.7).modulate(FELT, PLACES).slopes
    np.testing.assert_allclose(logs(slopes), [-0.7 * 0.4 * 0.5, -0.7 * 0.4 * 1.3])
    np.testing.assert_allclose(
        Oneirogen(0.7).modulate(FELT, PLACES).top_down, 1 - np.exp(-0.7 * 0.6)
    )
    noise = Noise(0.7).modulate(FELT, PLACES)
    np.testing.assert_allclose(noise.temperature, np.exp(0.7 * 0.6))
    np.testing.assert_allclose(excitability(FELT, per_effect=3.0), 1.8)


def test_a_constant_block_raises_signs_that_habituate(library):
    """Delta = S u exp(-k t) above rest, for each sign its own S and k."""
    person = typical(library, "ketamine")
    times = np.linspace(0, 4, 81)
    site = 0.7 * float(person.ligands.nmda_ic50[0])
    one, nothing = jnp.ones(81), jnp.zeros((1, 81))
    course = Course(
        nothing,
        jnp.full((1, 81), site),
        nothing,
        nothing,
        *(0 * one, one, one, 0 * one, 0 * one, 0 * one, 0 * one),
    )
    signs = vital_signs(course, jnp.asarray(times), person)
    body, drive = person.physiology, 0.7 / 1.7
    assert np.abs(person.ligands.rises).max() > 0
    for number, sign in enumerate(signs):
        rise = float(person.ligands.rises[0, number]) * drive
        expected = rise * np.exp(-float(body.habituation[number]) * times)
        expected += float(body.resting[number])
        np.testing.assert_allclose(sign, expected, rtol=1e-10)


def test_people_differ_in_everything_by_as_much_as_is_said(library):
    """Coefficients of variation, medians at the typical person, what varies together and what apart."""
    person = typical(library, "psilocybin", "buspirone")
    said = Variation(0.3, 0.2, 0.5, 0.4, 0.1, 0.25, jnp.asarray([8.0, 5.0, 9.0]))
    draw = jax.jit(draw_participants, static_argnums=2)
    group = draw(person, jax.random.key(0), 8000, said)
    kinetics, own = group.ligands.kinetics, person.ligands.kinetics
    factors = {
        "clearance": (kinetics.clearance / own.clearance[None], 0.3),
        "volume": (kinetics.volume / own.volume[None], 0.2),
        "absorption": (kinetics.absorption / own.absorption[None], 0.5),
        "onset": ((group.physiology.onset / person.physiology.onset)[:, None], 0.1),
        "k_2a": (group.ligands.k_2a[:, :1] / person.ligands.k_2a[None, :1], 0.4),
        "k_1a": (group.ligands.k_1a[:, 1:] / person.ligands.k_1a[None, 1:], 0.4),
        "rise": (group.ligands.rises[:, 0] / person.ligands.rises[None, 0], 0.25),
    }
    for name, (factor, cv) in factors.items():
        values = np.asarray(factor)
        values = values[:, np.isfinite(values).all(axis=0)]
        assert values.shape[1] >= 1, name
        np.testing.assert_allclose(np.median(values, axis=0), 1, atol=0.03)
        spread = values.std(axis=0) / values.mean(axis=0)
        np.testing.assert_allclose(spread, cv, rtol=0.06, err_msg=name)
    resting = np.asarray(group.physiology.resting)
    np.testing.assert_allclose(resting.std(axis=0), said.resting, rtol=0.05)
    error = 4 * np.asarray(said.resting) / np.sqrt(8000)
    assert np.all(np.abs(resting.mean(axis=0) - person.physiology.resting) < error)
    body, own = group.physiology, person.physiology
    for other, typical_one in ((body.half, own.half), (body.ego_half, own.ego_half)):
        together = (other / typical_one) / (body.onset / own.onset)
        np.testing.assert_allclose(together, np.ones(8000), rtol=1e-12)
    apart = [
        factors[n][0][:, 0] for n in ("clearance", "volume", "absorption", "onset")
    ]
    apart += [factors[n][0][:, 0] for n in ("k_2a", "k_1a", "rise")]
    apart += list(resting.T)
    off = np.corrcoef(np.log(np.abs(np.stack(apart)))) - np.eye(len(apart))
    assert np.abs(off).max() < 0.05


def test_hours_above_a_level_are_those_of_the_line_between_the_times():
    """A triangle of height 2 over 4 h is above 1 for 2 h, above 0.5 for 3; touching is not exceeding."""
    times = jnp.asarray([0.0, 2.0, 4.0])
    curve = jnp.asarray([0.0, 2.0, 0.0])
    for level, hours in ((1.0, 2.0), (0.5, 3.0), (2.0, 0.0), (-1.0, 4.0), (5.0, 0.0)):
        np.testing.assert_allclose(hours_above(times, curve, jnp.asarray(level)), hours)
    uneven = jnp.asarray([0.0, 1.0, 1.5, 4.5])
    steps = jnp.asarray([2.0, 2.0, 0.0, 4.0])
    np.testing.assert_allclose(
        hours_above(uneven, steps, jnp.asarray(1.0)), 1 + 0.25 + 2.25
    )


def test_what_never_follows_stays_where_it_was():
    """Prevents a habituation of rate zero from being a number divided by nothing."""
    times = jnp.asarray([0.0, 0.5, 2.0])
    signal = jnp.asarray([1.0, 3.0, 2.0])
    still = lagged(times, signal, jnp.asarray(0.0))
    np.testing.assert_array_equal(still, np.zeros(3))
    slow = lagged(times, signal, jnp.asarray(1e-9))
    area = np.asarray([0.0, 1.0, 1.0 + 1.5 * 2.5])  # of the line through the signal
    np.testing.assert_allclose(slow, 1e-9 * area, rtol=1e-6)

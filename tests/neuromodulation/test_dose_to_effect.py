"""The whole way from a dose to its effect, derived a second time with scipy and numpy; low doses fade in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pharmacology import agonist_effect, chain_by_ode

from pcmodel.neuromodulation import Dose, simulate, threshold_of, typical
from pcmodel.neuromodulation.pharmacology.kinetics import Kinetics, unit_infusion
from pcmodel.neuromodulation.pharmacology.transducer import Sigmoid

TIMES = np.linspace(0, 24, 97)
STAGE = {"half": 0.1376, "power": 16.0, "full": 0.1597}
LSD = (1.99, np.log(2) / 3.6, 1.5, 0.4)


def by_hand(mg, *, blocked=0.0):
    """Effect of LSD, swallowed at 0 h, beside ketanserin swallowed at 1 h."""
    _, site = chain_by_ode(TIMES, LSD, [(1.0, 0.0, "oral", 0.0)], 45.8)
    rates = (4.12, np.log(2) / 4.95, 4.12, 0.15)
    plasma, _ = chain_by_ode(TIMES, rates, [(1.0, 1.0, "oral", 0.0)], 355.0)
    return agonist_effect(
        mg * site, 0.232, 0.19, blocker=blocked * plasma / 16.5, **STAGE
    )


@pytest.mark.parametrize("micrograms", [1e-6, 1.0, 5.0, 10.0, 20.0, 100.0, 3e4])
@pytest.mark.parametrize("blocked", [0.0, 40.0])
def test_lsd_has_the_effect_that_is_computed_by_hand(take, micrograms, blocked):
    doses = Dose("LSD", micrograms / 1000), Dose("ketanserin", blocked, 1.0)
    got = take(*doses, times=TIMES).effect_2a
    expected = by_hand(micrograms / 1000, blocked=blocked)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-12)


def test_single_precision_has_the_same_effect(library):
    person = jax.tree.map(lambda x: x.astype(jnp.float32), typical(library, "LSD"))
    run = jax.jit(
        lambda mg: simulate((Dose("LSD", mg),), TIMES.astype(np.float32), person)
    )
    for mg in (0.0, 1e-9, 0.01, 0.1, 1e3):
        course = run(jnp.float32(mg))
        assert course.effect_2a.dtype == jnp.float32
        np.testing.assert_allclose(course.effect_2a, by_hand(mg), rtol=0, atol=2e-5)
    assert np.all(np.asarray(run(jnp.float32(0)).effect_2a) == 0)


def test_low_doses_fade_in_and_the_rival_is_a_cliff(library):
    """More is always more, at every dose; under the threshold nothing is felt at all."""
    person, times = typical(library, "LSD"), jnp.linspace(0, 8, 33)
    doses = jnp.asarray(np.geomspace(1e-3, 0.2, 24))

    def peaks(stage):
        def peak(mg):
            return simulate(
                (Dose("LSD", mg),), times, person, transducer=stage
            ).effect_2a.max()

        return np.asarray(jax.jit(jax.vmap(peak))(doses))

    soft, cliff = peaks(None), peaks(threshold_of)
    assert np.all(np.diff(soft) > 0) and soft[0] > 0
    assert np.all(cliff[doses < 0.025] == 0) and cliff[-1] > 0.7
    assert np.diff(np.log(soft))[0] < 17 * np.diff(np.log(np.asarray(doses)))[0]


@pytest.mark.parametrize("power", [1.0, 16.0, 1e3])
def test_the_sigmoid_is_hill_and_never_overflows(power):
    stage = Sigmoid(0.1376, power, 0.1597)
    grid = np.asarray([1e-30, 1e-3, 0.1, 0.1376, 0.15, 0.1597, 1.0])
    ratio = power * np.log(grid / 0.1376)
    top = 1 / (1 + np.exp(-power * np.log(0.1597 / 0.1376)))
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-ratio)) / top
    np.testing.assert_allclose(stage(jnp.asarray(grid)), expected, rtol=1e-9)
    slopes = jax.vmap(jax.grad(stage))(jnp.asarray(grid))
    assert np.all(np.isfinite(np.asarray(slopes)))
    # From its own value: f' = p f (1 - f top) / E.
    analytic = power * expected * (1 - expected * top) / grid
    np.testing.assert_allclose(slopes, analytic, rtol=1e-6, atol=1e-290)


def test_long_after_an_infusion_what_is_left_decays(library):
    """Prevents two infusions that go on for ever from cancelling to noise, in single precision."""
    rates = (np.log(2) / 0.0917, 60.0)
    low = Kinetics(
        *(jnp.asarray(x, jnp.float32) for x in (0.0, 1.0, rates[0], 132.0, rates[1]))
    )
    late = np.asarray([0.5, 2.0, 4.0, 6.0], np.float32)
    got = unit_infusion(low, jnp.asarray(late), jnp.float32(1.5))
    ke, k0 = rates
    end = 1000 / 132 / 1.5 * -np.expm1(-ke * 1.5) / ke
    plasma = end * np.exp(-ke * (late[1:] - 1.5))
    np.testing.assert_allclose(got[0][1:], plasma, rtol=1e-4)
    # The effect site lags by far less than plasma falls: k0 / (k0 - ke) of it.
    np.testing.assert_allclose(got[1][2:], plasma[1:] * k0 / (k0 - ke), rtol=1e-3)

"""Concentrations agree with differential equations that scipy integrates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pharmacology import chain_by_ode

from pcmodel.neuromodulation import Bolus, Dose, Infusion, Oral
from pcmodel.neuromodulation.pharmacology.kinetics import (
    Kinetics,
    difference_3,
    unit_oral,
)

TIMES = np.linspace(0, 24, 49)
INF = float("inf")
RATES = {
    "fast absorption": (2.0, 0.2, 1.5, 0.4),
    "flip-flop": (0.15, 1.1, 0.7, 0.0),
    "absorbed as fast as eliminated": (0.5, 0.5, 1.5, 0.25),
    "effect site as fast as elimination": (1.7, 0.3, 0.3, 0.0),
    "all rates equal": (0.4, 0.4, 0.4, 0.5),
    "nearly equal": (0.4, 0.400001, 0.399999, 0.5),
    "fast effect site": (2.0, 7.5, 60.0, 0.0),
}


def kinetics(rates, volume=50.0):
    ka, ke, k0, lag = rates
    return Kinetics(*(jnp.asarray(value) for value in (lag, ka, ke, volume, k0)))


def curves(rates, doses):
    """Doses superposed by the package."""
    total = [jnp.zeros_like(jnp.asarray(TIMES)) for _ in range(2)]
    for dose in doses:
        since = jnp.asarray(TIMES) - dose.hours
        parts = dose.route.per_mg(kinetics(rates), since)
        total = [t + dose.mg * part for t, part in zip(total, parts, strict=True)]
    return total


def ask_ode(rates, doses):
    names = {Oral: "oral", Bolus: "bolus", Infusion: "infusion"}
    rows = [
        (d.mg, d.hours, names[type(d.route)], getattr(d.route, "hours", 0.0))
        for d in doses
    ]
    return chain_by_ode(TIMES, rates, rows, 50.0)


@pytest.mark.parametrize("route", [Oral(), Bolus(), Infusion(1.5)], ids=str)
@pytest.mark.parametrize("rates", RATES.values(), ids=RATES)
def test_closed_forms_solve_the_equations(rates, route):
    """Prevents a wrong branch where the textbook formula divides by zero."""
    doses = [Dose("x", 3.0, 0.6, route)]
    for got, exact in zip(curves(rates, doses), ask_ode(rates, doses), strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-7, atol=1e-8)


def test_doses_add():
    """A bolus, then swallowed, then infused: what scipy gives for all of them."""
    rates = RATES["fast absorption"]
    doses = [
        Dose("x", 2.0, 0.6, Bolus()),
        Dose("x", 5.0, 3.0, Oral()),
        Dose("x", 4.0, 8.0, Infusion(2.0)),
    ]
    for got, exact in zip(curves(rates, doses), ask_ode(rates, doses), strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("rates", RATES.values(), ids=RATES)
def test_the_peak_is_where_the_formula_says(rates):
    """tmax = lag + ln(ka / ke) / (ka - ke)."""
    one = kinetics(rates)
    slope = jax.grad(lambda t: unit_oral(one, t)[0])
    absorption, elimination, _, lag = rates
    gap = absorption - elimination
    top = lag + (np.log(absorption / elimination) / gap if gap else 1 / elimination)
    assert slope(top - 1e-3) > 0 > slope(top + 1e-3)


def test_area_under_the_curve_is_dose_over_clearance():
    one = kinetics(RATES["fast absorption"])
    times = jnp.linspace(0, 200, 40001)
    plasma, site = unit_oral(one, times)
    for curve in (plasma, site):
        area = jnp.trapezoid(curve, times)
        np.testing.assert_allclose(area, 1000 / one.clearance, rtol=1e-5)


def test_derivatives_are_right_where_rates_meet():
    """Prevents a NaN in a fit that passes through flip-flop."""

    def content(rate):
        other = jnp.asarray(0.4)
        return difference_3(jnp.asarray(1.3), jnp.asarray(rate), other, other)

    for rate in (0.4, 0.41, 0.9):
        step = 1e-5
        numeric = (content(rate + step) - content(rate - step)) / (2 * step)
        np.testing.assert_allclose(jax.grad(content)(rate), numeric, rtol=1e-4)


def test_single_precision_is_enough():
    """Prevents cancellation from spoiling the default precision."""
    compiled = jax.jit(unit_oral)
    for rates in RATES.values():
        exact = compiled(kinetics(rates), jnp.asarray(TIMES))[1]
        low = Kinetics(*(jnp.asarray(v, jnp.float32) for v in kinetics(rates)))
        got = compiled(low, jnp.asarray(TIMES, jnp.float32))[1]
        np.testing.assert_allclose(got, exact, atol=2e-4 * float(exact.max()))


def test_a_swallowed_dose_reaches_its_share_of_an_injected_one(take):
    """Areas under the curve: oral over intravenous is the bioavailability."""
    times = np.linspace(0, 40, 8001)
    areas = [
        np.trapezoid(
            take(Dose("psilocybin", 10.0, 0.0, route), times=times).plasma[0], times
        )
        for route in (Oral(), Bolus(), Infusion(0.5))
    ]
    np.testing.assert_allclose(areas[0] / np.asarray(areas[1:]), 0.527, rtol=2e-3)

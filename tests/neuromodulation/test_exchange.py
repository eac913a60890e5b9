"""Receptors that exchange with rates: exact steps, scipy's equations, and equilibrium in the limit."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pharmacology import binding_by_ode, binding_exactly, chain_by_ode

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Dose, WithRates, simulate, typical
from pcmodel.neuromodulation.pharmacology.exchange import State, settle, turns
from pcmodel.neuromodulation.pharmacology.receptors import occupancy

TIMES = np.linspace(0, 12, 121)


def shape(t):
    """Concentrations over K that rise and fall, the second later."""
    return np.asarray(
        [6 * t * np.exp(-t / 2), 4 * np.maximum(t - 1, 0) ** 2 * np.exp(1 - t)]
    )


def traced_shape(t):
    late = jnp.maximum(t - 1, 0)
    return jnp.stack([6 * t * jnp.exp(-t / 2), 4 * late**2 * jnp.exp(1 - t)])


@partial(jax.jit, static_argnames="substeps")
def _follow(times, rates, scale, substeps):
    def ratios(t):
        return scale * traced_shape(t)

    rule = WithRates(substeps)
    return rule.occupy(ratios, times, rates, jnp.zeros_like(rates))


def follow(rates, *, substeps=4, scale=1.0, dtype=float):
    parts = (jnp.asarray(x, dtype) for x in (TIMES, rates, scale))
    return np.asarray(_follow(*parts, substeps=substeps))


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)]
)
def test_a_step_is_exact_at_rates_and_concentrations_sixteen_powers_apart(
    dtype, tolerance
):
    """Against the whole generator's exponential in 80 digits; nothing leaves [0, 1]."""
    rng = np.random.default_rng(0)
    step_of = jax.jit(settle)
    for _ in range(12):
        shares = rng.dirichlet(np.ones(4))[:3].astype(dtype)
        ratios, rates = (10.0 ** rng.uniform(-8, 8, (2, 3))).astype(dtype)
        hours = dtype(10.0 ** rng.uniform(-3, 1))
        state = State(jnp.asarray(shares), 1 - jnp.sum(jnp.asarray(shares)))
        after = step_of(
            state, jnp.asarray(ratios), turns(jnp.asarray(rates), jnp.asarray(hours))
        )
        exact = binding_exactly(shares, ratios, rates, hours)
        np.testing.assert_allclose(after.shares, exact, atol=tolerance)
        assert after.shares.min() >= 0 and after.vacant >= 0
        np.testing.assert_allclose(after.shares.sum() + after.vacant, 1, atol=tolerance)


def test_one_ligand_follows_the_textbook():
    """rho = x / (1 + x) (1 - exp(-k (1 + x) t)), however long the step."""
    empty = State(jnp.zeros(1), jnp.ones(()))
    for hours in (1e-6, 0.3, 2.0, 1e6):
        after = settle(empty, jnp.full(1, 3.0), turns(jnp.full(1, 0.7), hours))
        exact = -0.75 * np.expm1(-0.7 * 4 * hours)
        np.testing.assert_allclose(after.shares[0], exact, atol=1e-13)


def test_changing_concentrations_solve_the_equations():
    """LSD's rate beside ketanserin's; the error falls with the square of the step."""
    rates = (0.27, 4.0)
    exact = binding_by_ode(TIMES, shape, rates)
    errors = [np.abs(follow(rates, substeps=n) - exact).max() for n in (2, 4)]
    assert errors[1] < 2e-4
    assert 3.5 < errors[0] / errors[1] < 4.5
    faster = (40.0, 0.5)
    exact = binding_by_ode(TIMES, shape, faster)
    np.testing.assert_allclose(follow(faster), exact, atol=5e-3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rate", [1e8, 1e5, np.inf])
def test_fast_exchange_is_equilibrium(rate, dtype):
    """At every time, the first included, and for a fast ligand beside a slow one."""
    got = follow([rate, rate], dtype=dtype)
    gaddum = jax.vmap(occupancy, 1, 1)(jnp.asarray(shape(TIMES)))
    np.testing.assert_allclose(got, gaddum, atol=2e-4 if rate == 1e5 else 1e-6)
    mixed = follow([rate, 0.3], dtype=dtype)
    x = shape(TIMES)
    np.testing.assert_allclose(
        mixed[0], x[0] / (1 + x[0]) * (1 - mixed[1]), atol=2e-4 if rate == 1e5 else 2e-6
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rates", [(1e-8, 1e-8), (1e8, 1e-8), (1e-8, 1e8)], ids=str)
@pytest.mark.parametrize("scale", [0.0, 1e-9, 1.0, 1e9])
def test_extreme_rates_and_doses_stay_shares(rates, scale, dtype):
    """Zero is zero to the bit; nothing blows up or leaves [0, 1]."""
    got = follow(rates, scale=scale, dtype=dtype)
    assert np.all((got >= 0) & (got <= 1 + 1e-6)) and got.sum(0).max() <= 1 + 1e-6
    if scale == 0.0:
        assert np.all(got == 0)
    if scale == 1.0 and rates[0] == 1e-8:
        # So slow that nothing leaves: what arrived is the integral of what could.
        free = 1 - (shape(TIMES)[1] / (1 + shape(TIMES)[1]) if rates[1] == 1e8 else 0)
        arrived = 1e-8 * np.trapezoid(shape(TIMES)[0] * free, TIMES)
        np.testing.assert_allclose(got[0, -1], arrived, rtol=2e-2)


DENSE = np.linspace(0, 3, 31)
DOSES = (Dose("LSD", 0.1), Dose("ketanserin", 40.0, 1.0))


@jax.jit
def course_of(mg, person):
    doses = (Dose("LSD", mg), Dose("ketanserin", 400 * mg, 1.0))
    return simulate(doses, DENSE, person, exchange=WithRates(2))


@pytest.fixture(scope="module")
def person(library):
    return typical(library, "LSD", "ketanserin")


def test_a_course_with_rates_solves_the_equations(person):
    """Occupancy in the whole simulation, from concentrations that scipy integrates as well."""
    course = course_of(0.1, person)
    rates = ((1.99, np.log(2) / 3.6, 1.5, 0.4), (4.12, np.log(2) / 4.95, 1e3, 0.15))
    fine = np.linspace(0, 3, 601)
    lsd = chain_by_ode(fine, rates[0], [(0.1, 0.0, "oral", 0.0)], 45.8)[1] / 0.232
    late = chain_by_ode(fine, rates[1], [(40.0, 1.0, "oral", 0.0)], 355.0)[0] / 16.5

    def ratios(t):
        return np.asarray([np.interp(t, fine, curve) for curve in (lsd, late)])

    exact = binding_by_ode(DENSE, ratios, (0.271, 4.0))
    np.testing.assert_allclose(course.occupancy_2a, exact, atol=2e-3)
    assert exact[0].max() < 0.9 * (lsd / (1 + lsd + late)).max()


def test_no_dose_leaves_slow_receptors_empty_to_the_bit(person):
    course = course_of(0.0, person)
    for curve in (course.occupancy_2a, course.response_2a, course.effect_2a):
        assert np.all(np.asarray(curve) == 0)


def test_compounds_without_a_rate_are_at_equilibrium(person):
    """Both without a rate, the rule changes nothing; so do rates of 1e8 per hour, nearly."""
    k = np.asarray(person.ligands.k_2a)[:, None]
    for rate, tolerance in ((np.inf, 1e-11), (1e8, 1e-6)):
        ligands = person.ligands._replace(off_2a=jnp.full(2, rate))
        course = course_of(0.1, replace(person, ligands=ligands))
        ratios = np.asarray(course.effect_site) / k
        np.testing.assert_allclose(
            course.occupancy_2a, ratios / (1 + ratios.sum(0)), atol=tolerance
        )


def test_a_dose_has_the_derivative_that_differences_show(person):
    """Through the exchange: a fit of a dose starts right."""

    def total(mg):
        return jnp.sum(course_of(mg, person).response_2a)

    numeric = (total(0.1 + 1e-6) - total(0.1 - 1e-6)) / 2e-6
    np.testing.assert_allclose(jax.grad(total)(0.1), numeric, rtol=1e-6)


def test_receptors_cannot_be_empty_after_the_dose(person):
    for times, said in (
        (TIMES + 0.5, r"dose 1 \(LSD\).*before the first time"),
        (TIMES[::5], "exchange with rates needs steps"),
    ):
        with pytest.raises(UserError, match=said):
            simulate(DOSES, times, person, exchange=WithRates())
    with pytest.raises(UserError, match="substeps"):
        WithRates(0)

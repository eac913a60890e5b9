"""Stores and lags agree with scipy, and their steps converge."""

import jax.numpy as jnp
import numpy as np
import pytest
from pharmacology import lag_by_ode, pool_by_ode

from pcmodel.neuromodulation.pharmacology.pools import depletable, lagged


def surge(t):
    return t * np.exp(1 - t)


@pytest.mark.parametrize(("spend", "refill"), [(1.5, 0.03), (0.04, 0.0144), (3.0, 2.0)])
def test_a_pool_solves_its_equation(spend, refill):
    times = np.linspace(0, 12, 721)
    got = depletable(
        jnp.asarray(times),
        jnp.asarray(surge(times)),
        spend=jnp.asarray(spend),
        refill=jnp.asarray(refill),
    )
    exact = pool_by_ode(times, surge, spend, refill)
    np.testing.assert_allclose(got, exact, atol=2e-4)


def test_halving_the_step_quarters_the_error():
    """Prevents a first-order rule from hiding behind a fine grid."""
    errors = []
    for steps in (61, 121):
        times = np.linspace(0, 12, steps)
        got = depletable(
            jnp.asarray(times),
            jnp.asarray(surge(times)),
            spend=jnp.asarray(1.5),
            refill=jnp.asarray(0.03),
        )
        exact = pool_by_ode(times, surge, 1.5, 0.03)
        errors.append(np.abs(np.asarray(got) - exact).max())
    assert 3.5 < errors[0] / errors[1] < 4.5


def test_an_idle_pool_stays_full_to_the_bit():
    times = jnp.linspace(0, 12, 49)
    got = depletable(
        times, jnp.zeros(49), spend=jnp.asarray(1.5), refill=jnp.asarray(0.03)
    )
    assert np.all(np.asarray(got) == 1)


@pytest.mark.parametrize("rate", [0.7, 4.0, 1e-6])
def test_a_lag_is_exact_for_straight_lines(rate):
    """Whatever the step: the grid is coarse against 1 / rate."""
    times = np.asarray([0.0, 1.0, 3.0, 3.5, 8.0])
    values = np.asarray([0.0, 2.0, 1.0, 1.0, 4.0])

    def signal(t):
        return np.interp(t, times, values)

    got = lagged(jnp.asarray(times), jnp.asarray(values), jnp.asarray(rate))
    exact = lag_by_ode(times, signal, rate)
    np.testing.assert_allclose(got, exact, rtol=1e-6, atol=1e-9)

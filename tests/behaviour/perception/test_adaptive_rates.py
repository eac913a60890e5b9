"""The volatile Kalman filter, Pearce and Hall's hybrid and learning with decay, against plain loops from the papers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from pcmodel.behaviour import perception
from pcmodel.behaviour.models.adaptive_rates import weighted_decay
from pcmodel.behaviour.perception import (
    Kalman,
    KalmanParameters,
    PearceHall,
    PearceHallParameters,
    RescorlaWagner,
    RescorlaWagnerParameters,
    VolatileKalman,
    VolatileKalmanParameters,
    make_inputs,
)

perceive = jax.jit(perception.perceive, static_argnums=0)


def logit(p):
    return np.log(p) - np.log1p(-p)


def volatile(mean, w0, v0, rate, noise):
    numbers = (mean, -np.log(w0), np.log(v0), logit(rate), -np.log(noise))
    return VolatileKalmanParameters(*(jnp.asarray(n) for n in numbers))


def piray_and_daw(outcomes, m, w, v, rate, noise):
    """Equations 9 to 13, with the autocovariance as the paper has it; nothing is learned from a missing outcome."""
    rows = []
    for o in outcomes:
        if np.isnan(o):
            w = w + v
            rows.append((m, v, w))
            continue
        before_m, before_w = m, w
        k = (w + v) / (w + v + noise)
        m = m + k * (o - m)
        w = (1 - k) * (w + v)
        covariance = (1 - k) * before_w
        v = v + rate * ((m - before_m) ** 2 + w + before_w - 2 * covariance - v)
        rows.append((m, v, w))
    return np.asarray(rows)


def test_the_volatile_filter_follows_the_published_equations():
    rng = np.random.default_rng(1)
    outcomes = np.concatenate([rng.normal(0, 2, 20), rng.normal(9, 2, 20)])
    outcomes[[4, 25]] = np.nan
    arguments = (0.5, 3.0, 0.7, 0.3, 4.0)
    trace = perceive(VolatileKalman(), volatile(*arguments), make_inputs(outcomes))
    expected = piray_and_daw(outcomes, *arguments)
    belief = trace.belief
    found = np.column_stack([*belief.mean, 1 / belief.precision[0]])
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    before = np.vstack([[0.5, 0.7, 3.0], expected[:-1]])
    density = norm.logpdf(
        outcomes, before[:, 0], np.sqrt(before[:, 2] + before[:, 1] + 4.0)
    )
    np.testing.assert_allclose(trace.log_evidence, np.nan_to_num(density), rtol=1e-10)
    assert expected[22, 1] > 2.0 * expected[18, 1]  # it learns that the position moved


def test_with_a_constant_volatility_it_is_the_kalman_filter():
    outcomes = np.random.default_rng(2).normal(size=30)
    parameters = volatile(0.2, 1.5, 0.4, 1e-12, 0.9)
    fixed = KalmanParameters(
        *(jnp.asarray(v) for v in (0.2, -np.log(1.5), -np.log(0.4), -np.log(0.9)))
    )
    one = perceive(VolatileKalman(), parameters, make_inputs(outcomes))
    two = perceive(Kalman(), fixed, make_inputs(outcomes))
    np.testing.assert_allclose(one.belief.mean[0], two.belief.mean[0], rtol=1e-9)
    np.testing.assert_allclose(one.log_evidence, two.log_evidence, rtol=1e-9)


@pytest.mark.parametrize("unit", [1e-8, 1e-3, 1e8])
def test_the_volatile_filter_is_the_same_in_any_unit(unit):
    outcomes = np.random.default_rng(3).normal(3.0, 2.0, 25)
    one = perceive(
        VolatileKalman(), volatile(3.0, 4.0, 1.0, 0.4, 4.0), make_inputs(outcomes)
    )
    squared = (4.0 * unit**2, 1.0 * unit**2, 0.4, 4.0 * unit**2)
    other = perceive(
        VolatileKalman(), volatile(3.0 * unit, *squared), make_inputs(outcomes * unit)
    )
    np.testing.assert_allclose(
        other.belief.mean[0], one.belief.mean[0] * unit, rtol=1e-9
    )
    np.testing.assert_allclose(
        other.belief.mean[1], one.belief.mean[1] * unit**2, rtol=1e-9
    )


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_volatility_stays_above_zero(dtype):
    """Rates, volatilities and noises from 1e-8 to 1e8, one constant outcome after another."""
    grid = [
        volatile(0.0, n, v, rate, n)
        for v in (1e-8, 1.0, 1e8)
        for n in (1e-8, 1.0, 1e8)
        for rate in (1e-8, 0.5, 1 - 1e-7)
    ]
    rows = jax.tree.map(lambda *x: jnp.stack(x).astype(dtype), *grid)
    inputs = make_inputs(np.array([0.0, 0.0, np.nan, 1.0] + [0.0] * 40))
    inputs = inputs._replace(outcome=inputs.outcome.astype(dtype))

    def total(p):
        trace = perception.perceive(VolatileKalman(), p, inputs)
        return trace.belief.mean[0].sum(), trace.belief

    run = jax.jit(jax.vmap(jax.value_and_grad(total, has_aux=True)))
    (_, belief), slopes = run(rows)
    assert np.all(np.asarray(belief.mean[1]) > 0.0)
    assert np.all(np.asarray(belief.precision[0]) > 0.0)
    for slope in slopes:
        assert np.isfinite(slope).all()


def hybrid(value, alpha, kappa, eta):
    numbers = (value, alpha, logit(kappa), logit(eta))
    return PearceHallParameters(*(jnp.asarray(n) for n in numbers))


def test_the_hybrid_follows_its_equations():
    outcomes = np.array([1.0, 0.0, np.nan, 1.0, 1.0, 0.0, 0.0, 1.0])
    trace = perceive(PearceHall(), hybrid(0.5, 0.9, 0.4, 0.3), make_inputs(outcomes))
    value, alpha, rows = 0.5, 0.9, []
    for y in outcomes:
        if not np.isnan(y):
            error = y - value
            value += 0.4 * alpha * error
            alpha = 0.3 * abs(error) + 0.7 * alpha
        rows.append((value, alpha))
    np.testing.assert_allclose(np.column_stack(trace.belief.mean), rows, rtol=1e-12)
    assert trace.belief.precision == ()


def test_with_the_last_error_alone_it_is_pearce_and_hall():
    """TAPAS `ph_binary`: v += S |last error| error, with S = 0.6 and a first associability of 0.5."""
    outcomes = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    trace = perceive(
        PearceHall(), hybrid(0.5, 0.5, 0.6, 1 - 1e-15), make_inputs(outcomes)
    )
    value, last, rows = 0.5, 0.5, []
    for y in outcomes:
        error = y - value
        value, last = value + 0.6 * last * error, abs(error)
        rows.append(value)
    np.testing.assert_allclose(trace.belief.mean[0], rows, rtol=1e-12)


def test_without_learning_of_associability_the_rate_is_constant():
    outcomes = np.random.default_rng(5).integers(0, 2, 20).astype(float)
    one = perceive(PearceHall(), hybrid(0.5, 0.5, 0.6, 1e-15), make_inputs(outcomes))
    rigid = RescorlaWagnerParameters(jnp.asarray(0.5), jnp.asarray(logit(0.3)))
    two = perceive(RescorlaWagner(), rigid, make_inputs(outcomes))
    np.testing.assert_allclose(one.belief.mean[0], two.belief.mean[0], rtol=1e-11)


def test_weighted_decay_is_the_filter_of_daw_et_al():
    """Two options: the seen one moves by its precision, both fall back and grow uncertain."""
    filter = weighted_decay(2)
    values = {
        "prior_log_precision": 1.2,
        "retention_logit": 1.5,
        "value_centre": 0.45,
        "initial_log_precision": 0.3,
    }
    parameters = filter.build({k: jnp.asarray(v) for k, v in values.items()})
    outcomes, arms = np.array([1.0, 0.0, 1.0, np.nan, 0.0]), np.array([0, 1, 0, 0, 1])
    trace = perceive(filter.model, parameters, make_inputs(outcomes, arm=arms))
    mean, variance, rows = np.full(2, 0.45), np.full(2, np.exp(-0.3)), []
    kept = 1 / (1 + np.exp(-1.5))
    for y, arm in zip(outcomes, arms, strict=True):
        mean = kept * mean + (1 - kept) * 0.45
        variance = kept**2 * variance + np.exp(-1.2)
        if not np.isnan(y):
            gain = variance[arm] / (variance[arm] + 1.0)
            mean[arm] += gain * (y - mean[arm])
            variance[arm] *= 1 - gain
        rows.append((*mean, *variance))
    found = np.column_stack([trace.belief.mean[0], 1 / trace.belief.precision[0]])
    np.testing.assert_allclose(found, rows, rtol=1e-12)


def test_continuous_values_have_a_gaussian_evidence():
    outcomes = np.array([3.0, -1.0, np.nan, 2.5])
    parameters = RescorlaWagnerParameters(jnp.asarray(0.5), jnp.asarray(logit(0.3)))
    model = RescorlaWagner(noise_variance=4.0)
    trace = perceive(model, parameters, make_inputs(outcomes))
    expected = norm.logpdf(outcomes, trace.prediction.mean[0], 2.0)
    np.testing.assert_allclose(trace.log_evidence, np.nan_to_num(expected), rtol=1e-12)

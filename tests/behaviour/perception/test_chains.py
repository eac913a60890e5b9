"""Filters of three levels against a plain loop over numbers of which none is 1."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from pcmodel.behaviour import perception
from pcmodel.behaviour.perception import (
    BinaryHgf,
    ContinuousHgf,
    HgfParameters,
    IndependentArms,
    RescorlaWagner,
    SharedVolatilityArms,
    enhanced_tapas,
    make_inputs,
)
from pcmodel.behaviour.perception.hgf import predict_chain, update_volatility
from pcmodel.behaviour.perception.interface import (
    Beliefs,
    bernoulli_log_probability,
    normal_log_density,
)
from pcmodel.behaviour.perception.rescorla_wagner import TwoRateParameters
from pcmodel.behaviour.perception.volatility import GaussianBelief

perceive = jax.jit(perception.perceive, static_argnums=0)

FILTER = HgfParameters(
    initial_mean=jnp.asarray([0.2, 0.5, -0.4]),
    initial_log_precision=jnp.asarray([0.3, 1.0, 0.6]),
    omega=jnp.asarray([-1.5, -2.0, -3.0]),
    kappa=jnp.asarray([0.8, 1.3]),
    drift=jnp.asarray([0.02, -0.03, 0.05]),
    sensory_log_precision=jnp.asarray(0.7),
)
CLIP = 0.42


def logistic(x):
    return 1 / (1 + np.exp(-x))


def chain_by_loop(outcomes, *, binary):
    """Mathys et al. 2014, level by level: one row a trial with means, precisions, expectation and log evidence."""
    p = jax.tree.map(np.asarray, FILTER)
    mean, precision = p.initial_mean.copy(), np.exp(p.initial_log_precision)
    rows = []
    for outcome in outcomes:
        volatility = [
            np.exp(p.kappa[0] * mean[1] + p.omega[0]),
            np.exp(p.kappa[1] * mean[2] + p.omega[1]),
            np.exp(p.omega[2]),
        ]
        hat, hat_precision = mean + p.drift, 1 / (1 / precision + volatility)
        before, evidence = precision, 0.0
        mean, precision = hat.copy(), hat_precision.copy()
        chance = np.clip(logistic(hat[0]), CLIP, 1 - CLIP)
        if np.isfinite(outcome):
            if binary:
                evidence = np.log(chance if outcome else 1 - chance)
                precision[0] += chance * (1 - chance)
                mean[0] += (outcome - chance) / precision[0]
            else:
                sd = np.sqrt(1 / hat_precision[0] + np.exp(-0.7))
                evidence = norm.logpdf(outcome, hat[0], sd)
                precision[0] += np.exp(0.7)
                mean[0] += np.exp(0.7) / precision[0] * (outcome - hat[0])
            for i in (1, 2):
                a, b = 1 / before[i - 1], (mean[i - 1] - hat[i - 1]) ** 2
                b += 1 / precision[i - 1]
                w = volatility[i - 1] / (a + volatility[i - 1])
                delta = b / (a + volatility[i - 1]) - 1
                half = 0.5 * p.kappa[i - 1] * w
                precision[i] += half * p.kappa[i - 1] * (w + (2 * w - 1) * delta)
                mean[i] += half * delta / precision[i]
        rows.append((*mean, *precision, chance if binary else hat[0], evidence))
    return np.asarray(rows)


@pytest.mark.parametrize("binary", [True, False])
def test_three_levels_follow_a_plain_loop(binary):
    rng = np.random.default_rng(4)
    outcomes = rng.random(25) < 0.7 if binary else 1 + 1.5 * rng.normal(size=25)
    outcomes = np.where(np.arange(25) % 7 == 4, np.nan, outcomes)
    model = BinaryHgf(clip=CLIP) if binary else ContinuousHgf()
    trace = perceive(model, FILTER, make_inputs(outcomes))
    parts = (*trace.belief.mean, *trace.belief.precision)
    found = np.column_stack([*parts, trace.prediction.outcome, trace.log_evidence])
    expected = chain_by_loop(outcomes, binary=binary)
    if binary:
        clipped = [np.mean(expected[:, 6] == edge) for edge in (CLIP, 1 - CLIP)]
        assert min(clipped) > 0 and sum(clipped) < 0.8
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert bool(trace.belief.valid.all())


def test_arms_that_share_volatility_say_what_they_expect_of_each():
    """Expectation, evidence of the arm that was seen, and an arm's own loss of precision where it was not."""
    arms = np.asarray([0, 1, 1, 0, 2])
    outcomes = np.asarray([1.0, 0.0, np.nan, 1.0, 0.0])
    model = SharedVolatilityArms(3, clip=CLIP)
    trace = perceive(model, FILTER, make_inputs(outcomes, arm=arms))
    hats = np.asarray(trace.prediction.mean[0])
    chances = np.clip(logistic(hats), CLIP, 1 - CLIP)
    np.testing.assert_allclose(trace.prediction.outcome, chances, rtol=1e-12)
    own = chances[np.arange(5), arms]
    expected = np.log(np.where(outcomes == 1, own, 1 - own))
    expected = np.where(np.isnan(outcomes), 0.0, expected)
    np.testing.assert_allclose(trace.log_evidence, expected, rtol=1e-12)
    seen = (arms[:, None] == np.arange(3)) & np.isfinite(outcomes)[:, None]
    precision, predicted = (x.precision[0] for x in (trace.belief, trace.prediction))
    gained = np.where(seen, chances * (1 - chances), 0.0)
    np.testing.assert_allclose(precision - predicted, gained, atol=1e-12)
    moved = (outcomes[:, None] - chances) / precision
    moved = np.where(seen, moved, 0.0)
    np.testing.assert_allclose(trace.belief.mean[0] - hats, moved, atol=1e-12)


def test_one_arm_learns_by_any_rule_as_the_binary_filter_does():
    """Enhanced updates read the arm's precision before the step, which the standard one does not."""
    inputs = make_inputs([1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    one = perceive(BinaryHgf(enhanced_tapas), FILTER, inputs)
    shared = perceive(SharedVolatilityArms(1, enhanced_tapas), FILTER, inputs)
    for level in (1, 2):
        found, expected = shared.belief.mean[level], one.belief.mean[level]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        found, expected = shared.belief.precision[level], one.belief.precision[level]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_better_and_worse_outcomes_have_rates_of_their_own():
    parameters = TwoRateParameters(*map(jnp.asarray, (0.3, -1.0, 0.6)))
    outcomes = np.asarray([1.0, 0.0, np.nan, 0.45, 1.0])
    trace = perceive(RescorlaWagner(), parameters, make_inputs(outcomes))
    value, expected = 0.3, []
    for outcome in outcomes:
        error = 0.0 if np.isnan(outcome) else outcome - value
        value += logistic(-1.0 if error > 0 else 0.6) * error
        expected.append(value)
    np.testing.assert_allclose(trace.belief.mean[0], expected, rtol=1e-12)
    before = np.asarray([0.3, *expected[:-1]])
    np.testing.assert_allclose(trace.prediction.outcome, before, rtol=1e-12)


def test_independent_arms_give_the_evidence_of_the_arm_that_was_seen():
    parameters = TwoRateParameters(*map(jnp.asarray, (0.3, -1.0, 0.6)))
    arms, outcomes = np.asarray([1, 0, 1, 2]), np.asarray([1.0, 0.0, 0.0, np.nan])
    model = IndependentArms(RescorlaWagner(), 3)
    trace = perceive(model, parameters, make_inputs(outcomes, arm=arms))
    second = 0.3 + logistic(-1.0) * 0.7
    expected = np.log([0.3, 0.7, 1 - second, 1.0])
    np.testing.assert_allclose(trace.log_evidence, expected, atol=1e-12)
    last = [0.3 * (1 - logistic(0.6)), second * (1 - logistic(0.6)), 0.3]
    np.testing.assert_allclose(trace.belief.mean[0][-1], last, rtol=1e-12)


@pytest.mark.parametrize(
    ("lowest", "precision", "mean", "kept", "valid"),
    [
        (1.0, 2.0, 0.1, False, True),
        (-1.0, 2.0, 0.1, False, False),
        (1.0, -2.0, 0.1, True, False),
        (1.0, 0.0, 0.1, True, False),
        (1.0, 2.0, np.inf, True, False),
    ],
)
def test_an_update_that_fails_leaves_the_prediction_and_is_told(
    lowest, precision, mean, kept, valid
):
    """By a precision that is not above zero, or a mean that is no number; a later success does not excuse it."""
    outcomes = iter([GaussianBelief(mean, precision), GaussianBelief(0.3, 4.0)])
    beliefs = Beliefs((0.2, 0.5, -0.4), (1.3, 2.7, 1.8), jnp.asarray(True))
    prediction = predict_chain(FILTER, beliefs)
    found = update_volatility(
        FILTER,
        beliefs,
        prediction,
        GaussianBelief(0.1, lowest),
        lambda *_: next(outcomes),
    )
    assert bool(found.valid) == valid
    second = (prediction.mean[1], prediction.precision[1]) if kept else (0.1, 2.0)
    np.testing.assert_allclose((found.mean[1], found.precision[1]), second)
    np.testing.assert_allclose((found.mean[2], found.precision[2]), (0.3, 4.0))


def test_a_volatility_level_is_told_of_the_level_below():
    """Before the step, as predicted and after the outcome; the rule's answer is what the next level is told of."""
    told = []

    def rule(predicted, child):
        told.append((predicted, child))
        return GaussianBelief(predicted.mean + 0.3, 4.0)

    beliefs = Beliefs((0.2, 0.5, -0.4), (1.3, 2.7, 1.8), jnp.asarray(True))
    prediction = predict_chain(FILTER, beliefs)
    lowest = GaussianBelief(0.6, 1.7)
    update_volatility(FILTER, beliefs, prediction, lowest, rule)
    after = [lowest, GaussianBelief(prediction.mean[1] + 0.3, 4.0)]
    for i, (predicted, child) in enumerate(told):
        assert predicted.mean == prediction.mean[i + 1]
        assert predicted.precision == prediction.precision[i + 1]
        expected = {
            "previous_variance": 1 / (1.3, 2.7)[i],
            "predicted_precision": prediction.precision[i],
            "variance": 1 / after[i].precision,
            "error": after[i].mean - prediction.mean[i],
            "omega": (-1.5, -2.0)[i],
            "kappa": (0.8, 1.3)[i],
            "volatility": np.exp((0.8 * 0.5 - 1.5, 1.3 * -0.4 - 2.0)[i]),
        }
        found = {name: float(value) for name, value in child._asdict().items()}
        wanted = {name: float(value) for name, value in expected.items()}
        assert found == pytest.approx(wanted, rel=1e-12)
    assert len(told) == 2


def test_densities_are_those_of_scipy_and_impossible_outcomes_stay_finite():
    value, mean, variance = 0.7, -0.4, 2.3
    found = normal_log_density(*map(jnp.asarray, (value, mean, variance)))
    np.testing.assert_allclose(found, norm.logpdf(value, mean, variance**0.5))
    chance, outcome = jnp.asarray([0.2, 0.2, 0.0]), jnp.asarray([1.0, 0.0, 1.0])
    found = bernoulli_log_probability(outcome, chance)
    tiny = np.log(np.finfo(float).tiny)
    np.testing.assert_allclose(found, [np.log(0.2), np.log(0.8), tiny], rtol=1e-12)

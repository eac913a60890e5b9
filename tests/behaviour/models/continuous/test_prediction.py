"""Predictions of continuous outcomes: by hand, in any unit, with gaps; and recovered."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.models.catalogue import MODELS
from pcmodel.behaviour.models.continuous.prediction import standard_units
from pcmodel.behaviour.posterior.identifiability import invariances
from pcmodel.behaviour.studies.recovery import RecoverPlan, run_recovery

NAN = np.nan
FIRST = "initial_log_precision"


def series_of(outcome, prediction):
    values = {
        "outcome": np.atleast_2d(np.asarray(outcome, float)),
        "prediction": np.atleast_2d(np.asarray(prediction, float)),
    }
    num, trials = values["outcome"].shape
    return Series(values, np.ones((num, trials), bool), np.arange(num), {}, {})


OUTCOME = np.array([41.5, 44.0, 39.0, NAN, 58.0, 61.0, 60.0, 57.0])
PREDICTION = np.array([50.0, 47.0, 47.0, 44.0, NAN, 44.0, 52.0, 56.5])


def one_of(model, series):
    return jax.tree.map(lambda leaf: leaf[0], model.prepare(series))


def defaults(model, **changes):
    values = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    return values | {name: jnp.asarray(v) for name, v in changes.items()}


def rescorla_wagner_by_hand(outcome, prediction, rate, noise, stay, decay):
    """Everything in SDs of all outcomes; densities in the table's unit."""
    width, centre = np.nanstd(outcome), np.nanmean(outcome)
    z, y = (outcome - centre) / width, (prediction - centre) / width
    value, last, found = y[0], y[0], [0.0]
    noise = np.hypot(noise, 0.01)
    if not np.isnan(z[0]):
        value += rate * (z[0] - value)
    for t in range(1, len(z)):
        p = 0.0
        if not np.isnan(y[t]):
            chance = expit(stay - decay * abs(value - last))
            p = np.log(chance)
            if prediction[t] != last * width + centre and y[t] != last:
                p = np.log1p(-chance) + norm.logpdf(y[t], value, noise) - np.log(width)
            last = y[t]
        found.append(p)
        if not np.isnan(z[t]):
            value += rate * (z[t] - value)
    return np.asarray(found)


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_the_likelihood_by_hand_in_any_unit(unit):
    model = find_model("prediction", "rescorla_wagner")
    values = defaults(
        model,
        learning_rate_logit=0.4,
        log_prediction_noise=-0.9,
        stay_logit=0.3,
        log_stay_decay=0.7,
    )
    data = one_of(model, series_of(OUTCOME * unit, PREDICTION * unit))
    found = np.asarray(jax.jit(model.log_likelihood)(values, data))
    numbers = (expit(0.4), np.exp(-0.9), 0.3, np.exp(0.7))
    hand = rescorla_wagner_by_hand(OUTCOME * unit, PREDICTION * unit, *numbers)
    np.testing.assert_allclose(found, hand, rtol=1e-9)
    assert found[0] == 0.0 and found[4] == 0.0 and np.all(found[[1, 2, 3, 5]] != 0.0)
    responses = np.asarray(model.responses(data))
    scored = np.isfinite(PREDICTION) & (np.arange(8) > 0)
    np.testing.assert_allclose(responses[scored], PREDICTION[scored] * unit, rtol=1e-12)
    assert np.isnan(responses[~scored]).all()


@pytest.mark.parametrize("name", ["kalman", "volatile_kalman", "uhgf2"])
def test_beliefs_are_told_in_the_table_s_unit(name):
    model = find_model("prediction", name)
    small = one_of(model, series_of(OUTCOME, PREDICTION))
    large = one_of(model, series_of(1e6 * OUTCOME - 3.0, 1e6 * PREDICTION - 3.0))
    one, other = (jax.jit(model.course)(defaults(model), d) for d in (small, large))
    np.testing.assert_allclose(other.mean[0], 1e6 * one.mean[0] - 3.0, rtol=1e-9)
    np.testing.assert_allclose(
        other.log_precision[0], one.log_precision[0] - 2 * np.log(1e6), rtol=1e-9
    )
    assert (
        41.0 < float(one.mean[0][0]) < 50.0
    )  # between the first prediction and outcome


def test_only_a_first_prediction_before_all_outcomes_is_the_first_belief():
    model = find_model("prediction", "rescorla_wagner")
    late = one_of(model, series_of(OUTCOME, [NAN, *PREDICTION[1:]]))
    assert float(late.initial) == 0.0 and bool(late.scored[1])
    unseen = [NAN, NAN, *OUTCOME[2:]]
    early = one_of(model, series_of(unseen, [NAN, *PREDICTION[1:]]))
    assert not bool(early.scored[1]) and bool(early.scored[2])
    back = float(early.initial) * float(early.width) + float(early.centre)
    assert back == pytest.approx(47.0)


@pytest.mark.parametrize(
    ("outcome", "prediction"),
    [
        ([3.0], [2.0]),
        ([3.0, 3.0, 3.0], [2.0, 2.5, 2.5]),
        ([3.0, 3.0, 3.0], [3.0, 3.0, 3.0]),
        ([NAN, NAN, NAN], [2.0, 2.5, 3.0]),
        ([1.0, 2.0, 3.0], [NAN, NAN, NAN]),
        ([1e8, 1e8 + 1, 1e8 - 1], [1e8, 1e8, 1e8 + 2]),
        ([0.0, 1e-8, 1e8, -1e8], [0.0, 1e-8, 1.0, 1e8]),
        ([1e200, -1e200, 1e200], [1e200, 0.0, 0.0]),
    ],
)
@pytest.mark.parametrize("name", ["volatile_kalman", "uhgf2"])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_extreme_tables_have_finite_likelihoods_and_slopes(
    outcome, prediction, name, dtype
):
    model = find_model("prediction", name)
    if dtype == jnp.float32 and max(map(abs, outcome)) > 1e30:
        pytest.skip("the numbers' type cannot hold the unit")

    def cast(leaf):
        return leaf.astype(dtype) if leaf.dtype.kind == "f" else leaf

    data = jax.tree.map(cast, one_of(model, series_of(outcome, prediction)))
    values = {k: v.astype(dtype) for k, v in defaults(model).items()}
    total = jax.value_and_grad(lambda v: model.log_likelihood(v, data).sum())
    value, slopes = jax.jit(total)(values)
    assert np.isfinite(value) and value.dtype == dtype
    assert all(np.isfinite(s) for s in slopes.values())


def test_units_are_those_of_outcomes_then_of_predictions():
    assert standard_units(series_of([1.0, 3.0], [9.0, 9.0])) == (2.0, 1.0)
    centre, width = standard_units(series_of([2.0, 2.0], [1.0, 5.0]))
    assert (centre, width) == (2.0, pytest.approx(np.sqrt(5.0)))
    assert standard_units(series_of([2.0, 2.0], [2.0, NAN])) == (2.0, 1.0)
    assert standard_units(series_of([0.0, 0.0], [0.0, NAN])) == (0.0, 1.0)
    assert standard_units(series_of([NAN], [NAN])) == (0.0, 1.0)
    # A spread that is rounding is none: 0.1 + 0.2 is not 0.3.
    assert standard_units(series_of([0.1 + 0.2, 0.3], [NAN, NAN]))[1] == 1.0


def test_simulated_predictions_repeat_the_last_simulated_one(getkey):
    model = find_model("prediction", "kalman")
    rng = np.random.default_rng(0)
    outcome, prediction = rng.normal(5.0, 2.0, 400), rng.normal(5.0, 2.0, 400)
    prediction[7], prediction[20:23] = NAN, NAN
    data = one_of(model, series_of(outcome, prediction))
    values = defaults(model, stay_logit=1.0, log_stay_decay=-9.0)
    drawn = jax.jit(model.simulate)(getkey(), values, data)
    found = np.asarray(model.responses(drawn))
    assert np.isnan(found[[0, 7, 20, 21, 22]]).all() and np.isfinite(found[1:7]).all()
    made = np.isfinite(prediction)
    series = np.where(made, np.asarray(drawn.prediction), NAN)[made]
    share = np.mean(np.diff(series) == 0.0)
    assert abs(share - expit(1.0)) < 4.5 * np.sqrt(0.2 / 395)
    assert float(drawn.prediction[0]) == float(data.prediction[0])
    # What the likelihood takes for the last prediction is what it was while they were drawn.
    scored = model.log_likelihood(values, drawn)
    repeats = np.flatnonzero(made)[1:][np.diff(series) == 0.0]
    np.testing.assert_allclose(scored[repeats], np.log(expit(1.0)), atol=1e-3)


def test_a_person_s_predictions_lag_behind_with_a_low_rate():
    """A known answer: at a rate of 1 the best prediction is the last outcome, and so its likelihood is highest."""
    model = find_model("prediction", "rescorla_wagner")
    outcome = np.cumsum(np.random.default_rng(1).normal(size=60))
    data = one_of(model, series_of(outcome, np.concatenate([[0.0], outcome[:-1]])))
    run = jax.jit(lambda v: model.log_likelihood(v, data).sum())
    totals = [
        float(run(defaults(model, learning_rate_logit=a)))
        for a in (-1.0, 1.0, 3.0, 6.0)
    ]
    assert np.all(np.diff(totals) > 0.0)


def test_rivals_of_one_shape_agree_where_one_contains_the_other():
    """Without steps of the volatility the HGF is the Kalman filter."""
    hgf, kalman = (find_model("prediction", n) for n in ("hgf2", "kalman"))
    series = series_of(OUTCOME, PREDICTION)
    one = hgf.log_likelihood(
        defaults(hgf, omega1=-1.0, omega2=-60.0, log_pi2_0=60.0), one_of(hgf, series)
    )
    two = kalman.log_likelihood(
        defaults(kalman, prior_log_precision=1.0), one_of(kalman, series)
    )
    np.testing.assert_allclose(one, two, rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "shifts", "same"),
    [
        (
            "kalman",
            {"prior_log_precision": 1, "sensory_log_precision": 1, FIRST: 1},
            True,
        ),
        ("kalman", {"prior_log_precision": 1, "sensory_log_precision": 1}, False),
        ("uhgf3", {"mu2_0": 1, "omega1": -1}, True),
        ("uhgf3", {"mu3_0": 1, "omega2": -1}, True),
        (
            "uhgf3",
            {"log_kappa1": -1, "omega2": 2, "log_pi2_0": -2, "log_kappa2": 0},
            True,
        ),
        ("uhgf3", {"mu2_0": 1}, False),
    ],
)
def test_what_responses_cannot_tell_is_called_an_invariance(name, shifts, same):
    """A kappa of 1 and a first volatility of 0, so that a stretch of the level moves no other parameter."""
    model = find_model("prediction", name)
    data = one_of(model, series_of(OUTCOME, PREDICTION))
    values = defaults(model)
    moved = values | {k: values[k] + 0.7 * v for k, v in shifts.items()}
    total = jax.jit(lambda v: model.log_likelihood(v, data).sum())
    assert (abs(float(total(values) - total(moved))) < 1e-9) == same
    groups = [set(group) for group in invariances(model)]
    assert ({k for k, v in shifts.items() if v} in groups) == same


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["rescorla_wagner", "kalman", "volatile_kalman", "uhgf2"]
)
def test_parameters_are_recovered(name):
    assert name in MODELS["prediction"]
    plan = RecoverPlan(
        "prediction", (name,), participants=10, trials=200, replications=4
    )
    found = run_recovery(plan, seed=1).parameters[0]
    core = {
        "rescorla_wagner": "learning_rate_logit",
        "kalman": "prior_log_precision",
        "volatile_kalman": "volatility_rate_logit",
        "uhgf2": "omega1",
    }[name]
    by_name = dict(zip(found.names, found.correlation, strict=True))
    assert by_name[core] > 0.6
    assert by_name["log_prediction_noise"] > 0.9
    assert by_name["stay_logit"] > 0.6
    assert np.all(found.coverage > 0.8)

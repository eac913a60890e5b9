"""Conditioned hallucinations: percepts are learned from, prior and senses are weighed; and the weight is recovered."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.models.catalogue import MODELS
from pcmodel.behaviour.studies.recovery import RecoverPlan, run_recovery
from pcmodel.behaviour.studies.simulate import make_up

NAN = np.nan
RESPONSE = np.array([1.0, 1.0, 0.0, NAN, 1.0, 0.0, 1.0, 1.0])
SENSED = np.array([0.75, 0.5, 0.0, 0.25, NAN, 0.0, 0.0, 0.75])


def series_of(response, sensed):
    values = {
        "response": np.atleast_2d(np.asarray(response, float)),
        "detection_rate": np.atleast_2d(np.asarray(sensed, float)),
    }
    num, trials = values["response"].shape
    return Series(values, np.ones((num, trials), bool), np.arange(num), {}, {})


def one_of(model, series):
    return jax.tree.map(lambda leaf: leaf[0], model.prepare(series))


def defaults(model, **changes):
    values = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    return values | {name: jnp.asarray(v) for name, v in changes.items()}


def test_the_likelihood_by_hand():
    """A percept moves the expectation whether or not its trial is scored."""
    model = find_model("detection", "rescorla_wagner")
    values = defaults(
        model,
        learning_rate_logit=-0.5,
        log_prior_weight=0.4,
        log_decision_precision=1.5,
    )
    data = one_of(model, series_of(RESPONSE, SENSED))
    found = np.asarray(jax.jit(model.log_likelihood)(values, data))
    expected, value, rate, nu = [], 0.5, expit(-0.5), np.exp(0.4)
    for y, s in zip(RESPONSE, SENSED, strict=True):
        x = value + (s - value) / (1 + nu)
        p = expit(np.exp(1.5) * (2 * x - 1))
        expected.append(np.nan_to_num(np.log(p if y == 1 else 1 - p) + 0 * (y + s)))
        value += 0.0 if np.isnan(y) else rate * (y - value)
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    assert found[3] == 0.0 and found[4] == 0.0 and np.all(found[[0, 1, 2, 5]] < 0.0)


def hallucinated(log_nu, key, name="uhgf3_mode"):
    """Share of simulated yes without a stimulus, after much conditioning."""
    model = find_model("detection", name)
    sensed = np.where(np.arange(400) % 4 == 3, 0.0, 0.75)
    data = one_of(model, series_of(np.ones(400), sensed))
    values = defaults(model, log_prior_weight=log_nu)
    run = jax.jit(lambda k: model.simulate(k, values, data).inputs.outcome)
    heard = np.asarray(jax.vmap(run)(jax.random.split(key, 20)))
    return heard[:, sensed == 0.0].mean()


def test_a_greater_weight_of_the_prior_hallucinates_more(getkey):
    shares = [hallucinated(log_nu, getkey()) for log_nu in (-2.0, 0.0, 2.0)]
    assert shares[0] < 0.1 and shares[0] < shares[1] < shares[2] and shares[2] > 0.5


def test_simulated_percepts_are_learned_from(getkey):
    """The likelihood of a simulation is the one by which it was drawn, gaps included."""
    model = find_model("detection", "uhgf3")
    data = one_of(model, series_of(RESPONSE, SENSED))
    values = defaults(model)
    drawn = jax.jit(model.simulate)(getkey(), values, data)
    found = np.asarray(model.responses(drawn))
    assert np.isnan(found[[3, 4]]).all() and set(found[[0, 1, 2, 5]]) <= {0.0, 1.0}
    assert float(drawn.inputs.outcome[4]) == 1.0  # without a known intensity: as it was
    changed = drawn._replace(
        inputs=drawn.inputs._replace(outcome=drawn.inputs.outcome.at[3].set(1.0))
    )
    np.testing.assert_array_equal(
        model.log_likelihood(values, drawn), model.log_likelihood(values, changed)
    )


@pytest.mark.parametrize("name", ["rescorla_wagner", "uhgf3_mode"])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize(
    ("response", "sensed"),
    [
        ([1.0], [0.0]),
        ([NAN, NAN], [0.5, 0.5]),
        ([1.0] * 30, [0.0] * 30),
        ([0.0, 1.0] * 15, [1.0, 1e-8] * 15),
    ],
)
def test_extreme_tables_have_finite_likelihoods_and_slopes(
    name, dtype, response, sensed
):
    model = find_model("detection", name)

    def cast(leaf):
        return leaf.astype(dtype) if leaf.dtype.kind == "f" else leaf

    data = jax.tree.map(cast, one_of(model, series_of(response, sensed)))
    for weight in (-18.0, 18.0):
        values = defaults(model, log_prior_weight=weight, log_decision_precision=6.0)
        values = {k: v.astype(dtype) for k, v in values.items()}
        total = jax.value_and_grad(lambda v: model.log_likelihood(v, data).sum())
        value, slopes = jax.jit(total)(values)
        assert np.isfinite(value) and value.dtype == dtype
        assert all(np.isfinite(s) for s in slopes.values())


def test_the_simulated_study_goes_from_clear_to_absent():
    values = make_up("detection", num_participants=40, num_trials=100).values
    early, late = values["detection_rate"][:, :20], values["detection_rate"][:, -20:]
    assert early.mean() > 0.4 > 0.25 > late.mean()
    assert set(np.unique(values["detection_rate"])) == {0.0, 0.25, 0.5, 0.75}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hgf2", "uhgf3_mode"])
def test_the_weight_of_the_prior_is_recovered(name):
    assert name in MODELS["detection"]
    plan = RecoverPlan(
        "detection", (name,), participants=10, trials=360, replications=4
    )
    found = run_recovery(plan, seed=1).parameters[0]
    by_name = dict(zip(found.names, found.correlation, strict=True))
    assert by_name["log_prior_weight"] > 0.7
    assert by_name["log_decision_precision"] > 0.6
    assert np.all(found.coverage > 0.8)

"""Conditioned responses: the likelihood against loops in numpy, its slopes, and what bad or little data do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models import (
    ConditioningModel,
    LatentCauses,
    RescorlaWagner,
    SingleCause,
    find_model,
)
from pcmodel.behaviour.models.conditioning import features_of
from pcmodel.errors import UserError
from pcmodel.memory import CauseOptions, Map, Soft
from tests.memory.cause_oracle import walk

NAMES = ("latent_cause", "single_cause", "rescorla_wagner")
SMALL = CauseOptions(6, 4, Soft())
QUICKER = {
    "latent_cause": ConditioningModel(LatentCauses(SMALL)),
    "single_cause": ConditioningModel(SingleCause(4)),
    "rescorla_wagner": ConditioningModel(RescorlaWagner()),
}


def animals(count=2, *, trials=14, seed=0, stimuli=1):
    """Random conditioning, extinction and tests with looks between the trials and missing responses."""
    rng = np.random.default_rng(seed)
    shape = (count, trials)
    time = np.cumsum(rng.choice([0.05, 0.2, 24.0], shape), axis=1)
    outcome = (rng.random(shape) < 0.5).astype(float)
    response = np.clip(rng.normal(0.5, 0.5, shape), 0.0, 1.0)
    response[rng.random(shape) < 0.3] = np.nan
    columns = {"stimulus": np.ones(shape)} | {
        f"stimulus_{n}": rng.integers(0, 2, shape).astype(float)
        for n in range(2, stimuli + 1)
    }
    looks = rng.random(shape) < 0.15
    looks[:, 0] = False
    for column in columns.values():
        column[looks] = 0.0
    values = {
        "time": time,
        "outcome": np.where(looks, np.nan, outcome),
        "response": response,
        **columns,
    }
    return Series(values, np.ones(shape, bool), np.arange(count), {}, {})


def person(model, *, seed=0, spread=1.0):
    """Parameters from the prior."""
    rng = np.random.default_rng(seed)
    return {
        p.name: jnp.asarray(p.mean + spread * p.sd * rng.normal() * p.free)
        for p in model.parameters
    }


def one_of(data, i=0):
    return jax.tree.map(lambda leaf: leaf[i], data)


def expected_by_loops(name, values, time, outcome, stimuli, most):
    """V of the trials that happened."""
    v = {k: float(value) for k, value in values.items()}
    if name == "rescorla_wagner":
        weights, found = np.full(stimuli.shape[1], v["initial_weight"]), []
        for x, r in zip(stimuli, outcome, strict=True):
            found.append(x @ weights)
            rate = v["learning_rate_logit"] if r else v["extinction_rate_logit"]
            weights = weights + expit(rate) * (r - x @ weights) * x
        return np.asarray(found)
    changed = {"eta": expit(v["learning_rate_logit"]), "w0": v["initial_weight"]}
    if name == "single_cause":
        told = walk(time, outcome, stimuli, slots=1, most=most, soft=True, **changed)
    else:
        changed |= {
            "alpha": np.exp(v["log_concentration"]),
            "g": np.exp(v["log_temporal_decay"]),
            "sr": np.exp(-v["outcome_log_precision"]),
            "sx": np.exp(v["log_stimulus_variance"]),
        }
        told = walk(time, outcome, stimuli, slots=6, most=most, soft=True, **changed)
    return np.asarray(told["V"])


def likelihood_by_loops(name, values, series, i, most=4):
    """Log likelihood of one animal's responses, in numpy and scipy alone."""
    v = {k: float(value) for k, value in values.items()}
    happened = np.isfinite(series.values["outcome"][i])
    time = series.values["time"][i][happened] * 60.0 / 3.0
    expected = np.zeros(len(happened))
    expected[happened] = expected_by_loops(
        name,
        values,
        time - time[0],
        series.values["outcome"][i][happened],
        features_of(series)[i][happened],
        most,
    )
    scale = np.sqrt(np.exp(2 * v["log_response_scale"]) + 1e-6)
    noise = np.sqrt(np.exp(2 * v["log_response_noise"]) + 4e-4)
    base, reach = expit(v["baseline_logit"]), expit(v["ceiling_logit"])
    share = norm.cdf((expected - v["response_threshold"]) / scale)
    mean = base + (1 - base) * reach * share
    found = []
    for y, m in zip(series.values["response"][i], mean, strict=True):
        if np.isnan(y):
            found.append(0.0)
        elif y == 0.0:
            found.append(norm.logcdf(-m / noise))
        elif y == 1.0:
            found.append(norm.logsf((1.0 - m) / noise))
        else:
            found.append(norm.logpdf(y, m, noise))
    return np.asarray(found)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stimuli", [1, 3])
def test_the_likelihood_is_that_of_loops_in_numpy(name, stimuli):
    model, series = QUICKER[name], animals(3, stimuli=stimuli)
    data = model.prepare(series)
    for i in range(3):
        values = person(model, seed=i)
        found = model.log_likelihood(values, one_of(data, i))
        wanted = likelihood_by_loops(name, values, series, i)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_finite_differences(name):
    model = QUICKER[name]
    one = one_of(model.prepare(animals()))

    def total(values):
        return model.log_likelihood(values, one).sum()

    slopes_of, total = jax.jit(jax.grad(total)), jax.jit(total)
    for seed in range(3):
        values = person(model, seed=seed)
        slopes = slopes_of(values)
        for parameter, slope in slopes.items():
            step = 1e-6
            ends = [
                total({**values, parameter: values[parameter] + sign * step})
                for sign in (1, -1)
            ]
            about = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(slope, about, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_nothing_breaks_from_1e_minus_8_to_1e8(name, dtype):
    """Parameters on log scales at those ends, all at once and one by one."""
    model = QUICKER[name]
    one = jax.tree.map(
        lambda leaf: leaf.astype(dtype) if leaf.dtype == jnp.float64 else leaf,
        one_of(model.prepare(animals())),
    )
    scored = jax.jit(
        jax.value_and_grad(
            lambda v: (
                (each := model.log_likelihood(v, one)).sum(),
                jnp.all(jnp.isfinite(each)),
            ),
            has_aux=True,
        )
    )
    middle = {p.name: jnp.asarray(p.mean, dtype) for p in model.parameters}
    far = jnp.asarray(18.4, dtype)
    # No outcome is 1e8 times a shock: weights and thresholds are in its unit.
    ends = {
        n: far if n not in ("initial_weight", "response_threshold") else far / 2
        for n in middle
    }
    cases = [dict(middle) for _ in range(2)]
    cases += [{**middle, n: s * e} for n, e in ends.items() for s in (1, -1)]
    cases += [{n: s * e for n, e in ends.items()} for s in (1, -1)]
    for values in cases:
        (value, finite), slopes = scored(values)
        assert bool(finite) and np.isfinite(value), values
        assert all(np.isfinite(slope) for slope in slopes.values()), values


def test_one_cause_is_the_limit_of_no_other():
    few, many = QUICKER["single_cause"], QUICKER["latent_cause"]
    series = animals(stimuli=2)
    one = one_of(few.prepare(series))
    values = person(many) | {"log_concentration": jnp.asarray(-500.0)}
    np.testing.assert_allclose(
        few.expected(values, one), many.expected(values, one), rtol=1e-10
    )


def test_a_look_is_the_baseline_and_teaches_nothing():
    model = QUICKER["latent_cause"]
    series = animals(1)
    without = series.values["outcome"][0]
    looks = np.isnan(without)
    assert looks.any()
    values = person(model)
    one = one_of(model.prepare(series))
    expected = model.expected(values, one)
    assert np.all(np.asarray(expected)[looks] == 0.0)
    fewer = series._replace(
        values={n: v[:, ~looks] for n, v in series.values.items()},
        present=series.present[:, ~looks],
    )
    np.testing.assert_allclose(
        model.expected(values, one_of(model.prepare(fewer))),
        np.asarray(expected)[~looks],
        rtol=1e-12,
    )


def test_padding_and_what_an_animal_of_another_length_met_change_nothing():
    model, series = QUICKER["latent_cause"], animals()
    short = series.present.copy()
    short[1, 9:] = False
    values = {
        n: np.where(short, v, np.nan) if n != "stimulus" else v
        for n, v in series.values.items()
    }
    padded = model.prepare(series._replace(values=values, present=short))
    cut = series._replace(
        values={n: v[1:, :9] for n, v in series.values.items()},
        present=series.present[1:, :9],
    )
    own = person(model)
    found = model.log_likelihood(own, one_of(padded, 1))
    alone = model.log_likelihood(own, one_of(model.prepare(cut)))
    np.testing.assert_array_equal(found[9:], 0.0)
    np.testing.assert_allclose(found[:9], alone, rtol=1e-12)


def test_simulated_responses_scatter_about_the_mean_and_stay_in_bounds():
    model = QUICKER["rescorla_wagner"]
    one = one_of(model.prepare(animals()))
    values = person(model, spread=0.0) | {
        "log_response_noise": jnp.asarray(-3.0),
        "baseline_logit": jnp.asarray(-0.5),
        "ceiling_logit": jnp.asarray(0.0),
    }
    keys = jax.random.split(jax.random.key(0), 4000)
    drawn = jax.vmap(lambda key: model.responses(model.simulate(key, values, one)))(
        keys
    )
    drawn, scored = np.asarray(drawn), np.asarray(one.scored)
    assert np.isnan(drawn[:, ~scored]).all()
    mean = np.asarray(model.mean_response(values, one))[scored]
    noise = np.sqrt(np.exp(-6.0) + 4e-4)
    assert np.all((mean > 4 * noise) & (mean < 1 - 4 * noise))
    error = noise / np.sqrt(len(drawn))
    np.testing.assert_allclose(drawn[:, scored].mean(axis=0), mean, atol=5 * error)
    loud = model.simulate(
        keys[0], values | {"log_response_noise": jnp.asarray(3.0)}, one
    )
    assert np.all((loud.response >= 0.0) & (loud.response <= 1.0))
    assert {0.0, 1.0} <= set(np.asarray(loud.response[one.scored]).tolist())


@pytest.mark.parametrize("name", NAMES)
def test_little_data_have_a_likelihood(name):
    """One trial; one animal that never responded; freezing that never changes."""
    model = QUICKER[name]
    values = person(model)
    series = animals(1)
    for response in (np.nan, 0.0, 1.0, 0.25):
        own = {**series.values, "response": np.full((1, 14), response)}
        one = one_of(model.prepare(series._replace(values=own)))
        total = float(model.log_likelihood(values, one).sum())
        assert np.isfinite(total) and (total == 0.0) == np.isnan(response)
    single = series._replace(
        values={n: v[:, :1] for n, v in series.values.items()},
        present=series.present[:, :1],
    )
    found = model.expected(values, one_of(model.prepare(single)))
    np.testing.assert_allclose(found, values["initial_weight"])


def test_contexts_are_features_where_there_are_several():
    series = animals(1)
    assert features_of(series).shape[-1] == 1
    context = np.tile([1.0, 2.0], (1, 7))
    both = series._replace(values={**series.values, "context": context})
    found = features_of(both)[0]
    np.testing.assert_array_equal(
        found[:, 1:], np.stack([context[0] == 1, context[0] == 2], 1)
    )
    alike = {**series.values, "context": np.ones((1, 14))}
    assert features_of(series._replace(values=alike)).shape[-1] == 1


def test_hard_assignment_counts_whole_causes():
    """The paper's defaults: three shocks and nineteen omissions are two causes."""
    time = np.concatenate([[0, 1, 2], 22 + np.arange(19)]) / 20.0
    outcome = (np.arange(22) < 3).astype(float)
    values = {"time": time, "outcome": outcome, "response": 0.0 * time}
    series = Series(
        {n: v[None] for n, v in values.items()},
        np.ones((1, 22), bool),
        np.zeros(1, int),
        {},
        {},
    )
    model = ConditioningModel(LatentCauses(CauseOptions(15, 3, Map())))
    own = {p.name: jnp.asarray(p.mean) for p in model.parameters} | {
        "log_concentration": jnp.log(0.1),
        "log_temporal_decay": jnp.asarray(0.0),
        "learning_rate_logit": jnp.log(0.3 / 0.7),
        "initial_weight": jnp.asarray(0.0),
        "outcome_log_precision": -jnp.log(0.4),
    }
    found = model.learner.history(own, one_of(model.prepare(series)).trials)
    assert float(found.num_causes) == 2.0 and not bool(found.truncated)


def test_bad_input_is_told_in_a_sentence():
    model, series = find_model("conditioning", "rescorla_wagner"), animals(2)
    unknown = {**series.values, "outcome": series.values["outcome"].copy()}
    unknown["outcome"][1] = np.nan
    with pytest.raises(UserError, match="series 2: has no trial with a known outcome"):
        model.prepare(series._replace(values=unknown))
    with pytest.raises(UserError, match="minutes: is 0; expected above 0"):
        ConditioningModel(RescorlaWagner(), minutes=0.0)
    with pytest.raises(UserError, match="no model of the conditioning task"):
        find_model("conditioning", "latent_causes")

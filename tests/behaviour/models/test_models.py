"""Participant models score and simulate what their parts say, missing trials included."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour import log_likelihood, make_trials
from pcmodel.behaviour.change_point.agent import Agent
from pcmodel.behaviour.change_point.unroll import run_participant
from pcmodel.behaviour.dataset import Series, find_task
from pcmodel.behaviour.hierarchy.hierarchical_model import (
    build_hierarchy,
    series_log_likelihood,
    with_held,
)
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.models.bandit import last_choices
from pcmodel.behaviour.models.catalogue import MODELS, TaskFacts, setting_of
from pcmodel.behaviour.models.decisions.designs import DESIGNS
from pcmodel.behaviour.perception import make_inputs, perceive
from pcmodel.behaviour.posterior.fitted_posterior import summarise
from pcmodel.behaviour.posterior.identifiability import ratio_only, verdicts
from pcmodel.behaviour.posterior.predictive import series_values, simulate_series
from pcmodel.behaviour.responses import (
    ChoiceParameters,
    Scale,
    choice_log_probabilities,
    unit_square_log_likelihood,
)
from pcmodel.behaviour.sampling.nuts import Nuts, fit_nuts
from pcmodel.behaviour.studies.sbc import draw_possible, draw_study
from pcmodel.behaviour.studies.simulate import make_up
from pcmodel.errors import UserError

SETTING = TaskFacts(num_arms=3, scale=Scale(0.0, 10.0))


def series_of(task, *, num_series=2, num_trials=16):
    """Random trials of a task with missing outcomes and responses."""
    if task in DESIGNS:
        series = make_up(
            task, num_participants=num_series // 2, num_trials=num_trials, num_arms=3
        )
        series.values[find_task(task).response][0, 3] = np.nan
        return series
    rng = np.random.default_rng(1)
    shape = (num_series, num_trials)
    outcome = rng.integers(0, 2, shape).astype(float)
    if task == "helicopter":
        outcome = rng.uniform(20, 280, shape).round()
    if task == "prediction":
        outcome = rng.normal(50.0, 9.0, shape)
    values = {
        "binary": {"response": rng.integers(0, 2, shape).astype(float)},
        "bandit": {"choice": rng.integers(1, 4, shape).astype(float)},
        "rating": {"rating": rng.integers(0, 11, shape).astype(float)},
        "helicopter": {
            "report": rng.uniform(0, 300, shape).round(),
            "noise_sd": np.full(shape, 10.0),
            "helicopter": np.full(shape, np.nan),
            "helicopter_seen": np.zeros(shape),
            "block_start": np.zeros(shape),
        },
        "conditioning": {
            "response": rng.uniform(0, 1, shape),
            "time": np.tile(0.05 * np.arange(num_trials), (num_series, 1)),
        },
        "prediction": {"prediction": rng.normal(50.0, 9.0, shape)},
        "detection": {
            "response": rng.integers(0, 2, shape).astype(float),
            "detection_rate": rng.choice([0.0, 0.25, 0.5, 0.75], shape),
        },
    }[task]
    response = next(iter(values))
    values[response][0, 3], outcome[0, 5] = np.nan, np.nan
    present = np.ones(shape, bool)
    return Series(
        {"outcome": outcome, **values}, present, np.arange(num_series), {}, {}
    )


def defaults(model):
    return {p.name: jnp.asarray(p.mean) for p in model.parameters}


QUICK = {
    ("binary", "ehgf3"),
    ("bandit", "rescorla_wagner"),
    ("rating", "hgf2"),
    ("helicopter", "change_point"),
    ("conditioning", "rescorla_wagner"),
    ("discounting", "hyperbolic"),
    ("prediction", "uhgf2"),
    ("detection", "uhgf3"),
}
CASES = [
    pytest.param(t, n, marks=() if (t, n) in QUICK else pytest.mark.slow)
    for t in MODELS
    for n in MODELS[t]
]


@pytest.mark.parametrize(("task", "name"), CASES)
def test_only_responses_are_scored_and_slopes_are_finite(task, name):
    model = find_model(task, name, SETTING)
    data = model.prepare(series_of(task))
    one = jax.tree.map(lambda leaf: leaf[0], data)

    def total(values):
        pointwise = model.log_likelihood(values, one)
        return pointwise.sum(), pointwise

    (_, pointwise), slopes = jax.jit(jax.value_and_grad(total, has_aux=True))(
        defaults(model)
    )
    scored = np.isfinite(model.responses(data)[0])
    assert not scored[3]
    assert np.all(np.asarray(pointwise)[~scored] == 0.0)
    assert np.all(np.asarray(pointwise)[scored] != 0.0)
    for slope in slopes.values():
        assert np.isfinite(slope)


def test_the_binary_model_is_its_filter_and_its_response():
    model, series = find_model("binary", "hgf2"), series_of("binary")
    one = jax.tree.map(lambda leaf: leaf[0], model.prepare(series))
    values = defaults(model)
    found = model.log_likelihood(values, one)
    inputs = make_inputs(series.values["outcome"][0])
    p = perceive(model.filter.model, model.filter.build(values), inputs)
    expected = unit_square_log_likelihood(
        values["log_zeta"], p.prediction.outcome, one.response
    )
    np.testing.assert_allclose(found, jnp.where(one.scored, expected, 0.0), rtol=1e-12)


def test_the_bandit_model_learns_from_what_was_chosen():
    """By hand: Rescorla-Wagner values, softmax with stickiness."""
    model = find_model("bandit", "rescorla_wagner", SETTING)
    series = series_of("bandit", num_trials=8)
    one = jax.tree.map(lambda leaf: leaf[1], model.prepare(series))
    values = defaults(model)
    found = np.asarray(jax.jit(model.log_likelihood)(values, one))
    rate, value, last = 1 / (1 + np.exp(1.0)), np.full(3, 0.5), -1
    chooser = ChoiceParameters(
        values["log_beta"], values["stickiness"], values["lapse_logit"]
    )
    choices, outcomes = series.values["choice"][1], series.values["outcome"][1]
    for t, (choice, outcome) in enumerate(zip(choices, outcomes, strict=True)):
        arm = int(choice) - 1
        row = choice_log_probabilities(chooser, jnp.asarray(value), jnp.asarray(last))
        assert found[t] == pytest.approx(float(row[arm]), abs=1e-12)
        value[arm] += rate * (outcome - value[arm])
        last = arm


@pytest.mark.parametrize("name", ["rescorla_wagner", "hgf2"])
def test_ratings_may_fall_with_the_outcome(name):
    """Swapping the outcomes' names turns the gain's sign and changes nothing else."""
    model, series = find_model("rating", name, SETTING), series_of("rating")
    swapped = series._replace(
        values=series.values | {"outcome": 1.0 - series.values["outcome"]}
    )
    gain = jnp.asarray(0.3)

    def total(own, gain):
        one = jax.tree.map(lambda leaf: leaf[0], model.prepare(own))
        values = defaults(model) | {"rating_gain": gain}
        return float(model.log_likelihood(values, one).sum())

    assert total(series, gain) == pytest.approx(total(swapped, -gain), rel=1e-12)
    assert total(series, gain) != pytest.approx(total(swapped, gain), rel=1e-3)


def test_last_choices_skip_missing_trials():
    arm = np.asarray([[0, 1, 0, 2]])
    made = np.asarray([[True, True, False, True]])
    assert last_choices(arm, made).tolist() == [[-1, 0, 1, 1]]


def test_the_helicopter_model_is_the_packages_own_participant():
    model, series = find_model("helicopter", "change_point"), series_of("helicopter")
    values = defaults(model)
    data = model.prepare(series)
    found = jax.jit(jax.vmap(lambda d: model.log_likelihood(values, d)))(data)
    columns = {k: v for k, v in series.values.items()}
    columns["block_start"] = np.eye(1, 16, dtype=bool).repeat(2, axis=0)
    trials = make_trials(**columns)
    person = model.person(values)
    expected = jax.jit(jax.vmap(lambda t: log_likelihood(person, t, agent=Agent())))(
        trials
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_simulated_choices_decide_what_is_seen(getkey):
    model = find_model("bandit", "ehgf3", SETTING)
    data = model.prepare(series_of("bandit", num_trials=40))
    one = jax.tree.map(lambda leaf: leaf[0], data)
    drawn = jax.jit(model.simulate)(getkey(), defaults(model), one)
    picked = jnp.take_along_axis(one.potential, drawn.inputs.arm[:, None], axis=1)
    np.testing.assert_array_equal(drawn.inputs.outcome, picked[:, 0])
    assert not bool(drawn.inputs.seen[3])


def test_settings_come_from_the_data_and_names_are_checked():
    assert setting_of(series_of("bandit")).num_arms == 3
    with pytest.raises(UserError, match="needs its scale"):
        find_model("rating", "hgf2")
    with pytest.raises(UserError, match="did you mean 'hgf3'"):
        find_model("bandit", "hgf33")


@pytest.mark.slow
def test_truths_are_ones_the_model_itself_allows():
    """The standard filter breaks down on a seventh of its prior; a fit excludes those."""
    model = find_model("binary", "hgf3")
    hierarchy = build_hierarchy(model, series_of("binary", num_series=4, num_trials=99))
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        draw = jax.jit(partial(draw_study, hierarchy))
        every = [draw(jax.random.key(i)) for i in range(30)]
        assert 0 < sum(bool(s.possible) for s in every) < 30
        for i in range(30):
            study = draw_possible(jax.random.key(i), draw)
            values = series_values(hierarchy, study.sites)
            first = {name: value[0] for name, value in values.items()}
            found = series_log_likelihood(hierarchy, first, study.data)
            assert float(found.min()) > -1e4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_a_drug_effect_on_the_learning_rate_is_recovered(getkey):
    """Twelve people twice: the true effect lies in the interval, as does the noise."""
    rng = np.random.default_rng(3)
    shape, drug = (24, 80), np.tile(["placebo", "drug"], 12)
    chance = np.where((np.arange(80) // 20) % 2, 0.8, 0.2)
    series = Series(
        {
            "outcome": (rng.random(shape) < chance).astype(float),
            "response": np.zeros(shape),
        },
        np.ones(shape, bool),
        np.repeat(np.arange(12), 2),
        {"drug": drug},
        {},
    )
    hierarchy = build_hierarchy(
        find_model("binary", "hgf2"),
        series,
        formulas=["omega2 ~ drug + (drug | participant)"],
    )
    truth = {
        "omega2": jnp.asarray(
            -3.0 + 0.4 * rng.normal(size=24) + 1.5 * (drug == "drug")
        ),
        "log_zeta": jnp.full(24, 1.0),
    }
    data = simulate_series(getkey(), hierarchy, truth)
    options = Nuts(num_warmup=300, num_samples=400, num_chains=2)
    fit = fit_nuts(getkey(), hierarchy._replace(data=data), options)
    effects = summarise(fit, accept_unconverged=True)
    found = {e.name: e for e in effects}
    assert (
        abs(found["omega2[drug[drug]]"].mean - 1.5) < 3 * found["omega2[drug[drug]]"].sd
    )
    assert (
        abs(found["log_zeta[Intercept]"].mean - 1.0)
        < 3 * found["log_zeta[Intercept]"].sd
    )
    values = {k: v for k, v in with_held(hierarchy, truth).items()}
    assert np.isfinite(series_log_likelihood(hierarchy, values, data)).all()


def stretched(values, shift, stretch):
    """The same filter with the volatility level in other units and from another zero."""
    kappa = np.exp(values["log_kappa2"]) / stretch
    return values | {
        "mu3_0": values["mu3_0"] * stretch + shift,
        "omega2": values["omega2"] - kappa * shift,
        "log_kappa2": jnp.log(kappa),
        "omega3": values["omega3"] + 2.0 * np.log(stretch),
        "log_pi3_0": values["log_pi3_0"] - 2.0 * np.log(stretch),
    }


@pytest.mark.parametrize(
    ("task", "name", "same"),
    [
        pytest.param("binary", "hgf3", True, marks=pytest.mark.slow),
        ("bandit", "ehgf3", True),
        ("bandit", "ehgf3_volatile_choice", False),
    ],
)
def test_the_volatility_level_has_no_zero_and_no_unit(task, name, same):
    """Unless choice reads it: then a higher first volatility is no larger step size."""
    model = find_model(task, name, SETTING)
    one = jax.tree.map(lambda leaf: leaf[0], model.prepare(series_of(task)))
    values = defaults(model) | {"omega3": jnp.asarray(-2.0)}
    total = jax.jit(lambda own: model.log_likelihood(own, one).sum())
    moved = {k: jnp.asarray(v, float) for k, v in stretched(values, 0.7, 1.6).items()}
    assert (abs(float(total(moved) - total(values))) < 1e-9) == same


@pytest.mark.parametrize(
    ("name", "formulas", "expected"),
    [
        ("ehgf3", ("mu3_0 ~ drug", "omega2 ~ 1"), {"mu3_0[Intercept]"}),
        ("ehgf3", ("mu3_0 ~ drug", "omega2 ~ drug"), {"mu3_0[drug[drug]]"}),
        ("ehgf3", ("log_kappa2 ~ 1", "log_pi3_0 ~ 1"), {"omega3[Intercept]"}),
        ("ehgf3", ("omega2 ~ drug",), set()),
        ("ehgf3_volatile_choice", ("mu3_0 ~ drug", "omega2 ~ drug"), set()),
    ],
)
def test_what_a_filter_knows_as_a_combination_only(name, formulas, expected):
    series = series_of("bandit")
    series = series._replace(covariates={"drug": np.asarray(["placebo", "drug"])})
    model = find_model("bandit", name, SETTING)
    found = ratio_only(build_hierarchy(model, series, formulas=formulas))
    assert expected <= found and bool(expected) == bool(found)
    assert ("mu3_0[drug[drug]]" in found) == ("mu3_0[drug[drug]]" in expected)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_a_kalman_agent_knows_a_ratio_only(getkey):
    """The verdict must say so whatever the contraction."""
    series = series_of("helicopter", num_series=3)
    hierarchy = build_hierarchy(find_model("helicopter", "kalman"), series)
    options = Nuts(num_warmup=20, num_samples=50, num_chains=2, max_tree_depth=3)
    fit = fit_nuts(getkey(), hierarchy, options)._replace(diagnostics=None)
    words = {
        v.name: v.word for v in verdicts(fit, summarise(fit, accept_unconverged=True))
    }
    assert words["prior_log_precision[Intercept]"] == "ratio only"


def test_a_choice_without_an_outcome_is_scored_as_the_choice_it_was():
    """Only where choices come from; what was not shown teaches nothing."""
    model = find_model("bandit", "rescorla_wagner", SETTING)
    series = series_of("bandit", num_trials=8)
    series.values["choice"][1] = 2.0
    series.values["outcome"][1, 2:] = np.nan
    one = jax.tree.map(lambda leaf: leaf[1], model.prepare(series))
    np.testing.assert_array_equal(model.responses(one), np.ones(8))
    values = defaults(model)
    found = np.asarray(jax.jit(model.log_likelihood)(values, one))
    # Nothing is learned and the same choice repeated from here on: each is as likely.
    np.testing.assert_allclose(found[3:], found[3], rtol=1e-12)
    drawn = jax.jit(model.simulate)(jax.random.key(0), values, one)
    assert not np.any(drawn.inputs.seen[2:]) and np.all(drawn.inputs.seen[:2])


@pytest.mark.parametrize("name", ["change_point", "start_anchored"])
def test_simulated_reports_that_are_missing_leave_no_trace(name, getkey):
    """What the likelihood says of simulated reports is what it said while they were drawn."""
    model, series = find_model("helicopter", name), series_of("helicopter")
    values = defaults(model)
    one = jax.tree.map(lambda leaf: leaf[0], model.prepare(series))
    hidden = one._replace(reported=one.reported & (jnp.arange(16) % 3 != 1))
    drawn = jax.jit(model.simulate)(getkey(), values, hidden)
    changed = drawn._replace(report=jnp.where(hidden.reported, drawn.report, 11.0))
    likelihood = jax.jit(model.log_likelihood)
    np.testing.assert_array_equal(
        likelihood(values, drawn), likelihood(values, changed)
    )
    # With fixed randomness a hidden report must not move a later one either.
    again = jax.jit(model.simulate)(
        jax.random.key(1), values, hidden._replace(report=changed.report)
    )
    same = jax.jit(model.simulate)(jax.random.key(1), values, hidden)
    np.testing.assert_array_equal(again.report, same.report)
    run = run_participant(model.person(values), drawn, agent=model.agent)
    made = np.flatnonzero(np.asarray(hidden.reported))
    before = np.asarray(run.previous_report)[made[1:]]
    np.testing.assert_allclose(before, np.asarray(drawn.report)[made[:-1]], rtol=1e-12)

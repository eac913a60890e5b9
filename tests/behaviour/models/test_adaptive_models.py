"""Bandits with a trace of past choices, and learners of adaptive rates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.models import find_model
from tests.behaviour.models.test_models import SETTING, defaults, series_of


def test_choices_are_drawn_to_the_trace_of_all_before(getkey):
    """By hand, with a choice missing; and what is simulated is what the likelihood says of it."""
    model = find_model("bandit", "rescorla_wagner_trace", SETTING)
    series = series_of("bandit", num_trials=8)
    one = jax.tree.map(lambda leaf: leaf[0], model.prepare(series))
    values = defaults(model) | {"trace_rate_logit": jnp.asarray(-0.4)}
    found = np.asarray(jax.jit(model.log_likelihood)(values, one))
    rate, tau = 1 / (1 + np.exp(1.0)), 1 / (1 + np.exp(0.4))
    value, trace = np.full(3, 0.5), np.zeros(3)
    lapse = 1 / (1 + np.exp(4.0))
    choices, outcomes = series.values["choice"][0], series.values["outcome"][0]
    for t, (choice, outcome) in enumerate(zip(choices, outcomes, strict=True)):
        if np.isnan(choice):
            assert found[t] == 0.0
            continue
        arm = int(choice) - 1
        weight = np.exp(np.exp(1.5) * value + 0.5 * trace)
        p = (1 - lapse) * weight[arm] / weight.sum() + lapse / 3
        assert found[t] == pytest.approx(np.log(p), abs=1e-12)
        value[arm] += 0.0 if np.isnan(outcome) else rate * (outcome - value[arm])
        trace += tau * (np.eye(3)[arm] - trace)
    drawn = jax.jit(model.simulate)(getkey(), values, one)
    assert np.isfinite(jax.jit(model.log_likelihood)(values, drawn)).all()


def test_simulated_choices_stick_to_a_trace_of_great_weight(getkey):
    model = find_model("bandit", "two_rates_trace", SETTING)
    data = model.prepare(series_of("bandit", num_trials=60))
    one = jax.tree.map(lambda leaf: leaf[0], data)
    stuck = defaults(model) | {"stickiness": jnp.asarray(40.0)}
    drawn = jax.jit(model.simulate)(getkey(), stuck, one)
    arms = np.asarray(drawn.inputs.arm)[np.asarray(one.scored)]
    assert np.mean(arms == arms[0]) > 0.9
    free = defaults(model) | {"stickiness": jnp.asarray(0.0)}
    drawn = jax.jit(model.simulate)(getkey(), free, one)
    assert len(np.unique(np.asarray(drawn.inputs.arm))) == 3


@pytest.mark.parametrize("task", ["binary", "bandit"])
def test_values_of_adaptive_learners_stay_probabilities(task):
    """Whatever the parameters: V is a mean of 0, 1 and where it began."""
    for name in ("pearce_hall", "weighted_decay"):
        model = find_model(task, name, SETTING)
        one = jax.tree.map(lambda leaf: leaf[0], model.prepare(series_of(task)))
        for extreme in (-18.0, 18.0):
            free = [p.name for p in model.parameters if p.free and p.spread]
            values = defaults(model) | {n: jnp.asarray(extreme) for n in free[:2]}
            value = np.asarray(jax.jit(model.course)(values, one).mean[0])
            assert np.all((value >= -1e-12) & (value <= 1.0 + 1e-12))

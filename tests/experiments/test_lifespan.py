"""The lifespan experiment measures what it says, on made-up and on the published people."""

import jax.numpy as jnp
import numpy as np
import pytest

from experiments import reversal_learning
from experiments.lifespan_learning import claims
from experiments.lifespan_learning.measuring import measure, regress, shuffled
from experiments.lifespan_learning.simulate import (
    CHILDREN,
    OLDER,
    YOUNGER,
    Config,
    read,
)
from pcmodel.behaviour.change_point.task import make_trials
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.perception import make_inputs
from tests.behaviour.shared_data import shared_file


def people(*, rate, pull, noise=0.0, size=3, trials=400, seed=0):
    """Reports that follow a known share of each error and of each push."""
    rng = np.random.default_rng(seed)
    outcome = rng.uniform(80, 220, (size, trials))
    push = rng.normal(0, 20, (size, trials))
    report = np.full((size, trials), 150.0)
    for t in range(1, trials):
        error = outcome[:, t - 1] - report[:, t - 1]
        step = rate * error + pull * push[:, t] + noise * rng.normal(size=size)
        report[:, t] = np.clip(report[:, t - 1] + step, 0, 300)
    start = np.zeros((size, trials), bool)
    start[:, 0] = True
    return make_trials(
        outcome=outcome,
        report=report,
        noise_sd=np.full((size, trials), 10.0),
        helicopter=np.repeat(rng.uniform(80, 220, (size, trials // 10)), 10, axis=1),
        helicopter_seen=np.zeros((size, trials), bool),
        block_start=start,
        push=push,
    )


def test_rates_and_pulls_are_found_exactly_without_noise():
    found = measure(people(rate=0.6, pull=0.2))
    np.testing.assert_allclose(found.rate, 0.6, atol=1e-9)
    np.testing.assert_allclose(found.pull, 0.2, atol=1e-9)
    np.testing.assert_allclose(found.changed, found.calm, atol=1e-9)


def test_exchanged_pushes_draw_nobody_and_errors_are_honest():
    trials = people(rate=0.6, pull=0.2, noise=10.0, size=60)
    found = measure(trials)
    z = (found.pull - 0.2) / found.pull_se
    assert np.mean(z**2) == pytest.approx(1.0, abs=0.5)
    null = measure(shuffled(trials, np.random.default_rng(1)))
    assert abs(null.pull.mean()) < 3.0 * null.pull.std() / np.sqrt(60)


def test_unequal_variances_widen_the_error():
    """White's errors of a mean, by hand."""
    values = np.asarray([1.0, -1.0, 5.0, -5.0])
    slopes, errors = regress(values, [np.ones(4)])
    assert slopes[0] == pytest.approx(0.0)
    assert errors[0] == pytest.approx(np.sqrt(52.0) / 4.0)


def test_verdicts_fall_either_way():
    rng = np.random.default_rng(0)
    one, other = rng.normal(1.0, 1.0, 50), rng.normal(0.0, 1.0, 50)
    assert claims.is_above_zero(claims.gap_interval(one, other)) is True
    assert claims.is_above_zero(claims.gap_interval(other, one)) is False
    assert claims.decided(np.asarray([1, 0])) is None


def test_only_younger_adults_may_lose_nothing():
    """Prevents a cost to younger adults, or none to the others, from counting as found."""
    above, around = claims.Interval(2.0, 1.0, 3.0), claims.Interval(0.0, -1.0, 1.0)
    expected = {CHILDREN: above, YOUNGER: around, OLDER: above}
    for changed, outcome in (
        ({}, True),
        ({YOUNGER: above}, False),
        ({OLDER: around}, None),
    ):
        found = claims.by_age(expected | changed)
        assert claims.costs_others_alone(found) is outcome
    assert claims.is_apart(claims.Young(0.0, -0.1, 0.1, others=0.2)) is True
    assert claims.is_apart(claims.Young(0.0, -0.1, 0.3, others=0.2)) is None
    assert claims.is_apart(claims.Young(0.2, 0.1, 0.3, others=0.4)) is False


@pytest.mark.slow
def test_the_published_people_have_the_published_learning_rates():
    """Means by age group as recomputed for the data set's own description."""
    folder = shared_file("bruckner2025_helicopter_lifespan")
    series = read(Config(data=str(folder)), "first")
    data = find_model("helicopter", "change_point").prepare(series)
    rate, age = measure(data).rate, series.covariates["age_group"]
    means = [rate[age == a].mean() for a in (1, 2, 3, 4)]
    np.testing.assert_allclose(means, [0.715, 0.843, 0.832, 0.773], atol=6e-4)


def differences(**changed):
    """What shows the whole pattern, but for the parts given."""
    found = {
        "reward_rate_logit": (2.0, 0.1),
        "punishment_rate_logit": (1.0, 0.1),
        "reward more than punishment": (1.0, 0.1),
        "stickiness": (-1.0, 0.1),
        "win-stay": (0.0, 0.01),
        "lose-shift": (0.0, 0.01),
    }
    pairs = (found | changed).items()
    return {name: reversal_learning.Difference(*pair) for name, pair in pairs}


def test_the_pattern_needs_every_part():
    """A change of win-stay beyond one error of a study of nineteen is a change."""
    config = reversal_learning.Config(people=190, study=19)
    more = {"reward more than punishment": (0.1, 0.2), "win-stay": (0.01, 0.01)}
    changes = {
        "whole": differences(),
        "unclear": differences(**more),
        "changed": differences(**more, **{"lose-shift": (0.05, 0.01)}),
    }
    summary = reversal_learning.Summary(changes, {})
    found = {n: reversal_learning.pattern(config, summary, n) for n in changes}
    np.testing.assert_array_equal(found["changed"].parts, [1, 1, 0, 1, 1, -1])
    outcomes = {n: reversal_learning.is_whole(own) for n, own in found.items()}
    assert outcomes == {"whole": True, "unclear": None, "changed": False}
    assert not reversal_learning.lacks_a_part(found["whole"])
    assert reversal_learning.lacks_a_part(found["unclear"])
    said = reversal_learning.parts_in_words(found["changed"])
    assert said == "4 of 6 shown; not reward more than punishment, lose-shift"


def test_two_rates_learn_by_the_sign_of_the_error():
    model = find_model("bandit", "two_rates")
    values = {p.name: jnp.asarray(p.mean) for p in model.parameters}
    values |= {"reward_rate_logit": jnp.asarray(2.0)}
    built = model.filter.build(values)
    learner = model.filter.model.model
    beliefs = learner.init(built)

    rates = {1.0: 1 / (1 + np.exp(-2.0)), 0.0: 1 / (1 + np.exp(1.0))}
    for outcome, rate in rates.items():
        trial = make_inputs(np.asarray(outcome))
        prediction = learner.predict(built, beliefs)
        after = learner.update(built, beliefs, prediction, trial)
        assert float(after.mean[0]) == pytest.approx(0.5 + rate * (outcome - 0.5))


def test_the_answer_counts_the_parts_that_the_figure_shows():
    """Prevents the first sentence from saying less, or more, than the picture under it."""
    half = differences(**{"stickiness": (1.0, 0.1), "win-stay": (0.5, 0.01)})
    changes = dict.fromkeys(reversal_learning.CHANGES, half)
    config = reversal_learning.Config()
    summary = reversal_learning.Summary(changes, {})
    said = reversal_learning.answer(config, summary)
    assert said.startswith("None of the 5") and "relaxed belief 4" in said
    summary = reversal_learning.Summary(changes | {"less sticky": differences()}, {})
    said = reversal_learning.answer(config, summary)
    assert "shown by: less sticky." in said and "less sticky 6" in said
    drawn = reversal_learning.draw(config, summary).axes[0].texts
    assert sum(text.get_text().startswith("shown") for text in drawn) == 4 * 4 + 6

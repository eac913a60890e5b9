"""The lifespan experiment measures what it says, on made-up and on the published people."""

import jax.numpy as jnp
import numpy as np
import pytest

from experiments import reversal_learning
from experiments.lifespan_learning.computing import _read
from experiments.lifespan_learning.config import Config
from experiments.lifespan_learning.judging import gap_interval, word
from experiments.lifespan_learning.measuring import measure, regress, shuffled
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
    assert word([gap_interval(one, other).sign]) == "holds"
    assert word([gap_interval(other, one).sign]) == "fails"
    assert word([1, 0]) == "inconclusive"


@pytest.mark.slow
def test_the_published_people_have_the_published_learning_rates():
    """Means by age group as recomputed for the data set's own description."""
    folder = shared_file("bruckner2025_helicopter_lifespan")
    series = _read(Config(data=str(folder)), "first")
    data = find_model("helicopter", "change_point").prepare(series)
    rate, age = measure(data).rate, series.covariates["age_group"]
    means = [rate[age == a].mean() for a in (1, 2, 3, 4)]
    np.testing.assert_allclose(means, [0.715, 0.843, 0.832, 0.773], atol=6e-4)


def test_the_pattern_needs_every_part():
    """A change of win-stay beyond one error of a study of nineteen is a change."""
    parts = {n: (0.5, 0.1) for n in ("reward_rate_logit", "punishment_rate_logit")}
    parts |= {"stickiness": (-0.5, 0.1), "reward more than punishment": (0.1, 0.2)}
    parts |= {"win-stay": (0.01, 0.01), "lose-shift": (0.05, 0.01)}
    found = reversal_learning.pattern(parts, people=190, study=19)
    assert found == {
        "reward_rate_logit": True,
        "punishment_rate_logit": True,
        "stickiness": True,
        "reward more than punishment": None,
        "win-stay": True,
        "lose-shift": False,
    }


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
    whole = {
        "reward_rate_logit": (2.0, 0.1),
        "punishment_rate_logit": (1.0, 0.1),
        "reward more than punishment": (1.0, 0.1),
        "stickiness": (-1.0, 0.1),
        "win-stay": (0.0, 0.01),
        "lose-shift": (0.0, 0.01),
    }
    half = whole | {"stickiness": (1.0, 0.1), "win-stay": (0.5, 0.01)}
    changes = dict.fromkeys(reversal_learning.CHANGES, half)
    config = reversal_learning.Config()
    summary = reversal_learning.Summary((), changes)
    said = reversal_learning.in_words(config, summary)
    assert said.startswith("None of the 5") and "relaxed belief 4" in said
    summary = reversal_learning.Summary((), changes | {"less sticky": whole})
    said = reversal_learning.in_words(config, summary)
    assert "shown by: less sticky." in said and "less sticky 6" in said
    drawn = reversal_learning.plot(config, None, summary)["pattern"].axes[0].texts
    assert sum(text.get_text().startswith("shown") for text in drawn) == 4 * 4 + 6

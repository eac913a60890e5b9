"""The trait, what contradicts it, and one lesson: against closed forms by numpy and scipy."""

import json

import jax
import numpy as np
import pytest
import scipy.linalg
from brain_modules import joint_covariance, precisions_of, units_of

from experiments._brain import modulation_of, person
from experiments.rumination.simulate import LOOK, Config, thought
from experiments.rumination.trait import (
    MEMORY,
    contrary,
    examples_of,
    lesson_of,
    self_places,
    taught,
    with_learned,
    with_trait,
)
from pcmodel.brain.dynamics import EyesClosed, linear_activity
from pcmodel.cli import main
from pcmodel.errors import UserError
from pcmodel.report import UNPERTURBED

CONFIG = Config(people=3)
HEALTHY = person(4, 0, UNPERTURBED)
RIGID = with_trait(HEALTHY, mean=-0.5, precision=8.0)
OWN = self_places(HEALTHY)


def top_of(brain):
    """Prior mean and covariance of the default mode."""
    places = units_of(brain.network, "default")
    precision = precisions_of(brain.network)[np.ix_(places, places)]
    return np.asarray(brain.network.prior_mean[...]), np.linalg.inv(precision)


def test_the_trait_is_a_factor_on_one_precision_and_a_shift_of_the_self():
    places = units_of(HEALTHY.network, "default")
    before, after = precisions_of(HEALTHY.network), precisions_of(RIGID.network)
    np.testing.assert_allclose(
        after[np.ix_(places, places)], 8 * before[np.ix_(places, places)], rtol=1e-6
    )
    others = units_of(HEALTHY.network, *HEALTHY.network.names[:-1])
    np.testing.assert_array_equal(
        after[np.ix_(others, others)], before[np.ix_(others, others)]
    )
    moved = top_of(RIGID)[0] - top_of(HEALTHY)[0]
    np.testing.assert_allclose(moved[OWN], -0.5, atol=1e-6)
    np.testing.assert_array_equal(np.delete(moved, OWN), 0)


def test_spontaneous_thought_is_that_of_the_linear_process():
    """Stationary law of the top by hand; lagged covariance and correlation time by scipy."""
    mean, covariance = top_of(RIGID)
    activity = linear_activity(RIGID, EyesClosed())
    belief, spread, time, negative, log_stay = thought(RIGID, activity)
    assert belief == pytest.approx(mean[OWN].mean(), abs=1e-6)
    assert spread**2 == pytest.approx(covariance[np.ix_(OWN, OWN)].mean(), rel=1e-5)
    assert negative == pytest.approx(scipy.stats.norm.cdf(-belief / spread), abs=1e-9)
    activity = linear_activity(RIGID, EyesClosed())
    stationary = scipy.linalg.solve_continuous_lyapunov(
        activity.drift, activity.diffusion
    )
    row = np.zeros(len(stationary))
    row[activity.structure.free_slices()[-1].start + OWN] = 1 / len(OWN)
    variance = row @ stationary @ row
    assert variance == pytest.approx(spread**2, rel=1e-4)
    grid = np.linspace(0, 40, 4001)
    move, state, values = scipy.linalg.expm(-activity.drift * grid[1]), None, []
    state = stationary @ row
    for _ in grid:
        values.append(row @ state)
        state = move @ state
    by_hand = np.trapezoid(values, grid) / variance
    assert time == pytest.approx(by_hand, rel=1e-3)
    then = row @ scipy.linalg.expm(-activity.drift * LOOK) @ stationary @ row
    both = scipy.stats.multivariate_normal(
        [belief] * 2, [[variance, then], [then, variance]]
    ).cdf([0, 0])
    assert log_stay == pytest.approx(
        np.log(LOOK * negative / (negative - both)), abs=2e-3
    )


def test_what_contradicts_the_belief_is_the_conditional_law():
    """Of limbic and control, the self at 1: conditioning the joint Gaussian by numpy."""
    means, covariance = contrary(HEALTHY, MEMORY, 1.0)
    joint = joint_covariance(HEALTHY.network)
    own = units_of(HEALTHY.network, "default")[OWN]
    there = units_of(HEALTHY.network, *MEMORY)
    gain = joint[np.ix_(there, own)] @ np.linalg.inv(joint[np.ix_(own, own)])
    expected = joint[np.ix_(there, there)] - gain @ joint[np.ix_(own, there)]
    np.testing.assert_allclose(covariance, expected, atol=1e-5)
    twice, _ = contrary(HEALTHY, MEMORY, 2.0)
    slope = np.concatenate([twice[name] - means[name] for name in MEMORY])
    np.testing.assert_allclose(slope, gain.sum(axis=1), atol=1e-5)
    drawn = examples_of(means, covariance, 50_000, np.random.default_rng(0))
    found = np.hstack(list(drawn.values()))
    error = np.sqrt(np.diag(covariance) / len(found))
    assert (
        np.abs((found.mean(0) - np.concatenate(list(means.values()))) / error).max() < 5
    )
    np.testing.assert_allclose(np.cov(found.T), covariance, atol=0.04)


def lesson_by_hand(brain, examples, gains, rate):
    """One step of stepwise EM of the top: the posterior by conditioning the joint Gaussian under gains."""
    joint = joint_covariance(brain.network, gains)
    top = units_of(brain.network, "default")
    there = units_of(brain.network, *examples)
    seen = np.hstack(list(examples.values()))
    mean, _ = top_of(brain)
    activity = linear_activity(brain, EyesClosed())
    slices = activity.structure.free_slices()
    names = brain.network.names
    level = np.concatenate(
        [activity.activity[slices[names.index(n)]] for n in examples]
    )
    gain = joint[np.ix_(top, there)] @ np.linalg.inv(joint[np.ix_(there, there)])
    left = joint[np.ix_(top, top)] - gain @ joint[np.ix_(there, top)]
    shifts = (seen - level) @ gain.T
    middle = shifts.mean(axis=0)
    second = left + shifts.T @ shifts / len(shifts)
    _, own = top_of(brain)
    factor = gains["default"]
    return mean + rate * middle, (1 - rate) * own + rate * factor * (
        second - rate * np.outer(middle, middle)
    )


def test_a_lesson_is_a_step_of_em_by_hand():
    """A memory met with relaxed priors and once more sober, prior mean and covariance of the default mode."""
    with jax.enable_x64(True):
        brain = with_trait(person(5, 1, UNPERTURBED), mean=-0.5, precision=8.0)
        means, covariance = contrary(person(5, 1, UNPERTURBED), MEMORY, 1.0)
        seen = examples_of(means, covariance, 6, np.random.default_rng(1))
        drug = modulation_of(brain, "rebus", CONFIG.setting(5))
        gains = dict(
            zip(brain.network.names, map(float, drug.gains.values()), strict=True)
        )
        sober = dict.fromkeys(gains, 1.0)
        told, silent = lesson_of(brain, seen), lesson_of(brain, None)
        session = with_learned(brain, taught(told, drug, rate=0.1, window=(1.0, 0.0)))
        both = with_learned(brain, taught(told, drug, rate=0.1, window=(1.0, 1.9)))
        mean, own = lesson_by_hand(brain, seen, gains, 0.1)
        np.testing.assert_allclose(top_of(session)[0], mean, atol=1e-8)
        np.testing.assert_allclose(top_of(session)[1], own, rtol=1e-6, atol=1e-9)
        mean, own = lesson_by_hand(session, seen, sober, 0.19)
        np.testing.assert_allclose(top_of(both)[0], mean, atol=1e-8)
        np.testing.assert_allclose(top_of(both)[1], own, rtol=1e-6, atol=1e-9)
        nothing = with_learned(brain, taught(silent, drug, rate=0.1, window=(2.0, 2.0)))
        for one, other in zip(top_of(nothing), top_of(brain), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rigidity": 0.0}, "rigidity"),
        ({"negative": -1.0}, "negative"),
        ({"contrary": float("inf")}, "contrary"),
        ({"experiences": 0}, "experiences"),
        ({"rate": 0.5}, "rate"),
        ({"people": 1}, "people"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_a_sentence(options, words):
    with pytest.raises(UserError, match=words):
        Config(**options)


@pytest.mark.slow
def test_the_experiment_runs_and_its_theorems_hold(tmp_path):
    out = tmp_path / "run"
    assert main(["run", "rumination", "--smoke", "--output", str(out)]) == 0
    verdicts = json.loads((out / "result.json").read_text())["summary"]["verdicts"]
    theorems = [one for one in verdicts if one["kind"] == "theorem"]
    assert len(theorems) == 3
    assert {one["outcome"] for one in theorems} == {"holds"}

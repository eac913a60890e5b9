"""The natural gradient's gain, running means and standard errors, written out."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from pcmodel.learning import MovingAverage, NaturalGradient, standard_errors
from pcmodel.learning.precisions.fisher_information import covariance
from pcmodel.learning.precisions.m_step import (
    ClosedForm,
    Draws,
    Frozen,
    GradientStep,
    LevelRule,
)
from pcmodel.learning.precisions.natural_gradient import (
    LevelStatistics,
    NaturalMemory,
    watch,
)
from pcmodel.learning.precisions.scores import Scores


def test_the_gain_waits_holds_and_falls():
    """Zero in the burn-in, the rate until settled, then as one over time."""
    step = NaturalGradient(rate=0.4, burn_in=3, settle=10)
    gains = [float(step.gain(jnp.asarray(float(t)))) for t in range(40)]
    expected = [0.0] * 3 + [0.4] * 8 + [0.4 * 5 / (5 + late) for late in range(1, 30)]
    np.testing.assert_allclose(gains, expected, rtol=1e-12)


def test_statistics_are_plain_means_of_the_batches_seen():
    """Prevents information from the last batch alone, or from none.

    As long as fewer batches than 1 / forget were seen; the score is the centred one plus its best share of the
    difference, in [0, 1].
    """
    rng = np.random.default_rng(0)
    step = NaturalGradient(forget=0.05)
    values = (jnp.asarray(0.2), jnp.asarray([0.1, -0.3]), jnp.asarray(-0.4))
    rules = tuple(LevelRule(1.0) for _ in values)
    memory = step.init(values)
    shapes = ((), (2,), ())
    squares, crosses, seen = [], [], []
    for number in range(3):
        centred = [rng.normal(size=(8, 3, *shape)) for shape in shapes]
        difference = [
            0.7 * rng.normal(size=(8, 3, *s)) - 0.5 * c
            for s, c in zip(shapes, centred, strict=True)
        ]
        both = Scores(*(tuple(map(jnp.asarray, x)) for x in (centred, difference)))
        errors = tuple(jnp.asarray(rng.normal(size=(8, 3, 2))) for _ in values)
        scores, memory = jax.jit(
            lambda e, b, m: step.observe(values, Draws(e, lambda: b), rules, m)
        )(errors, both, memory)
        memory = memory._replace(steps=jnp.asarray(number + 1.0))
        spread = centred[1] - centred[1].mean(axis=(0, 1))
        squares.append((difference[1] ** 2).mean(axis=(0, 1)))
        crosses.append((spread * difference[1]).mean(axis=(0, 1)))
        seen.append(np.stack([scores[0], scores[2]], axis=-1))
        share = np.clip(-np.mean(crosses, axis=0) / np.mean(squares, axis=0), 0, 1)
        expected = centred[1] + share * difference[1]
        np.testing.assert_allclose(scores[1], expected, rtol=1e-9)
        assert np.all((share > 0.1) & (share < 1))
    np.testing.assert_allclose(memory.levels[1].square, np.mean(squares, axis=0))
    np.testing.assert_allclose(memory.levels[1].cross, np.mean(crosses, axis=0))
    information = np.mean([covariance(jnp.asarray(each)) for each in seen], axis=0)
    np.testing.assert_allclose(memory.information, information, rtol=1e-9)


def test_options_within_their_bounds_are_taken():
    """Prevents a check that refuses what is meant."""
    for options in ({}, dict(rate=1.0, forget=1.0, least_share=1.0, burn_in=0)):
        NaturalGradient(**options).check()


INFORMATION = np.asarray([[0.5, 0.2, 0.1], [0.2, 0.4, 0.0], [0.1, 0.0, 0.3]])
OWN = np.asarray([0.25, 0.16])
EXAMPLES = 50


def joint_errors(rows):
    """Of scalar precisions together, by numpy's inverse."""
    inverse = np.linalg.inv(INFORMATION[np.ix_(rows, rows)])
    return np.sqrt(np.diag(inverse) / EXAMPLES)


def watched_scores(left, left_units=(0.0, 0.0)):
    """Levels 0, 3 and 4 with one precision, 1 with one per unit, 2 full; scores without noise.

    Their means are such that a Newton step would go these shares of the standard errors.
    """

    def level(mean, information):
        nothing = {name: jnp.zeros_like(mean) for name in LevelStatistics._fields}
        return LevelStatistics(**{**nothing, "mean": mean, "information": information})

    scores = INFORMATION @ (np.asarray(left) * joint_errors([0, 1, 2]))
    low, middle, top = (level(jnp.asarray(each), jnp.zeros(())) for each in scores)
    step = np.asarray(left_units) / np.sqrt(OWN * EXAMPLES)
    units = level(jnp.asarray(OWN * step), jnp.asarray(OWN))
    return NaturalMemory(
        steps=jnp.asarray(1e4),
        levels=(low, units, None, middle, top),
        information=jnp.asarray(INFORMATION),
        samples=jnp.asarray(2.0),
        watched=jnp.asarray(0.05),
    )


def test_standard_errors_of_settled_levels_are_the_inverse_observed_information_s():
    """Scalars jointly, units each by itself, a frozen level taken as known."""
    arrived = watched_scores([0.4, -0.4, 0.4], [0.4, -0.4])
    found = standard_errors(arrived, EXAMPLES)
    assert found[2] is None
    np.testing.assert_allclose(
        [found[0], found[3], found[4]], joint_errors([0, 1, 2]), rtol=1e-12
    )
    np.testing.assert_allclose(found[1], 1 / np.sqrt(OWN * EXAMPLES), rtol=1e-12)
    held = standard_errors(watched_scores(np.zeros(3)), EXAMPLES, frozen=(1, 3))
    assert held[1] is None and held[3] is None
    np.testing.assert_allclose([held[0], held[4]], joint_errors([0, 2]), rtol=1e-12)


def test_levels_with_more_than_half_an_error_to_go_have_no_standard_error():
    """Each scalar by itself; a precision per unit as a whole, by its worst unit."""
    joint, units = joint_errors([0, 1, 2]), 1 / np.sqrt(OWN * EXAMPLES)
    found = standard_errors(watched_scores([0.4, -0.6, 0.4]), EXAMPLES)
    np.testing.assert_allclose(
        [found[0], found[3], found[4]], [joint[0], np.nan, joint[2]], rtol=1e-12
    )
    np.testing.assert_allclose(found[1], units, rtol=1e-12)
    found = standard_errors(watched_scores([0.4, 0.4, 0.4], [0.0, -0.6]), EXAMPLES)
    assert np.all(np.isnan(found[1]))
    np.testing.assert_allclose([found[0], found[3], found[4]], joint, rtol=1e-12)
    alone = watched_scores(np.zeros(3))._replace(samples=jnp.asarray(1.0))
    for errors in standard_errors(alone, EXAMPLES):
        assert errors is None or np.all(np.isnan(errors))


def test_no_more_than_the_whole_difference_is_taken_and_no_less_than_none():
    """The best share of the control variate, kept in [0, 1]; per unit and for a level as a whole."""
    rng = np.random.default_rng(3)
    step = NaturalGradient()
    values = (jnp.asarray(0.2), jnp.asarray([0.1, -0.3]))
    rules = (LevelRule(1.0), LevelRule(1.0))
    for factor, share in ((-0.5, 1.0), (0.5, 0.0), (-4.0, 0.25)):
        centred = [rng.normal(size=(8, 3)), rng.normal(size=(8, 3, 2))]
        centred = [each - each.mean(axis=(0, 1)) for each in centred]
        difference = [factor * each for each in centred]
        both = Scores(*(tuple(map(jnp.asarray, x)) for x in (centred, difference)))
        errors = tuple(jnp.zeros((8, 3, 2)) for _ in values)
        draws = Draws(errors, lambda both=both: both)
        scores, _ = step.observe(values, draws, rules, step.init(values))
        for level in (0, 1):
            expected = centred[level] + share * difference[level]
            np.testing.assert_allclose(scores[level], expected, rtol=1e-9, atol=1e-12)


def test_the_course_of_mean_scores_is_watched_by_running_means():
    """The mean, half the square of its changes, and each change times the one before, by a plain loop."""
    scores = np.random.default_rng(4).normal(size=(6, 2))
    kept = LevelStatistics(*(jnp.zeros(2) for _ in LevelStatistics._fields))
    mean, scatter, lag = np.zeros((3, 2))
    last, change = np.zeros(2), np.zeros(2)
    for number, score in enumerate(scores):
        weight = 1 / (1.5 + number)
        kept = watch(kept, jnp.asarray(score), jnp.asarray(weight), jnp.asarray(number))
        now = score - last if number else np.zeros(2)
        mean = (1 - weight) * mean + weight * score
        scatter = (1 - weight) * scatter + weight * 0.5 * now**2
        lag = (1 - weight) * lag + weight * now * change
        last, change = score, now
        for got, expected in (
            (kept.mean, mean),
            (kept.scatter, scatter),
            (kept.lag, lag),
            (kept.last, last),
            (kept.change, change),
        ):
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "step", [MovingAverage(0.5), ClosedForm(), GradientStep(optax.sgd(0.1)), Frozen()]
)
def test_a_level_that_is_held_and_one_without_a_precision_stay_as_they_are(step):
    values = (jnp.asarray(0.2), None, jnp.asarray([0.1, -0.3]), jnp.asarray(-1.0))
    rates = (None, None, 1.0, 0.5)
    rules = tuple(LevelRule(rate) for rate in rates)
    rng = np.random.default_rng(5)
    errors = tuple(jnp.asarray(3 * rng.normal(size=(8, 3, 2))) for _ in values)
    draws = Draws(errors, lambda: None)
    moved, _ = step.update(values, draws, rules, step.init(values))
    assert moved[1] is None
    np.testing.assert_array_equal(moved[0], values[0])
    second = np.mean(np.asarray(errors[2]) ** 2, axis=(0, 1))
    if step.learns:
        # Towards the inverse second moment, which lies below.
        assert np.all(np.asarray(moved[2]) < np.asarray(values[2]))
        assert np.all(second > np.exp([-0.1, 0.3]))
        assert moved[3] != values[3]
    if isinstance(step, ClosedForm):
        np.testing.assert_allclose(moved[2], -np.log(second), rtol=1e-9)


def test_a_floor_lowers_the_score_as_noise_on_every_unit_would():
    """d/d lambda of floor Pi / 2 a unit: of all units of a level with one precision, of its own for each of several."""
    step, floor = NaturalGradient(), 0.3
    values = (jnp.asarray(0.2), jnp.asarray([0.1, -0.3, 0.5]))
    centred = (jnp.ones((4, 2)), jnp.ones((4, 2, 3)))
    nothing = tuple(map(jnp.zeros_like, centred))
    draws = Draws(
        (jnp.zeros((4, 2, 5)), jnp.zeros((4, 2, 3))), lambda: Scores(centred, nothing)
    )
    rules = (LevelRule(1.0, floor), LevelRule(1.0, floor))
    scores, _ = step.observe(values, draws, rules, step.init(values))
    np.testing.assert_allclose(scores[0], 1 - 0.5 * floor * 5 * np.exp(0.2))
    expected = 1 - 0.5 * floor * np.exp([0.1, -0.3, 0.5])
    np.testing.assert_allclose(scores[1], np.broadcast_to(expected, (4, 2, 3)))

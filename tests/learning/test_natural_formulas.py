"""The natural gradient's gain, running means and standard errors, written out."""

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.learning import NaturalGradient, standard_errors
from pcmodel.learning.information import covariance
from pcmodel.learning.m_step import Draws, LevelRule
from pcmodel.learning.natural import LevelStatistics, NaturalMemory
from pcmodel.learning.scores import Scores


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

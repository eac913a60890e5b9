"""Whether precisions have settled: what the score leaves to go, beside the standard error; none before."""

import jax.numpy as jnp
import numpy as np
import pytest
from precision_learning import learn_precisions, tanh_case

import pcmodel
from pcmodel.learning import (
    Hmc,
    NaturalGradient,
    PosteriorSamples,
    settling,
    standard_errors,
    unsettled,
)
from pcmodel.learning.precisions.drift import slopes, still
from pcmodel.learning.precisions.natural_gradient import (
    LevelStatistics,
    NaturalMemory,
    watch,
)
from pcmodel.learning.precisions.settling import judge_precisions, noise_of

INFORMATION = np.array([[0.5, 0.2], [0.2, 0.3]])


def memory_of(mean, *, information=INFORMATION, samples=2.0, scatter=0.0, watched=0.05):
    """Two scalar levels with these mean scores, and no correlation from step to step."""

    def level(score):
        zero = jnp.zeros(())
        return LevelStatistics(
            zero, zero, zero, zero, jnp.asarray(score), jnp.asarray(scatter),
            jnp.asarray(-scatter), zero, zero,
        )  # fmt: skip

    return NaturalMemory(
        jnp.asarray(100.0),
        tuple(level(score) for score in mean),
        jnp.asarray(information),
        jnp.asarray(samples),
        jnp.asarray(watched),
    )


def test_what_remains_is_the_newton_step_and_the_error_that_of_the_data():
    mean = np.array([0.004, -0.003])
    found = settling(memory_of(mean, scatter=1e-4), 400)
    inverse = np.linalg.inv(INFORMATION)
    remaining = [float(level.remaining) for level in found]
    np.testing.assert_allclose(remaining, inverse @ mean, rtol=1e-9)
    errors = [float(level.error) for level in found]
    np.testing.assert_allclose(errors, np.sqrt(np.diag(inverse) / 400), rtol=1e-9)
    noise = np.sqrt(inverse**2 @ np.full(2, 1e-4 * 0.05 / 1.95))
    np.testing.assert_allclose([float(x.noise) for x in found], noise, rtol=1e-9)
    (alone,) = [level for level in settling(memory_of(mean), 400, frozen=(0,)) if level]
    np.testing.assert_allclose(alone.remaining, mean[1] / INFORMATION[1, 1], rtol=1e-9)


def test_a_level_of_its_own_is_judged_as_a_scalar_one_without_neighbours():
    """Precisions by unit: score over information, and the noise of that score, one unit at a time."""
    memory = memory_of([0.0])
    score, scatter = np.array([0.004, -0.003]), np.array([1e-4, 4e-6])
    information = np.array([0.5, 0.3])
    zero = jnp.zeros(2)
    units = LevelStatistics(
        zero, zero, zero, jnp.asarray(information), jnp.asarray(score),
        jnp.asarray(scatter), jnp.asarray(-scatter), zero, zero,
    )  # fmt: skip
    (found,) = settling(memory._replace(levels=(units,)), 400)
    np.testing.assert_allclose(found.remaining, score / information, rtol=1e-9)
    errors = np.sqrt(1 / information / 400)
    np.testing.assert_allclose(found.error, errors, rtol=1e-9)
    noise = np.sqrt(scatter * 0.05 / 1.95) / information
    np.testing.assert_allclose(found.noise, noise, rtol=1e-9)


def test_no_standard_error_is_given_before():
    """Half an error left to go, noise included, is the limit; then the reason is said."""
    at = INFORMATION @ (0.49 * np.sqrt(np.diag(np.linalg.inv(INFORMATION)) / 400))
    assert np.all(np.isfinite(standard_errors(memory_of(at), 400)))
    assert unsettled(memory_of(at), 400) == ()
    beyond = memory_of(1.1 * at)
    assert np.all(np.isnan(standard_errors(beyond, 400)))
    told = unsettled(beyond, 400, names=("data", "top"))
    assert len(told) == 2 and "level 'data'" in told[0] and "left to go" in told[0]
    noisy = memory_of(0 * at, scatter=10.0)
    assert np.all(np.isnan(standard_errors(noisy, 400)))
    assert "uncertain by" in unsettled(noisy, 400)[0]


def test_one_draw_an_example_gives_no_standard_error():
    """Its noise passes for information: the error would be far too small."""
    assert np.all(np.isnan(standard_errors(memory_of([0.0, 0.0], samples=1.0), 400)))
    assert "one draw" in unsettled(memory_of([0.0, 0.0], samples=1.0), 400)[0]


def test_levels_that_show_no_information_have_not_settled():
    nothing = memory_of([0.0, 0.0], information=-INFORMATION)
    assert np.all(np.isnan(standard_errors(nothing, 400)))
    assert "no information" in unsettled(nothing, 400)[0]


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_the_noise_of_a_mean_score_counts_its_correlation_and_no_trend(correlation):
    """An AR(1) score on a trend: variance of its running mean from 4,000 independent courses."""
    rng = np.random.default_rng(0)
    courses, weight = 4000, 0.05
    zero = jnp.zeros(courses)
    kept = LevelStatistics(*(zero for _ in LevelStatistics._fields))
    score = rng.normal(size=courses)
    for step in range(200):
        noise = rng.normal(size=courses) * np.sqrt(1 - correlation**2)
        score = correlation * score + noise
        seen = jnp.asarray(score + 0.01 * step)
        kept = watch(kept, seen, jnp.asarray(weight), jnp.asarray(float(step)))
    memory = memory_of([0.0, 0.0], watched=weight)
    average = kept._replace(scatter=jnp.mean(kept.scatter), lag=jnp.mean(kept.lag))
    np.testing.assert_allclose(noise_of(average, memory), np.var(kept.mean), rtol=0.15)


def test_a_course_is_still_when_it_would_stay_where_it_is():
    """Prevents EM that crawls, few epochs and wide scatter from passing for the end of learning."""
    rng = np.random.default_rng(0)
    epochs = np.arange(40.0)
    course = np.stack(
        [
            1 - 0.7**epochs,  # arrived
            1 - 0.97**epochs,  # crawls
            0.001 * rng.normal(size=40),
            0.5 * rng.normal(size=40),  # scatters too much to tell
            0.0004 * epochs,  # slow, and as fast as ever
        ],
        axis=1,
    )
    assert still(course).tolist() == [True, False, True, False, False]
    assert not still(course[:7]).any()


def test_the_drift_of_a_course_is_its_line_of_least_squares():
    """Errors as independent residuals have them; larger where residuals follow each other, never smaller."""
    rng = np.random.default_rng(1)
    times = np.arange(400.0)
    alternating = np.cos(np.pi * times)
    following = (times / 400 - 0.5) ** 2
    course = np.stack([alternating, following, np.zeros(400)], axis=1)
    course += rng.normal(size=3) + times[:, None] * np.array([0.1, -0.2, 0.0])
    slope, error = slopes(course)
    fits = [np.polyfit(times, column, 1, cov=True) for column in course.T]
    np.testing.assert_allclose(slope, [fit[0][0] for fit in fits], atol=1e-12)
    plain = np.sqrt([fit[1][0, 0] for fit in fits[:2]])
    longest = np.sqrt((1 + 0.95) / (1 - 0.95))
    np.testing.assert_allclose(error, [plain[0], longest * plain[1], 0], atol=1e-12)


def test_residuals_that_follow_each_other_widen_the_error_by_their_correlation():
    """(1 + r) / (1 - r) for the variance, as of a first-order autoregression."""
    rng = np.random.default_rng(2)
    noise, r = rng.normal(size=4000), 0.6
    residuals = np.zeros(4000)
    for step in range(1, 4000):
        residuals[step] = r * residuals[step - 1] + noise[step]
    _, error = slopes(residuals[:, None])
    plain = np.sqrt(np.polyfit(np.arange(4000.0), residuals, 1, cov=True)[1][0, 0])
    np.testing.assert_allclose(error[0] / plain, np.sqrt((1 + r) / (1 - r)), rtol=0.05)


def test_the_end_of_learning_says_it_of_every_level():
    """Scores where there are any, the course elsewhere, nothing of what was not learned."""
    course = np.zeros((20, 3))
    told = judge_precisions((), course, (True, False, True), 400, ("a", "b", "c"))
    assert told.settled == (True, None, True) and told.reasons == ()
    assert told.standard_errors == (None, None, None)
    short = judge_precisions((), course[:3], (True,) * 3, 400, ("a", "b", "c"))
    assert short.settled == (False,) * 3 and "too few" in short.reasons[0]
    memory = memory_of([0.0, 0.5])
    told = judge_precisions(memory, course[:, :2], (True, True), 400, ("a", "b"))
    assert told.settled == (False, False) and np.isnan(told.standard_errors[0])
    told = judge_precisions(memory, course[:, :2], (True, False), 400, ("a", "b"))
    assert told.settled == (True, None)
    np.testing.assert_allclose(told.standard_errors[0], np.sqrt(1 / 0.5 / 400))


EIGHT = PosteriorSamples(8, pcmodel.GaussNewton(max_iterations=1))
STEP = NaturalGradient(burn_in=5, settle=40, largest_move=0.3)


@pytest.mark.slow
def test_intervals_of_settled_precisions_cover_and_unsettled_runs_are_called_so():
    """y = 1.5 x + noise, 300 examples, 120 data sets: coverage of 95 % about the truth, and of the maximum itself.

    A run of a quarter of the steps has not settled.
    """
    network = pcmodel.linear_gaussian([np.array([[1.5]])], [1.0, 1.0])
    inside, near, settled, early = [], [], 0, 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        data = rng.normal(size=(300, 1)) * np.sqrt(2.25 + 2.0)
        state, curve = learn_precisions(
            network, data, EIGHT, STEP, steps=120, frozen=(1,), seed=seed
        )
        (found, _) = settling(state.precision, 300, frozen=(1,))
        if not found.settled:
            continue
        settled += 1
        away = curve.log_precisions[-1, 0] + np.log(2.0)
        inside.append(abs(away) < 1.96 * float(found.error))
        best = -np.log(max(np.mean(data**2) - 2.25, 1e-3))
        near.append(abs(curve.log_precisions[-1, 0] - best) < 0.75 * float(found.error))
        if seed < 20:
            short, _ = learn_precisions(
                network, data, EIGHT, STEP, steps=12, frozen=(1,), seed=seed
            )
            early += bool(settling(short.precision, 300, frozen=(1,))[0].settled)
    assert settled > 90 and early == 0
    assert np.mean(near) > 0.95
    assert 0.88 < np.mean(inside) <= 1


@pytest.mark.slow
def test_a_precise_top_that_is_still_far_away_is_given_no_error():
    """tanh, truth (1, 1, 50): from 1, a short run ends far below the truth, and says so."""
    truth = (1.0, 1.0, 50.0)
    network, data = tanh_case((12, 6, 3), truth, 400)
    step = NaturalGradient(burn_in=10, settle=60)
    state, _ = learn_precisions(network, data, Hmc(num_leapfrog=6), step, steps=100)
    levels = settling(state.precision, 400)
    assert not levels[2].settled
    assert np.isnan(standard_errors(state.precision, 400)[2])
    assert any("level 2" in told for told in unsettled(state.precision, 400))

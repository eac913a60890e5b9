"""Calibration measures: closed forms, other implementations, simulated predictors."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from pcmodel import calibration
from pcmodel.calibration import (
    auroc,
    auroc_standard_error,
    brier_score,
    coverage,
    expected_calibration_error,
    reliability,
)
from pcmodel.errors import UserError

LEVELS = (0.5, 0.8, 0.95)


def rng(seed=0):
    return np.random.default_rng(seed)


def correlated(generator, *shape):
    """Standard normals whose units share half their variance within an example."""
    own = generator.normal(size=shape)
    shared = generator.normal(size=(*shape[:-1], 1))
    return np.sqrt(0.5) * (own + shared)


def simulated(num_examples=400, num_samples=199, scale=1.0, seed=0):
    """Samples of a predictive distribution and the truth, `scale` times as wide."""
    generator = rng(seed)
    means = generator.normal(size=(num_examples, 6))
    samples = means + correlated(generator, num_samples, num_examples, 6)
    return samples, means + scale * correlated(generator, num_examples, 6)


def test_honest_intervals_cover_as_often_as_they_say():
    found = coverage(*simulated())
    assert np.all(np.abs(found.share - LEVELS) < 3.5 * found.standard_error)
    assert np.all(found.standard_error < 0.02)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_coverage_does_not_depend_on_how_examples_are_chunked(monkeypatch, chunk):
    expected = coverage(*simulated(40))
    monkeypatch.setattr(calibration, "CHUNK", chunk)
    for found, value in zip(coverage(*simulated(40)), expected, strict=True):
        np.testing.assert_array_equal(found, value)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_wrong_widths_cover_as_normal_theory_says(scale):
    """Prevents two wrongs from cancelling: too wide and too narrow are seen alike."""
    found = coverage(*simulated(num_samples=999, scale=scale))
    ends = stats.norm.ppf(0.5 + np.array(LEVELS) / 2)
    expected = 2 * stats.norm.cdf(ends / scale) - 1
    assert np.all(np.abs(found.share - expected) < 0.005 + 3 * found.standard_error)
    assert np.all(np.abs(found.share - LEVELS) > 5 * found.standard_error)


def test_coverage_is_exact_for_ranks_that_are_whole():
    """One truth takes every rank among 39 samples once: 40 examples, 2 of them outside 95 %."""
    samples = np.arange(39.0)[:, None, None] * np.ones((1, 40, 1))
    truth = np.arange(40.0)[:, None] - 0.5
    found = coverage(samples, truth)
    np.testing.assert_allclose(found.share, LEVELS, rtol=1e-12)


def test_errors_count_examples_and_not_units():
    """Prevents a thousand copies of one number from passing for evidence."""
    samples, truth = simulated()
    once = coverage(samples[..., :1], truth[:, :1])
    copied = coverage(
        np.repeat(samples[..., :1], 50, -1), np.repeat(truth[:, :1], 50, -1)
    )
    np.testing.assert_allclose(copied.standard_error, once.standard_error)
    binomial = np.sqrt(once.share * (1 - once.share) / 399)
    np.testing.assert_allclose(once.standard_error, binomial)


def test_the_error_is_the_spread_over_repetitions():
    found = [coverage(*simulated(60, 59, seed=seed)) for seed in range(200)]
    spread = np.std([each.share for each in found], axis=0)
    stated = np.mean([each.standard_error for each in found], axis=0)
    np.testing.assert_allclose(stated, spread, rtol=0.2)


def by_hand(probabilities, labels, num_bins):
    """Guo et al.'s sums, one bin and one example at a time."""
    rows, error = [], 0.0
    for m in range(num_bins):
        low, high = np.linspace(0, 1, num_bins + 1)[m : m + 2]
        inside = [i for i, p in enumerate(probabilities) if low < max(p) <= high]
        if inside:
            right = [
                list(probabilities[i]).index(max(probabilities[i])) for i in inside
            ]
            accuracy = np.mean(
                [labels[i] == r for i, r in zip(inside, right, strict=True)]
            )
            confidence = np.mean([max(probabilities[i]) for i in inside])
            rows.append((low, high, confidence, accuracy, len(inside)))
            error += len(inside) / len(labels) * abs(accuracy - confidence)
    return rows, error


@pytest.mark.parametrize("num_bins", [1, 10, 15])
def test_bins_and_error_are_those_computed_by_hand(num_bins):
    probabilities = rng().dirichlet([0.3] * 4, size=300)
    probabilities[:4] = np.eye(4)
    probabilities[4] = 0.25
    probabilities[5] = [0.5, 0.5, 0.0, 0.0]  # on the edge of two bins
    labels = rng(1).integers(0, 4, 300)
    rows, error = by_hand(probabilities, labels, num_bins)
    found = reliability(probabilities, labels, num_bins)
    np.testing.assert_allclose(np.stack(found, axis=1), rows, rtol=1e-12)
    ece = expected_calibration_error(probabilities, labels, num_bins)
    np.testing.assert_allclose(ece, error, rtol=1e-12)


def predictions(num, sharpness, seed=0):
    """Labels drawn from p, and what a predictor says that raises p to a power."""
    generator = rng(seed)
    true = generator.dirichlet([0.5] * 5, size=num)
    labels = np.argmax(true.cumsum(axis=1) > generator.random((num, 1)), axis=1)
    said = true**sharpness
    return said / said.sum(axis=1, keepdims=True), labels


def test_a_calibrated_predictor_has_no_error_and_a_boaster_has():
    """The gap of each bin is within its binomial error when labels follow the probabilities."""
    honest = predictions(40_000, 1.0)
    bins = reliability(*honest)
    error = np.sqrt(bins.confidence * (1 - bins.confidence) / bins.count)
    assert np.all(np.abs(bins.accuracy - bins.confidence) < 4 * error + 1e-3)
    assert expected_calibration_error(*honest) < 0.01
    boasting = reliability(*predictions(40_000, 3.0))
    crowded = boasting.count > 200
    assert np.all((boasting.accuracy < boasting.confidence)[crowded])
    assert expected_calibration_error(*predictions(40_000, 3.0)) > 0.1


def test_certainty_right_nine_times_in_ten_has_an_error_of_a_tenth():
    probabilities = np.tile([1.0, 0.0], (10, 1))
    labels = np.array([0] * 9 + [1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.1)
    found = reliability(probabilities, labels)
    assert found.count.tolist() == [10] and found.high.tolist() == [1.0]


def test_the_brier_score_is_the_squared_distance():
    probabilities = rng().dirichlet([1.0] * 3, size=50)
    labels = rng(1).integers(0, 3, 50)
    expected = np.mean(((probabilities - np.eye(3)[labels]) ** 2).sum(axis=1))
    np.testing.assert_allclose(brier_score(probabilities, labels), expected)
    assert brier_score(np.eye(3), np.arange(3)) == 0.0
    assert brier_score(np.eye(3), (np.arange(3) + 1) % 3) == 2.0
    assert brier_score(np.full((4, 2), 0.5), np.array([0, 1, 1, 0])) == 0.5


def test_the_brier_score_is_lowest_for_the_true_probabilities():
    """Prevents a score that rewards boasting."""
    scores = [brier_score(*predictions(20_000, power)) for power in (0.5, 1.0, 2.0)]
    assert scores[1] < min(scores[0], scores[2])


@pytest.mark.parametrize("num_ties", [0, 5])
def test_auroc_is_sklearns(num_ties):
    inside, outside = rng().normal(size=80), rng(1).normal(0.7, 2.0, size=50)
    if num_ties:
        inside, outside = np.round(inside), np.round(outside)
    expected = metrics.roc_auc_score(
        np.repeat([0, 1], [80, 50]), np.concatenate([inside, outside])
    )
    np.testing.assert_allclose(auroc(inside, outside), expected, rtol=1e-12)


def test_auroc_in_closed_form():
    """Two normals a distance d apart: Phi(d / sqrt 2)."""
    assert auroc(np.array([1, 2]), np.array([3, 4])) == 1.0
    assert auroc(np.array([3, 4]), np.array([1, 2])) == 0.0
    assert auroc(np.ones(2), np.ones(3)) == 0.5
    assert auroc(np.array([0, 2]), np.array([1, 2])) == (1 + 0 + 1 + 0.5) / 4
    inside, outside = rng().normal(size=4000), rng(1).normal(1.2, size=4000)
    error = auroc_standard_error(inside, outside)
    assert abs(auroc(inside, outside) - stats.norm.cdf(1.2 / np.sqrt(2))) < 3 * error


def test_the_error_of_auroc_is_its_spread_over_repetitions():
    found, stated = [], []
    for seed in range(300):
        inside, outside = rng(seed).normal(size=60), rng(1000 + seed).normal(1, size=30)
        found.append(auroc(inside, outside))
        stated.append(auroc_standard_error(inside, outside))
    np.testing.assert_allclose(np.mean(stated), np.std(found), rtol=0.15)


WRONG = {
    "samples of shape (99, 3, 2) for truth of shape (3, 1)": (
        coverage,
        np.zeros((99, 3, 2)),
        np.zeros((3, 1)),
    ),
    "39 or more": (coverage, np.zeros((38, 3, 2)), np.zeros((3, 2))),
    "2 or more": (coverage, np.zeros((99, 1, 2)), np.zeros((1, 2))),
    "samples: 1 of 594 values are not finite": (
        coverage,
        np.where(np.arange(594).reshape(99, 3, 2) == 100, np.nan, 0.0),
        np.zeros((3, 2)),
    ),
    "6 of 6 values are not finite": (
        coverage,
        np.zeros((99, 3, 2)),
        np.full((3, 2), np.nan),
    ),
    "row 1 is no distribution": (brier_score, [[0.5, 0.5], [0.9, 0.9]], [0, 1]),
    "row 0 is no distribution": (reliability, [[1.5, -0.5], [0.5, 0.5]], [0, 1]),
    "from 0 to 2; expected whole numbers 0 to 1": (reliability, np.eye(2), [0, 2]),
    "labels of type float64": (brier_score, np.eye(2), [0.0, 1.0]),
    "for labels of shape (3,)": (brier_score, np.eye(2), [0, 1, 1]),
    "scores_in: 0 of 0 values": (auroc, [], [1.0]),
    "scores_out: 1 of 1 values": (auroc, [1.0], [np.inf]),
    "fewer than 2": (auroc_standard_error, [1.0], [1.0, 2.0]),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_measured_is_named(words):
    """Prevents NaN, or a number that looks like a measurement."""
    measure, first, second = WRONG[words]
    with pytest.raises(UserError) as caught:
        measure(np.asarray(first), np.asarray(second))
    assert words in str(caught.value)


def test_levels_and_bins_must_be_possible():
    with pytest.raises(UserError, match="0 < level < 1"):
        coverage(*simulated(10, 99), levels=(0.5, 1.0))
    with pytest.raises(UserError, match="1 or more"):
        reliability(np.eye(2), np.arange(2), num_bins=0)

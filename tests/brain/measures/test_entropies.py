"""Entropy of the eigenspectrum and of a Gaussian: limits and closed forms."""

import numpy as np
import pytest
from brain_series import SCALES, block_correlation, exact_series, smooth_series
from scipy import stats

from pcmodel import UserError
from pcmodel.brain.measures import (
    correlations,
    eigenspectrum_entropy,
    gaussian_entropy,
)


def test_limits():
    assert eigenspectrum_entropy(np.eye(7)).value == pytest.approx(1.0, abs=1e-12)
    assert eigenspectrum_entropy(np.ones((7, 7))).value == pytest.approx(0, abs=1e-10)
    one = eigenspectrum_entropy(np.ones((1, 1)))
    assert np.isnan(one.value) and one.undefined == "there is one region"


@pytest.mark.parametrize("number", [2, 5, 40])
@pytest.mark.parametrize("r", [1e-8, 0.1, 0.5, 0.99])
def test_one_common_correlation(number, r):
    """Eigenvalues 1 + (n - 1) r once, and 1 - r n - 1 times."""
    matrix, _ = block_correlation([number], r, 0.0)
    shares = np.asarray([1 + (number - 1) * r, *[1 - r] * (number - 1)]) / number
    expected = stats.entropy(shares) / np.log(number)
    assert eigenspectrum_entropy(matrix).value == pytest.approx(expected, rel=1e-8)


def test_from_series_with_fewer_samples_than_regions():
    series = smooth_series(30, 10)
    singular = np.linalg.svd(
        (series - series.mean(1, keepdims=True)) / series.std(1, keepdims=True),
        compute_uv=False,
    )
    shares = singular[singular > 1e-8] ** 2
    expected = stats.entropy(shares / shares.sum()) / np.log(30)
    found = eigenspectrum_entropy(correlations(series)).value
    assert found == pytest.approx(expected, rel=1e-8) and found < np.log(9) / np.log(30)


@pytest.mark.parametrize("scale", SCALES)
def test_the_entropy_of_a_gaussian_is_scipys(scale):
    matrix, _ = block_correlation([2, 3], 0.5, 0.2)
    size = np.asarray([1.0, 2.0, 0.1, 3.0, 1.0]) * scale
    covariance = matrix * np.outer(size, size)
    unit = matrix * np.outer(size, size) / scale**2
    expected = stats.multivariate_normal(cov=unit).entropy() + 5 * np.log(scale)
    assert gaussian_entropy(covariance).value == pytest.approx(expected, rel=1e-10)
    lone = gaussian_entropy([scale**2]).value
    assert lone == pytest.approx(0.5 * np.log(2 * np.pi * np.e) + np.log(scale))


def test_independent_units_of_any_size_add():
    variances = np.asarray([1e-16, 1.0, 1e16], np.float64)
    parts = [gaussian_entropy([v]).value for v in variances]
    assert gaussian_entropy(variances).value == pytest.approx(sum(parts), rel=1e-12)
    assert gaussian_entropy(np.diag(variances)).value == pytest.approx(sum(parts))
    single = np.asarray([0.5, 2.0], np.float32)
    assert gaussian_entropy(single).value == pytest.approx(np.log(2 * np.pi * np.e))


def test_what_has_no_entropy():
    assert gaussian_entropy([1.0, 0.0]).undefined == "a variance is 0"
    assert gaussian_entropy(np.ones((2, 2))).undefined == "the covariance is singular"
    for wrong, said in (
        ([-1.0], "has the variance -1"),
        ([[1.0, 2.0], [2.0, 1.0]], "negative eigenvalue"),
        ([[1.0, 0.5], [0.1, 1.0]], "not symmetric"),
        (np.zeros((2, 3)), "shape"),
        ([np.nan], "NaN"),
    ):
        with pytest.raises(UserError, match=said):
            gaussian_entropy(wrong)


def test_the_entropy_of_a_belief():
    covariance = np.cov(exact_series(np.eye(3), 30), ddof=0)
    assert gaussian_entropy(covariance).value == pytest.approx(
        1.5 * np.log(2 * np.pi * np.e)
    )

"""Series: what is refused, and the regression of the global signal."""

import numpy as np
import pytest
from brain_series import SCALES, smooth_series

from pcmodel import UserError
from pcmodel.brain.measures import regress_global_signal
from pcmodel.brain.measures.series import (
    check_series,
    network_codes,
    standardised,
)


def by_least_squares(series):
    """Residuals of every region on a constant and the mean of all regions."""
    signal = series.mean(axis=0)
    design = np.column_stack([np.ones_like(signal), signal / np.abs(signal).max()])
    weights = np.linalg.lstsq(design, series.T, rcond=None)[0]
    return (series.T - design @ weights).T


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", SCALES)
def test_global_regression_is_least_squares(scale, dtype):
    series = (smooth_series(7, 60) * scale).astype(dtype)
    found = regress_global_signal(series)
    wide = series.astype(np.float64)
    assert found.undefined == ""
    np.testing.assert_allclose(found.global_signal, wide.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(
        found.series, by_least_squares(wide), rtol=1e-8, atol=1e-9 * scale
    )
    np.testing.assert_allclose(found.series.sum(axis=0), 0, atol=1e-11 * scale)


def test_a_large_offset_costs_no_digits():
    """Prevents centring by the mean alone: the mean of numbers near 1e6 has lost what the series tell."""
    series = np.round(smooth_series(4, 50) * 2**10) / 2**10
    near, far = standardised(series), standardised(series + 2.0**20)
    np.testing.assert_allclose(near, far, atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(far, axis=1), 1.0)


def test_residuals_that_say_nothing_are_not_given():
    wave = np.sin(np.arange(20.0))
    two = regress_global_signal(np.stack([wave, np.cos(np.arange(20.0))]))
    assert "mirror" in two.undefined and np.isnan(two.series).all()
    cancel = np.stack([wave, -wave, np.zeros(20)])
    cancel[2, 3] = 0.0
    with pytest.raises(UserError, match=r"region 2 is constant \(0\)"):
        regress_global_signal(cancel)
    other = np.cos(np.arange(20.0))
    cancel = np.stack([wave, -wave - other, other])
    assert regress_global_signal(cancel).undefined == "the regions' mean is constant"
    # The last is the mean of all three.
    multiple = np.stack([wave + other, wave - other, wave])
    assert "region 2 is a multiple" in regress_global_signal(multiple).undefined


@pytest.mark.parametrize(
    ("series", "said"),
    [
        (np.ones((2, 10)), r"a and 1 more is constant \(1\)"),
        (np.full((2, 10), 1e30), "is constant"),
        (np.zeros((2, 0)), r"has the shape \(2, 0\)"),
        (np.zeros(5), r"has the shape \(5,\)"),
        (np.arange(8.0).reshape(2, 4)[:, :3], "has 3 samples; expected 4 or more"),
        (np.full((2, 9), np.nan), "a is nan at time 0"),
        (np.ones((3, 10)), "has 3 regions and 2 names"),
        ([["x"] * 4] * 2, "values must be numbers"),
        (np.ones((2, 8)) * 1j, "complex"),
    ],
)
def test_bad_series_are_refused_in_a_sentence(series, said):
    with pytest.raises(UserError, match=said) as caught:
        check_series(series, regions=["a", "b"])
    assert "\n" not in str(caught.value)


def test_the_region_and_the_first_time_of_what_is_not_finite_are_named():
    series = smooth_series(3, 20)
    series[1, 7:9] = np.inf
    series[2, 4] = np.nan
    said = (
        r"series: Vis_2 is inf at time 7 \(counted from 0; 2 of 3 regions have such "
        r"values, the first at time 4\)"
    )
    with pytest.raises(UserError, match=said):
        check_series(series, regions=["Vis_1", "Vis_2", "Vis_3"])


def test_rounding_alone_is_no_signal():
    """Prevents correlations of the last digit of a constant region."""
    series = smooth_series(2, 30)
    series[0] = 1 / 3 + np.arange(30) % 3 * np.finfo(float).eps / 4
    with pytest.raises(UserError, match="region 0 is constant"):
        check_series(series)
    series[0] = 1000 + 0.001 * np.sin(np.arange(30))
    check_series(series)
    narrow = np.float32(1) + np.arange(30, dtype=np.float32) % 3 * np.float32(1e-7)
    with pytest.raises(UserError, match="region 0 is constant"):
        check_series(np.stack([narrow, series[1].astype(np.float32)]))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b", "a"], "the region 'a' stands twice, at 0 and 2"),
        (["a", "b"], "has 3 regions and 2 names"),
    ],
)
def test_names_are_one_a_region(names, said):
    with pytest.raises(UserError, match=said):
        check_series(smooth_series(3, 9), regions=names)


def test_networks_keep_the_order_of_their_first_regions():
    found = network_codes(["b", "a", "b", 3], 4)
    assert found.names == ("b", "a", "3")
    assert found.codes.tolist() == [0, 1, 0, 2]
    assert network_codes(found, 4).codes.tolist() == [0, 1, 0, 2]
    with pytest.raises(UserError, match="there are 2 labels for 3 regions"):
        network_codes(["a", "b"], 3)
    with pytest.raises(UserError, match="the label of region 1 is empty"):
        network_codes(["a", " "], 2)

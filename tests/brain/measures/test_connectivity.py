"""Correlations and their means within and between networks: closed forms and brute force."""

from itertools import combinations

import numpy as np
import pytest
from brain_series import SCALES, block_correlation, exact_series, smooth_series

from pcmodel import UserError
from pcmodel.brain.measures import correlations, mean_coupling, network_coupling
from pcmodel.brain.measures.series import labels_of


@pytest.mark.parametrize("scale", SCALES)
def test_block_covariance_gives_its_numbers_exactly(scale):
    matrix, labels = block_correlation([3, 4, 2], 0.5, 0.1)
    series = exact_series(matrix, 40) * scale
    found = correlations(series)
    np.testing.assert_allclose(found, matrix, atol=1e-12)
    coupling = network_coupling(found, labels)
    within, between = np.arctanh(0.5), np.arctanh(0.1)
    expected = np.where(np.eye(3, dtype=bool), within, between)
    np.testing.assert_allclose(coupling.by_network, expected, rtol=1e-8)
    assert coupling.names == ("net0", "net1", "net2") and coupling.undefined == {}
    assert coupling.within == pytest.approx(within, rel=1e-8)
    assert coupling.between == pytest.approx(between, rel=1e-8)
    assert coupling.difference == pytest.approx(within - between, rel=1e-8)
    assert coupling.segregation == pytest.approx((within - between) / within, rel=1e-8)
    pairs = 3 + 6 + 1, 12 + 6 + 8
    mean = (pairs[0] * within + pairs[1] * between) / sum(pairs)
    assert mean_coupling(found).fisher_z == pytest.approx(mean, rel=1e-8)
    plain = (pairs[0] * 0.5 + pairs[1] * 0.1) / sum(pairs)
    assert mean_coupling(found).correlation == pytest.approx(plain, rel=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_correlations_are_numpys(dtype):
    series = smooth_series(6, 30).astype(dtype)
    found = correlations(series)
    np.testing.assert_allclose(
        found, np.corrcoef(series.astype(np.float64)), atol=1e-12
    )
    assert found.dtype == np.float64 and np.array_equal(found, found.T)


@pytest.mark.parametrize("seed", range(5))
def test_means_over_pairs_are_those_of_a_loop(seed):
    rng = np.random.default_rng(seed)
    series = smooth_series(9, 25, seed=seed)
    labels = list(rng.permutation(list("aaabbbccd")))
    matrix = np.corrcoef(series)
    pairs = {}
    for i, j in combinations(range(9), 2):
        key = tuple(sorted((labels[i], labels[j])))
        pairs.setdefault(key, []).append(np.arctanh(matrix[i, j]))
    found = network_coupling(correlations(series), labels)
    for i, first in enumerate(found.names):
        for j, second in enumerate(found.names):
            expected = pairs.get(tuple(sorted((first, second))), [np.nan])
            assert found.by_network[i, j] == pytest.approx(
                np.mean(expected), rel=1e-8, nan_ok=True
            )
    inside = [z for (a, b), zs in pairs.items() for z in zs if a == b]
    across = [z for (a, b), zs in pairs.items() for z in zs if a != b]
    assert found.within == pytest.approx(np.mean(inside), rel=1e-8)
    assert found.between == pytest.approx(np.mean(across), rel=1e-8)
    means = [np.mean(zs) for (a, b), zs in pairs.items() if a == b]
    assert found.within_networks == pytest.approx(np.mean(means), rel=1e-8)
    assert found.undefined == {"by_network": "one region makes no pair within: d"}


def test_order_scale_and_sign():
    """Order and scale change nothing; a sign that all share neither, that of one network its couplings alone."""
    series, labels = smooth_series(8, 40), list("aabbccdd")
    order = np.random.default_rng(1).permutation(8)
    base = network_coupling(correlations(series), labels)
    moved = network_coupling(correlations(series[order]), [labels[i] for i in order])
    scaled = network_coupling(
        correlations(-series * np.logspace(-8, 8, 8)[:, None]), labels
    )
    for other in (moved, scaled):
        assert other.within == pytest.approx(base.within, rel=1e-10)
        assert other.between == pytest.approx(base.between, rel=1e-10)
    flipped = series * np.where(np.arange(8) < 2, -1.0, 1.0)[:, None]
    found = network_coupling(correlations(flipped), labels)
    np.testing.assert_allclose(found.by_network[0, 1:], -base.by_network[0, 1:])
    np.testing.assert_allclose(np.diag(found.by_network), np.diag(base.by_network))


@pytest.mark.parametrize(
    ("sizes", "within", "between", "field", "said"),
    [
        ([1, 1, 1], 0.3, 0.2, "within", "no network has two regions"),
        ([1, 1, 1], 0.3, 0.2, "segregation", "no network has two regions"),
        ([4], 0.3, 0.2, "between", "there is one network only"),
        ([4], 0.3, 0.2, "segregation", "there is one network only"),
        ([3, 3], -0.1, 0.2, "segregation", "within is not positive"),
        ([3, 3], 0.3, -0.1, "segregation", "between is negative"),
    ],
)
def test_what_is_undefined_is_nan_and_says_why(sizes, within, between, field, said):
    matrix, labels = block_correlation(sizes, within, between)
    found = network_coupling(matrix, labels)
    assert np.isnan(getattr(found, field)) and said in found.undefined[field]
    for name in ("within", "between", "difference", "segregation", "within_networks"):
        assert np.isnan(getattr(found, name)) == (name in found.undefined), name


def test_zero_between_is_segregation_of_one():
    matrix, labels = block_correlation([2, 2], 0.4, 0.0)
    assert network_coupling(matrix, labels).segregation == 1.0


def test_two_regions():
    found = correlations([[1, 2, 3, 5], [2, 1, 4, 4]])
    assert found[0, 1] == pytest.approx(np.corrcoef([1, 2, 3, 5], [2, 1, 4, 4])[0, 1])
    assert np.isnan(mean_coupling(np.ones((1, 1))).fisher_z)
    assert mean_coupling(np.ones((1, 1))).undefined == "there is one region"


@pytest.mark.parametrize("factor", [1.0, -2.0, 1e8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_region_that_stands_twice_is_refused(factor, dtype):
    """Prevents an infinite Fisher z, and a number that one region's copy has raised."""
    series = smooth_series(4, 30).astype(dtype)
    series[3] = series[1] * dtype(factor)
    with pytest.raises(UserError, match="V1 and V3 are one series up to scale"):
        correlations(series, regions=["V0", "V1", "V2", "V3"])


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.ones((2, 2)), "is 1 between regions 0 and 1"),
        (np.eye(2)[:1], r"has the shape \(1, 2\)"),
        (2 * np.eye(2), "holds 2; expected 1 on the diagonal"),
        (np.array([[1.0, 3.0], [3.0, 1.0]]), "holds 3"),
        (np.array([[1.0, 0.3], [0.1, 1.0]]), "is not symmetric"),
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), "NaN"),
        (np.zeros((0, 0)), "shape"),
    ],
)
def test_what_is_no_correlation_matrix_is_refused(matrix, said):
    with pytest.raises(UserError, match=said):
        network_coupling(matrix, ["a"] * len(matrix))


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        ("aab", "a list of one label a region"),
        (["a", "a", len], "the label of region 2"),
        (["a", True, "b"], "the label of region 1"),
        (["a", 1.5, "b"], "the label of region 1"),
        (["a", float("nan"), "b"], "region 1 is empty"),
    ],
)
def test_labels_are_text_or_whole_numbers(networks, said):
    with pytest.raises(UserError, match=said):
        network_coupling(np.eye(3), networks)


def test_numbers_may_be_labels():
    matrix = np.array([[1.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 1.0]])
    named = network_coupling(matrix, ["1", "1", "2"])
    for networks in ([1, 1, 2], list(np.array([1, 1, 2])), ("1 ", "1", 2)):
        found = network_coupling(matrix, networks)
        assert found.between == named.between


@pytest.mark.parametrize("given", [2.5, {"a": 1}, {1, 2}, b"ab", "ab", None, print])
def test_what_is_no_list_of_labels_is_refused(given):
    with pytest.raises(UserError, match="a list of one label a region"):
        labels_of(given, where="networks")


def test_arrays_of_labels_are_lists():
    assert labels_of(np.array([1, 2]), where="networks") == ["1", "2"]
    assert labels_of(np.array(["a ", "b"]), where="networks") == ["a", "b"]

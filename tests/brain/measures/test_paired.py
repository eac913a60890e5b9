"""Paired statistics: scipy, closed forms, coverage."""

import jax
import numpy as np
import pytest
from scipy import stats

from pcmodel import UserError
from pcmodel.brain.measures import paired_statistics

KEY = jax.random.key(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_it_is_the_paired_t_test(scale, dtype):
    rng = np.random.default_rng(0)
    a = (rng.standard_normal(9) * scale).astype(dtype)
    b = (rng.standard_normal(9) * scale + 0.5 * scale).astype(dtype)
    found = paired_statistics(a, b, key=KEY, num_bootstraps=200)
    wide = b.astype(float), a.astype(float)
    expected = stats.ttest_rel(*wide)
    assert found.t == pytest.approx(expected.statistic, rel=1e-8)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-8)
    change = wide[0] - wide[1]
    assert found.dz == pytest.approx(change.mean() / change.std(ddof=1), rel=1e-8)
    assert found.difference == pytest.approx(change.mean(), rel=1e-8)
    assert (found.people, found.dropped, found.undefined) == (9, 0, "")
    back = paired_statistics(b, a, key=KEY, num_bootstraps=200)
    assert back.dz == pytest.approx(-found.dz) and back.low == pytest.approx(
        -found.high, abs=0.2 * scale
    )


def test_the_interval_is_the_percentile_bootstrap():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 15))
    found = paired_statistics(a, b, key=KEY, num_bootstraps=20_000, level=0.9)
    theirs = stats.bootstrap(
        (b - a,),
        np.mean,
        confidence_level=0.9,
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.02)
    again = paired_statistics(a, b, key=KEY, num_bootstraps=20_000, level=0.9)
    assert again == found


def test_the_interval_covers():
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(300):
        change = rng.standard_normal(25) + 0.3
        found = paired_statistics(
            np.zeros(25), change, key=jax.random.key(seed), num_bootstraps=500
        )
        hits += found.low < 0.3 < found.high
    assert 0.89 < hits / 300 < 0.98


def test_people_without_a_value_are_left_out_and_counted():
    a, b = [1.0, 2.0, np.nan, 4.0], [1.5, np.nan, 3.0, 5.0]
    found = paired_statistics(a, b, key=KEY)
    assert (found.people, found.dropped) == (2, 2)
    assert (found.mean_a, found.mean_b) == (2.5, 3.25)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([], [], "0 people have it"),
        ([1.0], [2.0], "1 people have it"),
        ([np.nan] * 3, [1.0] * 3, "0 people have it"),
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], "everybody's difference is the same"),
        ([1e8, 2e8], [1e8, 2e8], "everybody's difference is the same"),
        ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6], "everybody's difference is the same"),
    ],
)
def test_what_is_undefined_is_nan_and_says_why(a, b, said):
    found = paired_statistics(a, b, key=KEY, num_bootstraps=50)
    assert said in found.undefined
    assert np.isnan([found.dz, found.t, found.p]).all()


def test_what_is_wrong_is_refused():
    for a, b, said in (
        ([1.0, 2.0], [1.0], "a: has 2 people, b 1"),
        ([[1.0]], [[1.0]], "shape"),
        ([np.inf, 1.0], [1.0, 2.0], "infinite"),
    ):
        with pytest.raises(UserError, match=said):
            paired_statistics(a, b, key=KEY)
    with pytest.raises(UserError, match="level"):
        paired_statistics([1.0, 2.0], [2.0, 4.0], key=KEY, level=1.0)

"""All measures of one person: each is its own function's, at every scale, in every order."""

import jax
import numpy as np
import pytest
from brain_series import block_correlation, exact_series, smooth_series

import pcmodel.brain.measures as measures
from pcmodel import UserError
from pcmodel.brain.measures import MeasureOptions, measure_person
from pcmodel.brain.measures.person import MEASURES, NETWORK_MEASURES

KEY = jax.random.key(0)
FEW = MeasureOptions(num_surrogates=2, num_starts=2)
LABELS = [*["a"] * 4, *["b"] * 5, *["c"] * 3]


@pytest.fixture(scope="module")
def series():
    """Twelve regions whose networks share some of their noise."""
    rng = np.random.default_rng(0)
    own = np.stack([rng.standard_normal(60) for _ in "abc"])
    return smooth_series(12, 60) + own[[ord(label) - 97 for label in LABELS]] * 1.5


@pytest.fixture(scope="module")
def found(series):
    return measure_person(series, LABELS, key=KEY, options=FEW)


def test_each_measure_is_its_own_functions(series, found):
    residual = measures.regress_global_signal(series).series
    for one, values in ((found.plain, series), (found.without_global, residual)):
        matrix = measures.correlations(values)
        np.testing.assert_allclose(one.correlation, matrix, atol=1e-12)
        coupling = measures.network_coupling(matrix, LABELS)
        assert one.within == pytest.approx(coupling.within)
        assert one.between == pytest.approx(coupling.between)
        assert one.within_minus_between == pytest.approx(coupling.difference)
        assert one.segregation == pytest.approx(coupling.segregation, nan_ok=True)
        np.testing.assert_allclose(one.by_network, coupling.by_network)
        mean = measures.mean_coupling(matrix)
        assert one.mean_correlation == pytest.approx(mean.correlation)
        assert one.mean_fisher_z == pytest.approx(mean.fisher_z)
        entropy = measures.eigenspectrum_entropy(matrix)
        assert one.eigenspectrum_entropy == pytest.approx(entropy.value)
        spread = measures.participation(matrix, LABELS)
        assert one.participation == pytest.approx(spread.mean)
        given = measures.modularity_of(matrix, LABELS)
        assert one.network_modularity == pytest.approx(given.value)
        assert one.modularity >= one.network_modularity - 1e-12
        transfer = measures.transfer_entropy
        z = (values - values.mean(1, keepdims=True)) / values.std(1, keepdims=True)
        a, b = (z[[label == name for label in LABELS]].mean(0) for name in "ab")
        assert one.transfer_entropy[0, 1] == pytest.approx(transfer(a, b).corrected)
        signal = series.mean(axis=0).std(ddof=1)
        assert one.global_signal_sd == pytest.approx(signal)
    assert "between is negative" in found.without_global.undefined["segregation"]


def test_every_nan_has_its_reason(found, series):
    blind = measure_person(series, key=KEY, options=FEW)
    alone = measure_person(series, range(12), key=KEY, options=FEW)
    single = measure_person(series, ["x"] * 12, key=KEY, options=FEW)
    two = measure_person(series[:2], ["x", "y"], key=KEY, options=FEW)
    for person in (found, blind, alone, single, two):
        for one in person:
            for name in MEASURES:
                value = getattr(one, name)
                assert np.isfinite(value) or one.undefined[name], name
                assert np.isnan(value) == (name in one.undefined), name
    assert set(NETWORK_MEASURES) <= blind.plain.undefined.keys()
    assert blind.plain.by_network.shape == (0, 0)
    assert alone.plain.undefined["within"] == "no network has two regions"
    assert single.plain.undefined["between"] == "there is one network only"
    assert "mirror" in two.without_global.undefined["within"]
    assert np.isnan(two.without_global.correlation).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-8, 2.0**-10, 1e8])
def test_scale_changes_nothing_but_the_global_signal(series, found, scale, dtype):
    other = measure_person((series * scale).astype(dtype), LABELS, key=KEY, options=FEW)
    close = 1e-10 if dtype == np.float64 else 1e-4
    for one, two in zip(found, other, strict=True):
        for name in MEASURES:
            if "lempel_ziv" in name or name == "global_signal_sd":
                continue
            assert getattr(two, name) == pytest.approx(
                getattr(one, name), rel=close, nan_ok=True
            ), name
        assert two.lempel_ziv == pytest.approx(one.lempel_ziv, rel=1e-3)
        assert two.global_signal_sd == pytest.approx(
            scale * one.global_signal_sd, rel=1e-5
        )


def test_order_changes_nothing(series, found):
    order = np.random.default_rng(1).permutation(12)
    labels = [LABELS[place] for place in order]
    moved = measure_person(series[order], labels, key=KEY, options=FEW)
    for one, two in zip(found, moved, strict=True):
        for name in MEASURES:
            loose = 0.1 if "lempel_ziv_" in name else 1e-9  # other surrogates
            assert getattr(two, name) == pytest.approx(
                getattr(one, name), rel=loose, nan_ok=True
            ), name


def test_planted_values_are_recovered():
    matrix, labels = block_correlation([4, 4, 4], 0.5, 0.1)
    one = measure_person(exact_series(matrix, 200), labels, key=KEY, options=FEW).plain
    within, between = np.arctanh(0.5), np.arctanh(0.1)
    assert one.within == pytest.approx(within, rel=1e-8)
    assert one.segregation == pytest.approx(1 - between / within, rel=1e-8)
    assert one.modularity == pytest.approx(one.network_modularity, rel=1e-8)


def test_a_huge_and_a_short_recording():
    """More regions than samples, and the fewest samples."""
    rng = np.random.default_rng(0)
    one = measure_person(rng.standard_normal((150, 8)), key=KEY, options=FEW).plain
    assert one.eigenspectrum_entropy < np.log(7) / np.log(150) + 1e-12
    assert np.isfinite(one.lempel_ziv)
    with pytest.raises(UserError, match="has 7 samples; expected 8 or more"):
        measure_person(rng.standard_normal((5, 7)), key=KEY)


def test_many_lags_are_told_not_computed(series):
    options = MeasureOptions(num_surrogates=1, lags=30)
    one = measure_person(series, LABELS, key=KEY, options=options).plain
    assert np.isnan(one.transfer_entropy).all()
    assert "have 60 samples; expected 93" in one.undefined["transfer_entropy"]
    for wrong in (0, -1, 1.5):
        with pytest.raises(UserError, match="lags: cannot be"):
            MeasureOptions(lags=wrong)


def test_twins_that_only_the_global_signal_parts_are_told():
    rng = np.random.default_rng(0)
    signal, other, third = rng.standard_normal((3, 40))
    series = np.stack([signal + other, signal - other, signal + 0.0 * third])
    series = np.vstack([series, 3 * signal + other])
    person = measure_person(series, key=KEY, options=FEW)
    reason = person.without_global.undefined["mean_correlation"]
    assert reason.startswith("the global signal cannot be regressed out")
    assert np.isnan(person.without_global.modularity)

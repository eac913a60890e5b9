"""Lempel-Ziv complexity: known strings, the definition, surrogates."""

import jax
import numpy as np
import pytest
from brain_series import SCALES, smooth_series

from pcmodel import UserError
from pcmodel.brain.measures import lempel_ziv, lempel_ziv_count
from pcmodel.brain.measures.complexity import randomise_phases

KEY = jax.random.key(0)


def by_definition(text):
    """Lempel & Ziv 1976: a phrase grows while it can be copied from the history without its last symbol."""
    phrases, start = 0, 0
    while start < len(text):
        end = start + 1
        while end <= len(text) and text[start:end] in text[: end - 1]:
            end += 1
        phrases, start = phrases + 1, end
    return phrases


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 1),
        ("00", 2),  # 0.0
        ("01", 2),
        ("0" * 100, 2),  # 0.0...
        ("01" * 50, 3),  # 0.1.01...
        ("0001101001000101", 6),  # 0.001.10.100.1000.101 (Kaspar & Schuster 1987)
        ("abcabcabc", 4),
        ("1001111011000010", 6),  # 1.0.01.1110.1100.0010
    ],
)
def test_known_strings(text, count):
    assert lempel_ziv_count(text) == by_definition(text) == count


@pytest.mark.parametrize("symbols", [1, 2, 3, 256])
@pytest.mark.parametrize("length", [1, 2, 7, 63, 300])
def test_counts_are_those_of_the_definition(symbols, length):
    rng = np.random.default_rng(length * 1000 + symbols)
    for _ in range(10):
        codes = rng.integers(symbols, size=length)
        text = "".join(chr(40 + code) for code in codes)
        assert lempel_ziv_count(codes) == by_definition(text)
        assert lempel_ziv_count(text) == by_definition(text)
        assert lempel_ziv_count(codes.astype(np.uint8).tobytes()) == by_definition(text)


@pytest.mark.parametrize(
    ("symbols", "said"),
    [
        ([], "expected one sequence"),
        ([[0, 1]], "expected one sequence"),
        (np.arange(300), "300 different symbols"),
        ([0.0, np.nan], "NaN"),
        (np.ma.array([0, 1, 1], mask=[0, 0, 1]), "masked"),
        (np.array([0, np.nan, 1], object), "of one kind"),
        ([1 + 1j, 2.0], "of one kind"),
        ([[0.0], [1.0, 2.0]], "expected one sequence"),
    ],
)
def test_what_is_no_sequence_is_refused(symbols, said):
    with pytest.raises(UserError, match=said):
        lempel_ziv_count(symbols)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", SCALES)
def test_the_count_is_that_of_the_series_above_its_median(scale, dtype):
    series = (smooth_series(3, 101) * scale).astype(dtype)
    found = lempel_ziv(series, key=KEY, num_surrogates=2)
    for row, count, share in zip(series, found.count, found.normalised, strict=True):
        text = "".join("1" if value > np.median(row) else "0" for value in row)
        assert count == by_definition(text)
        assert share == pytest.approx(count * np.log2(101) / 101)
    mean = lempel_ziv(series, key=KEY, num_surrogates=2, threshold="mean")
    row = series[0].astype(float)
    text = "".join("1" if value > row.mean() else "0" for value in row)
    assert mean.count[0] == by_definition(text)


def test_sign_changes_nothing():
    series = smooth_series(4, 200)
    up, down = (lempel_ziv(sign * series, key=KEY) for sign in (1, -1))
    assert np.array_equal(up.count, down.count)


def test_white_noise_is_as_complex_as_its_surrogates_and_a_rhythm_less():
    rng = np.random.default_rng(0)
    white = lempel_ziv(rng.standard_normal((20, 400)), key=KEY)
    assert white.over_shuffled.mean() == pytest.approx(1.0, abs=0.02)
    assert white.over_phase.mean() == pytest.approx(1.0, abs=0.02)
    slow = lempel_ziv(smooth_series(20, 400), key=KEY)
    assert slow.over_shuffled.mean() < 0.95
    assert slow.over_phase.mean() == pytest.approx(1.0, abs=0.03)
    wave = lempel_ziv(np.sin(np.arange(400) / 5)[None], key=KEY)
    assert wave.over_shuffled[0] < 0.4


@pytest.mark.parametrize("times", [8, 9, 100])
def test_random_phases_keep_the_spectrum(times):
    rows = smooth_series(3, times)
    drawn = randomise_phases(rows, np.random.default_rng(0))
    before, after = (np.abs(np.fft.rfft(x, axis=1)) for x in (rows, drawn))
    np.testing.assert_allclose(before, after, atol=1e-10)
    assert np.abs(drawn - rows).max() > 0.1


def test_too_few_samples_and_equal_keys():
    with pytest.raises(UserError, match="has 7 samples; expected 8 or more"):
        lempel_ziv(smooth_series(2, 7), key=KEY)
    once, again = (lempel_ziv(smooth_series(2, 50), key=KEY) for _ in range(2))
    assert np.array_equal(once.over_phase, again.over_phase)

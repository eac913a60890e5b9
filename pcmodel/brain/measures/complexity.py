"""Lempel-Ziv complexity of binarised series, relative to surrogates."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.brain.measures.random_numbers import generator
from pcmodel.brain.measures.series import check_series, standardised
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, short
from pcmodel.inputs.ranges import Count

Threshold = Literal["median", "mean"]
MOST_SHARED = 20
"""Regions that share shuffled sequences draw at most so many times the number of one."""


class LempelZiv(NamedTuple):
    """Complexity of each region's series, (regions,).

    count: number of phrases of the exhaustive history.
    normalised: count log2(times) / times; about 1 for a long fair coin, more for a short one.
    over_shuffled: count over the mean count of the binary sequence in random order; 1 without order in time.
    over_phase: count over the mean count of series of the same spectrum with random phases; 1 for a
        stationary Gaussian process.
    """

    count: Float[np.ndarray, " regions"]
    normalised: Float[np.ndarray, " regions"]
    over_shuffled: Float[np.ndarray, " regions"]
    over_phase: Float[np.ndarray, " regions"]


def lempel_ziv_count(symbols: Sequence[Any] | np.ndarray | bytes | str) -> int:
    """The number of phrases of a sequence (Lempel & Ziv 1976; Kaspar & Schuster 1987).

    Each phrase is the shortest that has not occurred before, where the earlier occurrence may overlap it by all but
    its last symbol; the last phrase may be one that has occurred.  symbols: at most 256 different ones.

    Raises UserError for what is no such sequence, for missing symbols, and for symbols of several kinds.

    >>> lempel_ziv_count("0001101001000101")
    6
    """
    return _count(_as_bytes(symbols))


def _as_bytes(symbols: Any) -> bytes:
    listed = list(symbols) if isinstance(symbols, str) else symbols
    values = np.frombuffer(listed, np.uint8) if isinstance(listed, bytes) else listed
    if np.ma.is_masked(values):
        raise UserError("holds masked values", where="symbols", expected="symbols")
    try:
        values = np.asarray(values)
    except (ValueError, TypeError, RuntimeError):
        raise UserError(
            f"is {short(symbols)}",
            where="symbols",
            expected="one sequence with a symbol or more",
        ) from None
    if values.ndim != 1 or not values.size:
        raise UserError(
            f"has the shape {values.shape}",
            where="symbols",
            expected="one sequence with a symbol or more",
        )
    if values.dtype.kind not in "biufSU":
        raise UserError(
            f"holds {short(values)}",
            where="symbols",
            expected="numbers, or letters, of one kind",
        )
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise UserError("holds NaN", where="symbols", expected="symbols")
    kinds, codes = np.unique(values, return_inverse=True)
    if len(kinds) > 256:
        raise UserError(
            f"has {len(kinds)} different symbols",
            where="symbols",
            expected="at most 256: binarise the series first",
        )
    return codes.astype(np.uint8).tobytes()


def _count(text: bytes) -> int:
    """The number of phrases, with all earlier occurrences of a growing phrase as the bits of one whole number.

    Bit e of `ends` says that the phrase so far stands before place e as well; one AND with the places of the next
    symbol extends all of these together, 64 at a time.
    """
    number, start, phrases = len(text), 0, 0
    places = _places(text)
    while start < number:
        ends, at = (1 << start) - 1, start
        while at < number:
            ends = (ends & places[text[at]]) << 1
            at += 1
            if not ends:
                break
        phrases, start = phrases + 1, at
    return phrases


def _places(text: bytes) -> dict[int, int]:
    """Of each symbol, a whole number with the bits set at which it stands."""
    codes = np.frombuffer(text, np.uint8)
    return {
        int(symbol): int.from_bytes(
            np.packbits(codes == symbol, bitorder="little").tobytes(), "little"
        )
        for symbol in np.unique(codes)
    }


@checked_arguments
def lempel_ziv(
    series: Any,
    *,
    key: Array,
    num_surrogates: Count = 5,
    threshold: Threshold = "median",
) -> LempelZiv:
    """Complexity of each region, binarised at its own median (or mean): 1 above, else 0.

    series: (regions, times).
    key: of the surrogates.
    num_surrogates: of each kind and region.
    """
    values = check_series(series, least_times=8)
    rng = generator(key)
    rows = standardised(values)
    binary = _binarised(rows, threshold)
    times = rows.shape[1]
    count = np.asarray([_count(row.tobytes()) for row in binary], float)
    shuffled = _shuffled_counts(binary, num_surrogates, rng)
    phase = np.zeros(len(rows))
    for _ in range(num_surrogates):
        drawn = _binarised(randomise_phases(rows, rng), threshold)
        phase += [_count(row.tobytes()) for row in drawn]
    return LempelZiv(
        count,
        count * np.log2(times) / times,
        count / shuffled,
        count / (phase / num_surrogates),
    )


def _binarised(rows: np.ndarray, threshold: str) -> np.ndarray:
    middle = np.median(rows, axis=1) if threshold == "median" else rows.mean(axis=1)
    return (rows > middle[:, None]).astype(np.uint8)


def _shuffled_counts(
    binary: np.ndarray, number: int, rng: np.random.Generator
) -> np.ndarray:
    """Mean count of shuffled sequences, which depends on the number of ones alone: regions with as many share it.

    They share more of them, too, so that their mean over regions is no less exact for it.
    """
    ones = binary.sum(axis=1, dtype=int)
    means = {}
    for amount, regions in zip(*np.unique(ones, return_counts=True), strict=True):
        ordered = np.arange(binary.shape[1]) < amount
        size = number * min(int(regions), MOST_SHARED)
        counts = [_count(rng.permutation(ordered).tobytes()) for _ in range(size)]
        means[int(amount)] = np.mean(counts)
    return np.asarray([means[int(amount)] for amount in ones])


def randomise_phases(
    rows: Float[np.ndarray, "regions times"], rng: np.random.Generator
) -> Float[np.ndarray, "regions times"]:
    """Series of the same amplitudes in every frequency, with phases of their own (Theiler et al. 1992)."""
    times = rows.shape[1]
    waves = np.fft.rfft(rows, axis=1)
    turned = np.exp(2j * np.pi * rng.random(waves.shape))
    turned[:, 0] = 1.0
    if times % 2 == 0:  # the highest frequency is real
        turned[:, -1] = np.where(rng.random(len(rows)) < 0.5, 1.0, -1.0)
    return np.fft.irfft(waves * turned, times, axis=1)

"""A person's series, regions by time: what is refused, standardising, and the global signal."""

from collections.abc import Hashable, Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short
from pcmodel.inputs.arrays import read_numbers

FEWEST_TIMES = 4
"""Of a correlation: with two samples it is 1 or -1, with three Fisher's z has no variance."""
ROUNDING = 8.0
"""A series whose range is at most so many units of its last digit is constant."""


class GlobalRegression(NamedTuple):
    """A series without its global signal.

    series: residuals, (regions, times), unit of the series; NaN where undefined.
    global_signal: mean over regions, (times,), unit of the series.
    undefined: why there are no residuals; "" where there are.
    """

    series: Float[np.ndarray, "regions times"]
    global_signal: Float[np.ndarray, " times"]
    undefined: str = ""


class Networks(NamedTuple):
    """To which network each region belongs.

    names: of the networks, in the order of their first regions.
    codes: place in `names` of each region's network, (regions,).
    """

    names: tuple[str, ...]
    codes: Int[np.ndarray, " regions"]


def check_series(
    series: Any,
    *,
    regions: Sequence[str] | None = None,
    where: str = "series",
    least_times: int = FEWEST_TIMES,
) -> Float[np.ndarray, "regions times"]:
    """The series in float64, (regions, times).

    regions: names for messages; "region 0", "region 1", ... if None.
    where: the series' own name for messages.
    least_times: fewest samples that the measure needs.
    Raises UserError for another number of axes, NaN or infinity (with region and first time), too few
    samples, and a region that is constant.
    """
    given = np.asarray(read_numbers(series, where=where, finite=False))
    if given.ndim != 2 or 0 in given.shape:
        raise UserError(
            f"has the shape {given.shape}", where=where, expected="regions by times"
        )
    names = region_names(regions, given.shape[0], where=where)
    wrong = ~np.isfinite(given)
    if wrong.any():
        region, time = (int(place) for place in np.argwhere(wrong)[0])
        first = int(np.flatnonzero(wrong.any(axis=0))[0])
        count = f"{int(wrong.any(axis=1).sum())} of {len(names)} regions"
        raise UserError(
            f"{names[region]} is {given[region, time]} at time {time} (counted from 0; {count} "
            f"have such values, the first at time {first})",
            where=where,
            expected="finite numbers",
        )
    if given.shape[1] < least_times:
        raise UserError(
            f"has {given.shape[1]} samples",
            where=where,
            expected=f"{least_times} or more (rows are regions, columns are times)",
        )
    values = given.astype(np.float64)
    digits = given.dtype if np.issubdtype(given.dtype, np.floating) else np.float64
    _check_varies(values, names, float(np.finfo(digits).eps), where)
    return values


def region_names(
    regions: Sequence[str] | None, number: int, *, where: str
) -> tuple[str, ...]:
    """One name a region; UserError for another number of names, and for a name that stands twice."""
    if regions is None:
        return tuple(f"region {place}" for place in range(number))
    names = tuple(labels_of(regions, where="regions"))
    if len(names) != number:
        raise UserError(
            f"has {number} regions and {len(names)} names of regions",
            where=where,
            expected="one name a region",
        )
    check_unique(names, where=where)
    return names


def check_unique(names: Sequence[str], *, where: str) -> None:
    """UserError for a region that is named twice."""
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in seen:
            raise UserError(
                f"the region {name!r} stands twice, at {seen[name]} and {place} (counted from 0)",
                where=where,
                expected="each region once",
            )
        seen[name] = place


def _check_varies(
    values: np.ndarray, names: Sequence[str], precision: float, where: str
) -> None:
    span = np.abs(values / 2 - values[:, :1] / 2).max(axis=1)  # halves do not overflow
    still = span <= ROUNDING / 2 * precision * np.abs(values).max(axis=1)
    if still.any():
        region = int(np.argmax(still))
        more = f" and {int(still.sum()) - 1} more" if still.sum() > 1 else ""
        raise UserError(
            f"{names[region]}{more} is constant ({values[region, 0]:g})",
            where=where,
            expected="a series that varies: leave such regions out",
        )


def network_codes(networks: Sequence[Hashable] | Networks, number: int) -> Networks:
    """The networks of `number` regions, from one label a region.

    Raises UserError for another number of labels, and for an empty one.
    """
    if isinstance(networks, Networks):
        labels: list[str] = [networks.names[code] for code in networks.codes]
    else:
        labels = labels_of(networks, where="networks")
    if len(labels) != number:
        raise UserError(
            f"there are {len(labels)} labels for {number} regions",
            where="networks",
            expected="one label a region",
        )
    empty = [place for place, label in enumerate(labels) if not label]
    if empty:
        raise UserError(
            f"the label of region {empty[0]} is empty",
            where="networks",
            expected="the name of a network",
        )
    names = tuple(dict.fromkeys(labels))
    places = {name: place for place, name in enumerate(names)}
    return Networks(names, np.asarray([places[label] for label in labels]))


def labels_of(given: Any, *, where: str) -> list[str]:
    """Labels as text without spaces around; "" for None and NaN, as a table's empty cell is.

    UserError for what is no sequence of them, and for a label that is neither text nor a whole number.
    """
    if isinstance(given, np.ndarray) and given.ndim == 1:
        given = given.tolist()
    try:
        several = None if isinstance(given, str | bytes | Mapping | Set) else [*given]
    except TypeError:
        several = None
    if several is None:
        raise UserError(
            f"is {short(given)}", where=where, expected="a list of one label a region"
        )
    return [_label(one, place, where) for place, one in enumerate(several)]


def _label(one: Any, place: int, where: str) -> str:
    if one is None or (isinstance(one, float | np.floating) and one != one):
        return ""
    is_whole = isinstance(one, int | np.integer) and not isinstance(one, bool)
    is_round = isinstance(one, float | np.floating) and float(one).is_integer()
    if not (isinstance(one, str) or is_whole or is_round):
        raise UserError(
            f"the label of region {place} is {short(one)}",
            where=where,
            expected="text or a whole number",
        )
    return str(one).strip()


def centred(series: np.ndarray) -> np.ndarray:
    """The series without its mean over time, the last axis, at any scale.

    The first sample is subtracted before the mean, so that a large offset costs no digits.
    """
    shifted = series - series[..., :1]
    return shifted - shifted.mean(axis=-1, keepdims=True)


def standardised(series: np.ndarray) -> np.ndarray:
    """The series of mean 0 and length (root sum of squares over time, the last axis) 1; 0 if constant."""
    shifted = centred(series / _span(series))
    shifted = shifted / _span(shifted)
    return shifted / _or_one(np.linalg.norm(shifted, axis=-1, keepdims=True))


def _span(series: np.ndarray) -> np.ndarray:
    return _or_one(np.abs(series).max(axis=-1, keepdims=True))


def _or_one(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, 1.0)


def regress_global_signal(series: Any) -> GlobalRegression:
    """The residuals of each region's regression on the global signal and a constant.

    The global signal is the mean over regions of the series as they are given. Residuals sum to 0 over
    regions, so correlations after it are negative on average (Murphy et al. 2009, NeuroImage 44:893).
    """
    values = check_series(series, least_times=FEWEST_TIMES)
    scale = np.abs(values).max()
    shifted = centred(values / scale)
    signal = values.mean(axis=0) if scale < 1e300 else (values / scale).mean(0) * scale
    size = shifted.mean(axis=0)
    nothing = np.full_like(values, np.nan)
    if np.linalg.norm(size) <= 1e-12 * np.linalg.norm(shifted, axis=1).max():
        return GlobalRegression(nothing, signal, "the regions' mean is constant")
    if len(values) < 3:
        why = f"the residuals of {len(values)} regions mirror each other"
        return GlobalRegression(nothing, signal, why)
    unit = size / np.linalg.norm(size)
    left = shifted - (shifted @ unit)[:, None] * unit
    left = left - (left @ unit)[:, None] * unit  # once more for the last digits
    gone = np.linalg.norm(left, axis=1) <= 1e-10 * np.linalg.norm(shifted, axis=1)
    if gone.any():
        why = f"region {int(np.argmax(gone))} is a multiple of the global signal"
        return GlobalRegression(nothing, signal, why)
    return GlobalRegression(left * scale, signal)

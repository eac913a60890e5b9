"""Reaction times in seconds, whatever the table's unit."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.naming import plain, words
from pcmodel.behaviour.dataset.reading import Reading
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.violations import Violations

NAMES = {
    "us": {
        "us",
        "usec",
        "usecs",
        "\u00b5s",
        "\u03bcs",
        "microsec",
        "microsecond",
        "microseconds",
    },
    "ms": {"ms", "msec", "msecs", "millis", "millisec", "millisecond", "milliseconds"},
    "s": {"s", "sec", "secs", "second", "seconds"},
}
SCALE = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
# Medians: of a decision in s, of any in ms, and of any in us.
LONGEST, SHORTEST_MS, SHORTEST_US = 20.0, 100.0, 1e5


def in_seconds(
    raw: RawTable,
    place: str,
    times: Float[np.ndarray, " rows"],
    who: Sequence[str],
    reading: Reading,
    problems: Violations,
) -> tuple[Float[np.ndarray, " rows"], str]:
    """The times in seconds, and what was taken for their unit and why.

    The unit is the one named in `reading`, the side-car's or that in the column's name;
    else it is told by each person's median, which must agree over people.
    """
    given, why = _given(raw, place, reading)
    if given is not None and given not in SCALE:
        problems.add(
            f"is in {given!r}, {why}; expected s or ms (--units reaction_time=ms), or us",
            **_head(raw, place),
        )
        return times, ""
    medians = {
        label: (i, float(np.median(times[rows])))
        for label, (i, rows) in _by_person(who, times).items()
    }
    kinds = {label: _kind(median) for label, (_, median) in medians.items()}
    if given is not None:
        for label, kind in kinds.items():
            i, median = medians[label]
            if why != "as --units says" and kind not in (given, "?"):
                problems.add(
                    f"has a median of {median:g} {given} in one person ({why}), which "
                    f"looks like {kind}; say the unit (--units reaction_time=s or ms)",
                    **raw.at(i, place),
                )
        return times * SCALE[given], f"{place}: {given}, {why}"
    if len(set(kinds.values())) > 1 or {"?", "us"} & set(kinds.values()):
        common = max(set(kinds.values()), key=list(kinds.values()).count)
        odd = next((k for k in kinds if kinds[k] != common), next(iter(kinds)))
        i, median = medians[odd]
        problems.add(
            "may be in seconds, milliseconds or microseconds (the median of the person "
            f"here is {median:g}); bring all to one unit and say it (--units "
            "reaction_time=s or ms or us)",
            **raw.at(i, place),
        )
        return times, ""
    unit = next(iter(kinds.values()), "s")
    _check_alone(raw, place, times, SCALE[unit], problems)
    return times * SCALE[unit], f"{place}: taken for {unit} by size"


def _check_alone(
    raw: RawTable, place: str, times: np.ndarray, scale: float, problems: Violations
) -> None:
    """No time is of another unit than all others: minutes long, or below 10 ms."""
    seconds = times * scale
    longest, shortest = (60.0, 0.0) if scale == 1.0 else (np.inf, 0.01)
    if not np.any(np.isfinite(seconds)):
        return
    middle = float(np.nanmedian(seconds))
    for i in np.flatnonzero(np.isfinite(seconds)).tolist():
        far = seconds[i] > max(longest, 50.0 * middle) or seconds[i] < shortest
        if far:
            problems.add(
                f"is of another unit, or a code, it seems: the median is {middle:.3g} s; "
                "correct it, or say the unit of all (--units reaction_time=s or ms)",
                **raw.at(i, place),
                value=raw.columns[place][i].strip(),
            )


def _given(raw: RawTable, place: str, reading: Reading) -> tuple[str | None, str]:
    if "reaction_time" in reading.units:
        return _unit(reading.units["reaction_time"]), "as --units says"
    if place in raw.units:
        return _unit(raw.units[place]), "as the side-car says"
    last = words(place)[-1:]
    for unit, names in NAMES.items():
        ends = [n for n in names if plain(place).endswith(n) and len(n) > 2]
        ends += [n for n in ("ms",) if unit == n and plain(place).endswith(n)]
        if ends or (len(words(place)) > 1 and names & set(last)):
            return unit, "as the column's name says"
    return None, ""


def _unit(said: str) -> str:
    """`s`, `ms` or `us`; what was said, where it is none of these."""
    said = said.strip().lower()
    return next((unit for unit, names in NAMES.items() if said in names), said)


def _by_person(who: Sequence[str], times: np.ndarray) -> dict[str, tuple[int, list]]:
    found: dict[str, tuple[int, list]] = {}
    for i in np.flatnonzero(np.isfinite(times)).tolist():
        found.setdefault(who[i], (i, []))[1].append(i)
    return found


def _kind(median: float) -> str:
    if median <= LONGEST:
        return "s"
    if median >= SHORTEST_US:
        return "us"
    return "ms" if SHORTEST_MS <= median <= LONGEST / SCALE["ms"] else "?"


def _head(raw: RawTable, place: str) -> dict:
    return {"file": raw.at(0, place)["file"], "column": place}

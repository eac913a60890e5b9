"""Reaction times in seconds, whatever the table's unit."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.naming import plain
from pcmodel.behaviour.dataset.readers import RawTable
from pcmodel.behaviour.dataset.reading import Reading
from pcmodel.behaviour.dataset.violations import Violations

SECONDS = {"s", "sec", "secs", "second", "seconds"}
MILLISECONDS = {"ms", "msec", "msecs", "millisecond", "milliseconds"}
LONGEST, SHORTEST_MS = 20.0, 100.0  # medians: of a decision in s, of any in ms


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
    if given is not None and given not in SECONDS | MILLISECONDS:
        problems.add(
            f"is in {given!r}, {why}; expected s or ms (--units reaction_time=ms)",
            **_head(raw, place),
        )
        return times, ""
    medians = {
        label: (i, float(np.median(times[rows])))
        for label, (i, rows) in _by_person(who, times).items()
    }
    kinds = {label: _kind(median) for label, (_, median) in medians.items()}
    if given is not None:
        scale = 1e-3 if given in MILLISECONDS else 1.0
        wrong = "ms" if scale == 1.0 else "s"
        for label, kind in kinds.items():
            i, median = medians[label]
            if why != "as --units says" and kind == wrong and _far(median, wrong):
                problems.add(
                    f"has a median of {median:g} {given} in one person ({why}), which "
                    f"looks like {wrong}; say the unit (--units reaction_time=s or ms)",
                    **raw.at(i, place),
                )
        return times * scale, f"{place}: {'ms' if scale < 1.0 else 's'}, {why}"
    if len(set(kinds.values())) > 1 or "?" in kinds.values():
        common = max(set(kinds.values()), key=list(kinds.values()).count)
        odd = next((k for k in kinds if kinds[k] != common), next(iter(kinds)))
        i, median = medians[odd]
        problems.add(
            f"may be in seconds or in milliseconds (the median of the person here is "
            f"{median:g}); bring all to one unit and say it (--units reaction_time=s "
            "or ms)",
            **raw.at(i, place),
        )
        return times, ""
    scale = 1e-3 if "ms" in kinds.values() else 1.0
    _check_alone(raw, place, times, scale, problems)
    return times * scale, f"{place}: taken for {'ms' if scale < 1.0 else 's'} by size"


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
        return reading.units["reaction_time"].strip().lower(), "as --units says"
    if place in raw.units:
        return raw.units[place].strip().lower(), "as the side-car says"
    for names in (MILLISECONDS, SECONDS):
        ends = [n for n in names if plain(place).endswith(n) and len(n) > 1]
        if ends or (place.lower().endswith(("_s", ".s", "(s)")) and names is SECONDS):
            return sorted(names)[0], "as the column's name says"
    return None, ""


def _by_person(who: Sequence[str], times: np.ndarray) -> dict[str, tuple[int, list]]:
    found: dict[str, tuple[int, list]] = {}
    for i in np.flatnonzero(np.isfinite(times)).tolist():
        found.setdefault(who[i], (i, []))[1].append(i)
    return found


def _kind(median: float) -> str:
    if median <= LONGEST:
        return "s"
    return "ms" if median >= SHORTEST_MS else "?"


def _far(median: float, wrong: str) -> bool:
    return median >= SHORTEST_MS if wrong == "ms" else median <= LONGEST


def _head(raw: RawTable, place: str) -> dict:
    return {"file": raw.at(0, place)["file"], "column": place}

"""Reaction times in seconds, whatever the table's unit."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.naming import plain, words
from pcmodel.behaviour.dataset.reading import Reading
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, named, option
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
FAR = 100.0  # times another person's median: no difference between people
MOST = 200.0  # times the median, or less than it: no time of the same unit
MOST_TIMES = 8  # that are listed in an option
SAID = "as --units says"
EITHER = "--units reaction_time=s or --units reaction_time=ms"


def in_seconds(
    raw: RawTable,
    place: str,
    times: Float[np.ndarray, " rows"],
    groups: Sequence[tuple[str, ...]],
    people: str | None,
    reading: Reading,
    problems: Violations,
) -> tuple[Float[np.ndarray, " rows"], str]:
    """The times in seconds, and what was taken for their unit and why.

    The unit is the one named in `reading`, that of each file's side-car, or that in the
    column's name; else it is told by the medians of `groups` (a row's person, session and
    file), which must agree. `people` is the column of the first of these.
    """
    medians = {
        label: (i, float(np.median(times[rows])))
        for label, (i, rows) in _by_group(groups, times).items()
    }
    kinds = {label: _kind(median) for label, (_, median) in medians.items()}
    before = len(problems)
    if place in raw.units_by_file and "reaction_time" not in reading.units:
        units = _by_file(raw, place, problems)
        if not units:
            return times, ""
        for label, (i, median) in medians.items():
            _check_kind(raw, place, i, median, kinds[label], units[i], problems)
        each = ", ".join(sorted(set(units)))
        scale = np.asarray([SCALE[unit] for unit in units])
        if len(problems) == before:
            _check_alone(raw, place, times, scale, problems)
        return times * scale, f"{place}: {each}, by each file's side-car"
    given, why = _given(raw, place, reading)
    if given is not None and given not in SCALE:
        problems.add(
            f"is in {given!r}, {why}; expected s or ms (--units reaction_time=ms), or us",
            **_head(raw, place),
        )
        return times, ""
    if given is not None and why == SAID:
        _check_apart(raw, place, medians, kinds, given, people, problems)
    elif given is not None:
        for label, (i, median) in medians.items():
            _check_kind(raw, place, i, median, kinds[label], given, problems, why)
    if given is not None:
        scale = np.asarray(SCALE[given])
        if len(problems) == before:
            _check_alone(raw, place, times, scale, problems, is_said=why == SAID)
        return times * SCALE[given], f"{place}: {given}, {why}"
    if len(set(kinds.values())) > 1 or {"?", "us"} & set(kinds.values()):
        common = max(set(kinds.values()), key=list(kinds.values()).count)
        odd = next((k for k in kinds if kinds[k] != common), next(iter(kinds)))
        i, median = medians[odd]
        problems.add(
            "may be in seconds, milliseconds or microseconds (the median of the person "
            f"here is {median:g}); bring all to one unit and say it "
            f"({EITHER} or --units reaction_time=us)",
            **raw.at(i, place),
        )
        return times, ""
    unit = next(iter(kinds.values()), "s")
    _check_alone(raw, place, times, np.asarray(SCALE[unit]), problems)
    return times * SCALE[unit], f"{place}: taken for {unit} by size"


def _by_file(raw: RawTable, place: str, problems: Violations) -> list[str]:
    """The unit of each row by its file's side-car; none where one is not known."""
    files, told = (
        raw.origin.get(place, (raw.file, raw.row))[0],
        raw.units_by_file[place],
    )
    units = {file: _unit(told.get(file, "")) for file in dict.fromkeys(files)}
    settled = f"or say what holds for all files ({EITHER})"
    for file, unit in units.items():
        if unit not in SCALE:
            said = f"is in {unit!r}, as the side-car says" if unit else "has no unit"
            problems.add(
                f"{said}, and side-cars of other files name theirs; write s or ms as "
                f"Units in this file's, {settled}",
                file=file,
                column=place,
            )
    known = set(units.values()) <= set(SCALE)
    return [units[file] for file in files] if known else []


def _check_kind(
    raw: RawTable,
    place: str,
    i: int,
    median: float,
    kind: str,
    given: str,
    problems: Violations,
    why: str = "as the side-car says",
) -> None:
    """The size of times is that of the unit which the table names."""
    if kind not in (given, "?"):
        problems.add(
            f"has a median of {median:g} {given} in one person ({why}), which "
            f"looks like {kind}; say the unit ({EITHER})",
            **raw.at(i, place),
        )


def _check_apart(
    raw: RawTable,
    place: str,
    medians: Mapping[tuple[str, ...], tuple[int, float]],
    kinds: Mapping[tuple[str, ...], str],
    given: str,
    people: str | None,
    problems: Violations,
) -> None:
    """Where the unit was said, nobody's times are a thousand times those of the others."""
    own = [medians[label][1] for label, kind in kinds.items() if kind == given]
    middle = float(np.median(own)) if own else np.nan
    far = {
        label: (median > FAR * middle or median < middle / FAR)
        and kinds[label] not in (given, "?")
        for label, (_, median) in medians.items()
    }
    for label, (i, median) in medians.items():
        if far[label]:
            whole = all(is_far for own, is_far in far.items() if own[0] == label[0])
            without = ""
            if people is not None and whole:
                without = f" ({option(comparison(people, '!=', label[0]))})"
            problems.add(
                f"has a median of {median:g} in one person or session and of {middle:g} "
                f"in others, so that not all are in {given}; bring all to one unit, or "
                f"leave the rows out{without}",
                **raw.at(i, place),
            )


def _check_alone(
    raw: RawTable,
    place: str,
    times: Float[np.ndarray, " rows"],
    scale: np.ndarray,
    problems: Violations,
    *,
    is_said: bool = False,
) -> None:
    """No time is of another unit than all others: minutes long, or below 10 ms.

    is_said: the user said the unit of all, which settles times that are long or short, but
    not those that are hundreds of times so.
    """
    seconds = times * scale
    if not np.any(np.isfinite(seconds)):
        return
    middle = float(np.nanmedian(seconds))
    is_s = np.broadcast_to(scale == 1.0, seconds.shape)
    longest = np.where(is_s, max(60.0, 50.0 * middle), np.inf)
    odd = (seconds > longest) | (seconds < np.where(is_s, 0.0, 0.01))
    wrong = odd & (seconds > 0.0)
    wrong &= (seconds > MOST * middle) | (seconds < middle / MOST)
    without = _rows_out(raw, place, wrong)
    for i in np.flatnonzero(wrong if is_said else odd).tolist():
        unit = without if wrong[i] else f"say the unit of all ({EITHER})"
        problems.add(
            f"is of another unit, or a code, it seems: the median is {middle:.3g} s; "
            f"correct it, or {unit}",
            **raw.at(i, place),
            value=raw.columns[place][i].strip(),
        )


def _rows_out(raw: RawTable, place: str, rows: np.ndarray) -> str:
    """How to leave out the rows of these times: one by one, or all on their side of a limit."""
    cells = sorted({raw.columns[place][i].strip() for i in np.flatnonzero(rows)})
    listing = ", ".join(f'"{cell}"' for cell in cells)
    if len(cells) <= MOST_TIMES:
        return f"leave the rows out ({option(f'{named(place)} not in ({listing})')})"
    return "bring all to one unit"


def _given(raw: RawTable, place: str, reading: Reading) -> tuple[str | None, str]:
    if "reaction_time" in reading.units:
        return _unit(reading.units["reaction_time"]), SAID
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


def _by_group(
    groups: Sequence[tuple[str, ...]], times: np.ndarray
) -> dict[tuple[str, ...], tuple[int, list]]:
    found: dict[tuple[str, ...], tuple[int, list]] = {}
    for i in np.flatnonzero(np.isfinite(times)).tolist():
        found.setdefault(groups[i], (i, []))[1].append(i)
    return found


def _kind(median: float) -> str:
    if median <= LONGEST:
        return "s"
    if median >= SHORTEST_US:
        return "us"
    return "ms" if SHORTEST_MS <= median <= LONGEST / SCALE["ms"] else "?"


def _head(raw: RawTable, place: str) -> dict:
    return {"file": raw.at(0, place)["file"], "column": place}

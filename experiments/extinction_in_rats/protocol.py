"""The published procedure, and the rats' freezing laid over it."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pcmodel.behaviour.dataset import Series
from pcmodel.errors import UserError

GROUPS = ("standard", "gradual", "reverse")
SHOCKS = {
    "standard": (),
    "gradual": (1, 3, 6, 10, 15),
    "reverse": (1, 6, 10, 13, 15),
}
"""The cues of extinction that were followed by a shock."""
PHASES = {
    "conditioning": (0.0, 3),
    "extinction": (24.0, 24),
    "long_term_memory": (48.0, 4),
    "spontaneous_recovery": (48.0 + 30 * 24.0, 4),
}
"""By name the first cue's hour and the number of cues; the file's names of the phases with freezing."""
TESTS = ("long_term_memory", "spontaneous_recovery")
APART = 3.0 / 60.0  # h from tone to tone


class Row(NamedTuple):
    """One row of the procedure. cue: 0 is the time before the first one."""

    phase: str
    cue: int
    time: float  # h
    shock: float  # NaN: nothing was shown


def protocol(group: str) -> tuple[Row, ...]:
    """All that a rat of that group met."""
    rows = []
    for phase, (start, cues) in PHASES.items():
        if phase != "conditioning":
            rows.append(Row(phase, 0, start - APART, np.nan))
        for cue in range(1, cues + 1):
            shocked = phase == "conditioning" or (
                phase == "extinction" and cue in SHOCKS[group]
            )
            rows.append(Row(phase, cue, start + APART * (cue - 1), float(shocked)))
    return tuple(rows)


ROWS = protocol("standard")
"""The rows that all groups share, but for the shocks."""


def rows_of(phase: str, *, cues: bool = True) -> np.ndarray:
    """Which rows belong to a phase; its cues, or the time before them."""
    return np.asarray([r.phase == phase and (r.cue > 0) == cues for r in ROWS])


class Rats(NamedTuple):
    """What was measured, on the procedure of each rat.

    series: one for each rat, with the covariate `group`.
    clipped: shares above 1 (scored longer than the tone), which are counted as 1.
    """

    series: Series
    clipped: int


def read_rats(path: Path, most: int = 0) -> Rats:
    """The published table on its procedure; `most` rats of each group, 0: all.

    UserError for a table that lacks what is needed, by row.
    """
    place = {(row.phase, row.cue): i for i, row in enumerate(ROWS)}
    group_of: dict[str, str] = {}
    freezing: dict[str, np.ndarray] = {}
    clipped = 0
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        missing = {"animal", "group", "phase", "cue", "freezing"} - set(
            table.fieldnames or ()
        )
        if missing:
            raise UserError(
                f"has no column {', '.join(sorted(missing))}", where=str(path)
            )
        for number, cells in enumerate(table, start=2):
            where = f"{path.name}, row {number}"
            animal, group = cells["animal"], cells["group"]
            share, at = _cells(cells, place, where)
            if group_of.setdefault(animal, group) != group or group not in GROUPS:
                raise UserError(
                    f"{animal} is of group {group!r}",
                    where=where,
                    expected=f"one of {', '.join(GROUPS)}, the same in every row",
                )
            clipped += share > 1.0
            own = freezing.setdefault(animal, np.full(len(ROWS), np.nan))
            own[at] = min(share, 1.0) if np.isfinite(share) else np.nan
    kept = [
        rat
        for group in GROUPS
        for rat in [r for r in freezing if group_of[r] == group][: most or None]
    ]
    if len({group_of[rat] for rat in kept}) < len(GROUPS):
        raise UserError("lacks a group", where=str(path), expected=", ".join(GROUPS))
    series = as_series(
        np.asarray([freezing[rat] for rat in kept]), [group_of[rat] for rat in kept]
    )
    return Rats(series, int(clipped))


def _cells(cells: dict, place: dict, where: str) -> tuple[float, int]:
    """A row's freezing, NaN where it was not measured, and its place in the procedure."""
    cue = 0 if cells["cue"] == "pre" else cells["cue"]
    text = (cells["freezing"] or "").strip()
    try:
        share = float(text) if text else np.nan
        at = place[cells["phase"], int(cue)]
    except (ValueError, KeyError):
        raise UserError(
            f"phase {cells['phase']!r}, cue {cells['cue']!r}, freezing {text!r}",
            where=where,
            expected="a phase and cue of the procedure, and a share",
        ) from None
    if not (np.isnan(share) or 0.0 <= share <= 1.1):
        raise UserError(
            f"freezing is {share:g}", where=where, expected="a share, 0 to 1"
        )
    return share, at


def as_series(freezing: np.ndarray, groups: Sequence[str]) -> Series:
    """Series of rats with that freezing, (rats, rows of the procedure), NaN where not measured."""
    shape = freezing.shape
    columns = {
        group: np.asarray([(row.time, row.shock) for row in protocol(group)]).T
        for group in GROUPS
    }
    time, shock = np.stack([columns[group] for group in groups], axis=1)
    stimulus = np.broadcast_to([float(row.cue > 0) for row in ROWS], shape).copy()
    return Series(
        {"time": time, "outcome": shock, "response": freezing, "stimulus": stimulus},
        np.ones(shape, bool),
        np.arange(len(groups)),
        {"group": np.asarray(groups)},
        {"response": int(np.isnan(freezing).sum())},
    )


def only(series: Series, keep: np.ndarray) -> Series:
    """Those rats."""
    return series._replace(
        values={name: own[keep] for name, own in series.values.items()},
        present=series.present[keep],
        participant=np.arange(int(keep.sum())),
        covariates={name: own[keep] for name, own in series.covariates.items()},
    )


def unseen(series: Series, rows: np.ndarray) -> Series:
    """The same rats without the freezing in these rows."""
    response = np.where(rows, np.nan, series.values["response"])
    return series._replace(values={**series.values, "response": response})


def exchanged(series: Series) -> Series:
    """The same freezing under the protocol of the next group."""
    after = dict(zip(GROUPS, (*GROUPS[1:], GROUPS[0]), strict=True))
    groups = [after[g] for g in series.covariates["group"]]
    return as_series(series.values["response"], groups)


def halves(series: Series, seed: int) -> np.ndarray:
    """0 or 1 for each rat, as many of each in every group (one more of 0 where odd)."""
    rng = np.random.default_rng(seed)
    half = np.zeros(len(series.participant), int)
    for group in GROUPS:
        own = np.flatnonzero(series.covariates["group"] == group)
        half[rng.permutation(own)[len(own) - len(own) // 2 :]] = 1
    return half


def change(freezing: np.ndarray) -> np.ndarray:
    """Mean freezing in the second test less that in the first, over the last axis; NaN where a test is missing."""
    means = [freezing[..., rows_of(test)].mean(axis=-1) for test in TESTS]
    return means[1] - means[0]

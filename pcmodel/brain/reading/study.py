"""All recordings of a study: one person and condition each, of the same regions."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.brain.measures.series import check_series, check_unique
from pcmodel.brain.reading.arrays import check_axes, read_pieces
from pcmodel.brain.reading.bids_names import KINDS, entities, is_confounds, series_files
from pcmodel.brain.reading.conditions import Origin, origins
from pcmodel.brain.reading.labels import Labels, Match, read_labels
from pcmodel.brain.reading.tables import read_table
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import check_file, shown

FEWEST_OF_A_CLOCK = 5
CONFOUNDS = {
    *("framewise_displacement", "dvars", "std_dvars", "global_signal", "csf"),
    *("white_matter", "trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"),
}
"""Columns of confounds, as fMRIPrep names them."""


class Recording(NamedTuple):
    """One person's series in one condition.

    series: (regions, times), unit of the file.
    person: name.
    condition: name; "" without conditions.
    source: the file, and the place in its array.
    """

    series: Float[np.ndarray, "regions times"]
    person: str
    condition: str
    source: str


class StudyData(NamedTuple):
    """The recordings of a study, in the order of people and conditions.

    recordings: of the same regions; several of one person and condition are runs.
    regions: their names; None if no file names them.
    labels: their networks; None without labels.
    """

    recordings: tuple[Recording, ...]
    regions: tuple[str, ...] | None
    labels: Labels | None


class _Raw(NamedTuple):
    """What a file holds, before regions are left out: values (times, regions)."""

    values: np.ndarray
    regions: tuple[str, ...] | None
    origin: Origin
    source: str
    file: Path


@checked_arguments
def load_recordings(
    paths: Sequence[str | Path],
    *,
    networks: str | Path | None = None,
    networks_by: Match | None = None,
    condition_from: str | None = None,
    axes: Sequence[str] = ("time", "region"),
    array: str | None = None,
    only: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
) -> StudyData:
    """The recordings of files and folders.

    paths: .csv, .tsv, .npy, .npz, and folders of BIDS derivatives (all `*_timeseries.tsv` in them).
    networks: a table of labels, see `read_labels`.
    networks_by: by "name" or "order"; None for names where both have them.
    condition_from: see `origins`.
    axes: what each axis of an array is: time, region, person, condition; of a table the first two.
    array: its name in .npz files.
    only: entities that a folder's files must have, such as {"seg": "Yeo7"}.
    without: names of regions to leave out ("0", "1", ... where files name none).
    Raises UserError for what cannot be read, recordings of different regions, two recordings of one person and
    condition that differ by more than their run, and series that `check_series` refuses.
    """
    found = check_axes(axes)
    _check_used(paths, only, array)
    files = [
        file for path in paths for file in series_files(Path(path), dict(only or {}))
    ]
    if not files:
        raise UserError("there are no files", where="series", expected="one or more")
    seen: set[Path] = set()
    for file in files:
        check_file(file)
        if file.resolve() in seen:
            raise UserError("is given twice", where=shown(file), expected="once")
        seen.add(file.resolve())
    known = origins(files, condition_from)
    raw = [one for file in files for one in _read(file, known[file], found, array)]
    regions = _same_regions(raw)
    number = raw[0].values.shape[1]
    labels = None
    if networks is not None:
        labels = read_labels(
            networks, regions=regions, number=number, match=networks_by
        )
    kept = _kept(regions, number, without)
    recordings = [_checked(one, regions, kept) for one in raw]
    _check_runs(raw, recordings)
    order = sorted(range(len(raw)), key=lambda i: (*raw[i].origin, raw[i].source))
    if labels is not None:
        labels = labels._replace(networks=tuple(labels.networks[i] for i in kept))
        if len(set(labels.networks)) < 2:
            raise UserError(
                f"leaves regions of {labels.networks[0]!r} only",
                where="without",
                expected="regions of two networks or more",
            )
    names = None if regions is None else tuple(regions[i] for i in kept)
    return StudyData(tuple(recordings[i] for i in order), names, labels)


def _check_used(
    paths: Sequence[str | Path], only: Mapping[str, str] | None, array: str | None
) -> None:
    """UserError for an option that none of the paths can use."""
    folders = [path for path in paths if os.path.isdir(path)]
    if only and not folders:
        raise UserError(
            "is said of folders",
            where="only",
            expected="a folder, or it to be left out",
        )
    if array and not any(Path(path).suffix == ".npz" for path in paths):
        raise UserError(
            "is said of .npz files", where="array", expected="it to be left out"
        )


def _read(
    file: Path, origin: Origin, axes: tuple[str, ...], array: str | None
) -> list[_Raw]:
    if file.suffix not in KINDS:
        raise UserError(
            f"has the ending {file.suffix!r}",
            where=shown(file),
            expected=f"one of: {', '.join(KINDS)}",
        )
    if file.suffix in (".csv", ".tsv"):
        if set(axes) != {"time", "region"}:
            raise UserError(
                f"is a table, without the axes {','.join(axes)}",
                where=shown(file),
                expected="time,region or region,time",
            )
        table = read_table(file, regions_first=axes[0] == "region")
        if table.regions is not None:
            check_unique(table.regions, where=shown(file))
        return [_Raw(table.values, table.regions, origin, shown(file), file)]
    pieces = read_pieces(file, axes=axes, array=array)
    found = []
    for piece in pieces:
        person = origin.person if piece.person is None else str(piece.person)
        condition = (
            origin.condition if piece.condition is None else str(piece.condition)
        )
        places = [
            f"{name} {place}"
            for name, place in (
                ("person", piece.person),
                ("condition", piece.condition),
            )
            if place is not None
        ]
        source = ", ".join([shown(file), *places])
        found.append(_Raw(piece.values, None, Origin(person, condition), source, file))
    return found


def _check_no_confounds(names: Sequence[str], file: Path) -> None:
    """UserError for a table of confounds."""
    known = [name for name in names if name.lower() in CONFOUNDS]
    if known or is_confounds(file):
        said = (
            f"its columns are {', '.join(known[:3])}" if known else "its name says so"
        )
        raise UserError(
            f"holds confounds, not regions ({said})",
            where=shown(file),
            expected="series of regions (--without leaves columns out)",
        )


def _same_regions(raw: list[_Raw]) -> tuple[str, ...] | None:
    """The names that all recordings share; UserError naming the first that differs."""
    first = raw[0]
    for one in raw[1:]:
        here, there = one.values.shape[1], first.values.shape[1]
        if here != there:
            raise UserError(
                f"has {here} regions, {first.source} {there}",
                where=one.source,
                expected="files of the same regions (of a folder, --only picks them)",
            )
        if one.regions != first.regions:
            pairs = zip(one.regions or (), first.regions or (), strict=False)
            a, b = next(((a, b) for a, b in pairs if a != b), ("no names", "names"))
            raise UserError(
                f"has {a!r} where {first.source} has {b!r}",
                where=one.source,
                expected="files of the same regions in the same order",
            )
    return first.regions


def _kept(
    regions: tuple[str, ...] | None, number: int, without: Sequence[str]
) -> list[int]:
    names = regions or tuple(str(place) for place in range(number))
    for name in without:
        if name not in names:
            raise unknown_name("region", name, names[:20], where="without")
    kept = [place for place, name in enumerate(names) if name not in set(without)]
    if not kept:
        raise UserError("no region is left", where="without")
    return kept


def _checked(one: _Raw, regions: tuple[str, ...] | None, kept: list[int]) -> Recording:
    series = np.ascontiguousarray(one.values.T[kept])
    names = None if regions is None else [regions[place] for place in kept]
    _check_no_confounds(names or (), one.file)
    checked = check_series(series, regions=names, where=one.source, least_times=8)
    _check_no_clock(checked, names, one.source)
    return Recording(checked, one.origin.person, one.origin.condition, one.source)


def _check_no_clock(
    series: np.ndarray, names: Sequence[str] | None, where: str
) -> None:
    """UserError for a region that rises by the same step throughout: a clock or an index of rows."""
    if series.shape[1] < FEWEST_OF_A_CLOCK:
        return
    steps = np.diff(series, axis=1)
    size = np.abs(series).max(axis=1, keepdims=True)
    even = np.all(np.abs(steps - steps[:, :1]) <= 1e-6 * np.abs(steps[:, :1]), axis=1)
    even &= np.abs(steps[:, 0]) > 1e-12 * size[:, 0]
    if even.any():
        place = int(np.argmax(even))
        name = names[place] if names else f"column {place + 1}"
        raise UserError(
            f"{name} changes by {steps[place, 0]:g} at every time: a clock, no region",
            where=where,
            expected="regions alone (--without leaves columns out)",
        )


def _check_runs(raw: list[_Raw], recordings: list[Recording]) -> None:
    """UserError for two recordings of one person and condition, unless their names differ by `run` alone."""
    first: dict[Origin, _Raw] = {}
    content: dict[bytes, str] = {}
    for one, recording in zip(raw, recordings, strict=True):
        digest = hashlib.sha256(recording.series.tobytes()).digest()
        if digest in content:
            raise UserError(
                f"holds the same series as {content[digest]}",
                where=one.source,
                expected="each recording once",
            )
        content[digest] = one.source
        before = first.setdefault(one.origin, one)
        if before is one:
            continue
        names = [
            {key: value for key, value in entities(file).items() if key != "run"}
            for file in (before.file, one.file)
        ]
        is_run = "run" in entities(one.file) and names[0] == names[1]
        if not is_run or before.file == one.file:
            about = (
                f" in condition {one.origin.condition!r}"
                if one.origin.condition
                else ""
            )
            raise UserError(
                f"is a second recording of {one.origin.person!r}{about}, beside "
                f"{before.source}",
                where=one.source,
                expected="one, or runs (run-1, run-2) of one name; --condition-from says "
                "what tells conditions apart, --only picks files",
            )

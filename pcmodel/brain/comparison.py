"""A study of recordings from files to paired statistics: what `pcmodel brain` carries out."""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from pcmodel.brain.measures.group import (
    KINDS,
    Contrast,
    GroupMeasures,
    contrast,
    measure_group,
)
from pcmodel.brain.measures.person import MeasureOptions
from pcmodel.brain.reading.bids_names import series_files
from pcmodel.brain.reading.study import Recording, StudyData, load_recordings
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.files import check_file, read_bytes
from pcmodel.runtime.progress import Progress

COMPARISONS = ("placebo", "baseline", "control", "sham", "pre", "before", "pcb", "plcb")
"""Names of conditions that others are compared with, where a study does not say which."""


@dataclass(frozen=True)
class BrainPlan:
    """Everything that the results depend on but the seed.

    series: files and folders.
    series_sha256: of their content.
    networks: table of labels; "" without.
    networks_sha256: of its content; "" without.
    networks_by: "name", "order", or "" for names where both have them.
    condition_from: see `origins`; "" for no conditions.
    contrast: two conditions, the second minus the first; (placebo=2, drug=3) renames them; () for the only two.
    axes: what each axis of an array is.
    array: its name in .npz files; "" for the only one.
    only: entities of a folder's files, each "seg=Yeo7".
    without: names of regions to leave out.
    tr: seconds from sample to sample; None if not said.
    measures: how they are computed.
    num_bootstraps: of the intervals.
    """

    series: tuple[str, ...]
    series_sha256: str
    networks: str = ""
    networks_sha256: str = ""
    networks_by: str = ""
    condition_from: str = ""
    contrast: tuple[str, ...] = ()
    axes: tuple[str, ...] = ("time", "region")
    array: str = ""
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    tr: float | None = None
    measures: MeasureOptions = MeasureOptions()
    num_bootstraps: int = 10_000


class BrainResults(NamedTuple):
    """The measures of a study.

    group: of each person and condition.
    contrast: paired statistics; None with other than two conditions, or with fewer than two people who have both.
    regions: their names; () where files name none.
    networks: the network of each region; () without labels.
    matched: how labels were assigned: "name", "order", or "".
    num_times: fewest and most samples of a recording.
    """

    group: GroupMeasures
    contrast: Contrast | None
    regions: tuple[str, ...]
    networks: tuple[str, ...]
    matched: str
    num_times: tuple[int, int]


def read_plan(plan: BrainPlan) -> StudyData:
    """The recordings of a plan, of the two conditions of its contrast if it has one.

    Raises UserError for what `load_recordings` refuses, and for conditions that do not exist.
    """
    data = load_recordings(
        plan.series,
        networks=plan.networks or None,
        networks_by=plan.networks_by or None,  # pyright: ignore[reportArgumentType]
        condition_from=plan.condition_from or None,
        axes=plan.axes,
        array=plan.array or None,
        only=parse_only(plan.only),
        without=plan.without,
    )
    if not plan.contrast:
        return data
    renamed = parse_contrast(plan.contrast)
    known = sorted({one.condition for one in data.recordings})
    for value in renamed:
        if value not in known:
            raise unknown_name("condition", value, known, where="contrast")
    recordings = tuple(
        one._replace(condition=renamed[one.condition])
        for one in data.recordings
        if one.condition in renamed
    )
    return data._replace(recordings=recordings)


def parse_only(entries: Sequence[str]) -> dict[str, str]:
    """Entities from "seg=Yeo7"; UserError for other text."""
    found = {}
    for entry in entries:
        key, mark, value = entry.partition("=")
        if not (mark and key.strip() and value.strip()):
            raise UserError(
                f"cannot be {entry!r}", where="only", expected="ENTITY=VALUE: seg=Yeo7"
            )
        found[key.strip()] = value.strip()
    return found


def parse_contrast(entries: Sequence[str]) -> dict[str, str]:
    """New names of two conditions by their old ones, from "name" or "new=old"; UserError for other than two."""
    found = {}
    for entry in entries:
        new, mark, old = entry.partition("=")
        found[(old if mark else new).strip()] = new.strip()
    if len(found) != 2 or len(entries) != 2 or len(set(found.values())) != 2:
        raise UserError(
            f"cannot be {','.join(entries)!r}",
            where="contrast",
            expected="two conditions, FIRST,SECOND: the second is compared with the first",
        )
    return found


def find_contrast(
    recordings: Sequence[Recording], entries: Sequence[str]
) -> tuple[str, str] | None:
    """The two conditions to compare; None where there are not two, or fewer than two people have both.

    Without `entries`, one that is called placebo (or alike) comes first, else the first by name.
    """
    known = sorted({one.condition for one in recordings})
    if len(known) != 2:
        return None
    has = [
        {one.person for one in recordings if one.condition == name} for name in known
    ]
    if entries:
        first, second = parse_contrast(entries).values()
        return first, second
    if len(has[0] & has[1]) < 2:
        return None
    before = [name for name in known if name.lower() in COMPARISONS]
    return (known[1], known[0]) if before == [known[1]] else (known[0], known[1])


def run_brain(plan: BrainPlan, *, seed: int, progress: Progress) -> BrainResults:
    """Read, measure and compare."""
    with progress.stage("reading"):
        data = read_plan(plan)
    recordings = data.recordings
    key = jax.random.key(seed)
    group = measure_group(
        [one.series for one in recordings],
        people=[one.person for one in recordings],
        conditions=[one.condition for one in recordings],
        networks=None if data.labels is None else data.labels.networks,
        key=jax.random.fold_in(key, 0),
        options=plan.measures,
        regions=data.regions,
        progress=progress,
    )
    pair = find_contrast(recordings, plan.contrast)
    found = None
    if pair is not None:
        found = contrast(
            group,
            *pair,
            key=jax.random.fold_in(key, 1),
            num_bootstraps=plan.num_bootstraps,
        )
    times = [one.series.shape[1] for one in recordings]
    return BrainResults(
        group,
        found,
        data.regions or (),
        () if data.labels is None else data.labels.networks,
        "" if data.labels is None else data.labels.matched,
        (min(times), max(times)),
    )


def digest(paths: Sequence[str | Path], only: Sequence[str] = ()) -> str:
    """SHA-256 of the names and content of all files."""
    found = hashlib.sha256()
    for path in paths:
        for file in series_files(Path(path), parse_only(only)):
            content = read_bytes(check_file(file))
            found.update(f"{file.as_posix()}\0{len(content)}\0".encode())
            found.update(content)
    return found.hexdigest()


def measures_csv(group: GroupMeasures) -> str:
    """A row for each person, condition, measure, and with and without the global signal."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["person", "condition", "runs", "series", "measure", "value", "undefined"]
    )
    for row, (person, condition) in enumerate(
        zip(group.people, group.conditions, strict=True)
    ):
        for kind, said in enumerate(KINDS):
            for place, name in enumerate(group.measures):
                value = float(group.values[row, kind, place])
                cell = "" if np.isnan(value) else repr(value)
                why = group.undefined[row, kind, place]
                runs = int(group.num_runs[row])
                writer.writerow([person, condition, runs, said, name, cell, why])
    return text.getvalue()

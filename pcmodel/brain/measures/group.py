"""Measures of many people and conditions, and their paired statistics."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.brain.measures.paired import PairedStatistics, paired_statistics
from pcmodel.brain.measures.person import (
    MEASURES,
    BrainMeasures,
    MeasureOptions,
    PersonMeasures,
    measure_person,
)
from pcmodel.brain.measures.series import Networks
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.ranges import Count
from pcmodel.runtime.progress import Progress

KINDS = ("as given", "without the global signal")
"""The second axis of the arrays of `GroupMeasures`."""


class GroupMeasures(NamedTuple):
    """The measures of each person in each condition; runs are averaged.

    people: name of each row's person.
    conditions: name of each row's condition.
    num_runs: number of recordings in each row, (rows,).
    measures: names of the last axis of `values`: `MEASURES`.
    values: (rows, 2, measures); of the series as given, and without the global signal.
    undefined: why a value is NaN, "" where it is not, (rows, 2, measures).
    correlation: (rows, 2, regions, regions).
    network_names: names of networks; () without.
    by_network: mean Fisher z, (rows, 2, networks, networks).
    transfer_entropy: nats without bias, from by to, (rows, 2, networks, networks).
    """

    people: tuple[str, ...]
    conditions: tuple[str, ...]
    num_runs: np.ndarray
    measures: tuple[str, ...]
    values: Float[np.ndarray, "rows 2 measures"]
    undefined: np.ndarray
    correlation: Float[np.ndarray, "rows 2 regions regions"]
    network_names: tuple[str, ...]
    by_network: Float[np.ndarray, "rows 2 networks networks"]
    transfer_entropy: Float[np.ndarray, "rows 2 sources targets"]


class Contrast(NamedTuple):
    """Paired statistics of `second` minus `first`.

    first: name of a condition.
    second: name of the other.
    people: those who have both.
    without: those who have one only.
    measures: of each measure, first as given and then without the global signal, (2 x measures).
    by_network: of mean Fisher z within and between networks, dz in each entry, (2, networks, networks).
    by_network_p: two-sided p of each entry alone.
    """

    first: str
    second: str
    people: tuple[str, ...]
    without: tuple[str, ...]
    measures: tuple[tuple[PairedStatistics, ...], tuple[PairedStatistics, ...]]
    by_network: Float[np.ndarray, "2 networks networks"]
    by_network_p: Float[np.ndarray, "2 networks networks"]


@checked_arguments
def measure_group(
    series: Sequence[Any],
    *,
    people: Sequence[str],
    conditions: Sequence[str],
    networks: Sequence[Hashable] | Networks | None = None,
    key: Array,
    options: MeasureOptions | None = None,
    regions: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> GroupMeasures:
    """Measure every recording; rows are in order of people and conditions.

    series: (regions, times) each; the same regions in all.
    people: whose each is.
    conditions: in which condition each was made; several of one person and condition are runs, whose measures are
        averaged.
    key: of all recordings, each with its own part.
    Raises UserError for lists of different lengths, and for what `measure_person` refuses.
    """
    if not len(series) == len(people) == len(conditions) or not len(series):
        raise UserError(
            f"there are {len(series)} series, {len(people)} people and {len(conditions)} conditions",
            where="measure_group",
            expected="as many of each, one or more",
        )
    key = check_key(key)
    places: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(zip(people, conditions, strict=True)):
        places.setdefault((str(row[0]), str(row[1])), []).append(place)
    rows = sorted(places)
    shown = progress or Progress(silent=True)
    measured: dict[int, PersonMeasures] = {}
    order = [place for row in rows for place in places[row]]
    for number, place in enumerate(shown.track(order, "measuring")):
        where = f"{people[place]} {conditions[place]}".strip()
        try:
            measured[place] = measure_person(
                series[place],
                networks,
                key=jax.random.fold_in(key, number),
                options=options,
                regions=regions,
            )
        except UserError as error:
            raise UserError(str(error), where=where) from None
    sizes = {len(one.plain.correlation) for one in measured.values()}
    if len(sizes) > 1:
        raise UserError(
            f"have {' and '.join(map(str, sorted(sizes)))} regions",
            where="series",
            expected="the same regions in all",
        )
    return _collected(rows, [[measured[i] for i in places[row]] for row in rows])


def _collected(
    rows: Sequence[tuple[str, str]], runs: Sequence[Sequence[PersonMeasures]]
) -> GroupMeasures:
    def mean(field: str) -> np.ndarray:
        return np.asarray(
            [
                [
                    np.mean([getattr(run[k], field) for run in own], axis=0)
                    for k in (0, 1)
                ]
                for own in runs
            ]
        )

    values = np.stack([mean(name) for name in MEASURES], axis=-1)
    why = [
        [[_reason([run[k] for run in own], name) for name in MEASURES] for k in (0, 1)]
        for own in runs
    ]
    return GroupMeasures(
        people=tuple(person for person, _ in rows),
        conditions=tuple(condition for _, condition in rows),
        num_runs=np.asarray([len(own) for own in runs]),
        measures=MEASURES,
        values=values,
        undefined=np.asarray(why, "U"),
        correlation=mean("correlation"),
        network_names=runs[0][0].plain.network_names,
        by_network=mean("by_network"),
        transfer_entropy=mean("transfer_entropy"),
    )


def _reason(runs: Sequence[BrainMeasures], name: str) -> str:
    if all(np.isfinite(getattr(one, name)) for one in runs):
        return ""
    return next(one.undefined[name] for one in runs if name in one.undefined)


@checked_arguments
def contrast(
    group: GroupMeasures,
    first: str,
    second: str,
    *,
    key: Array,
    num_bootstraps: Count = 10_000,
) -> Contrast:
    """Paired statistics of two conditions, over the people who have both.

    Raises UserError for a condition that nobody has, and where fewer than two people have both.
    """
    check_key(key)
    known = tuple(dict.fromkeys(group.conditions))
    for name in (first, second):
        if name not in known:
            raise unknown_name("condition", name, known, where="contrast")
    if first == second:
        raise UserError(
            f"compares {first!r} with itself",
            where="contrast",
            expected="two conditions",
        )
    key = check_key(key)
    rows = list(zip(group.people, group.conditions, strict=True))
    has = [
        {person: place for place, (person, own) in enumerate(rows) if own == condition}
        for condition in (first, second)
    ]
    both = [person for person in has[0] if person in has[1]]
    if len(both) < 2:
        raise UserError(
            f"{len(both)} people have both {first!r} and {second!r}",
            where="contrast",
            expected="two or more",
        )
    a, b = ([own[person] for person in both] for own in has)
    kinds = tuple(
        tuple(
            paired_statistics(
                group.values[a, kind, place],
                group.values[b, kind, place],
                key=jax.random.fold_in(key, place),
                num_bootstraps=num_bootstraps,
            )
            for place in range(len(group.measures))
        )
        for kind in (0, 1)
    )
    dz, p = _entries(group.by_network[a], group.by_network[b])
    lone = sorted(set(has[0]) ^ set(has[1]))
    return Contrast(
        first, second, tuple(both), tuple(lone), (kinds[0], kinds[1]), dz, p
    )


def _entries(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """dz and p of every entry; NaN where anybody's is undefined or all differ alike."""
    from scipy import stats

    change, people = b - a, len(a)
    spread = change.std(axis=0, ddof=1)
    varies = spread > 1e-12 * np.maximum(np.abs(a), np.abs(b)).max(axis=0, initial=0)
    dz = np.divide(
        change.mean(axis=0), spread, out=np.full_like(spread, np.nan), where=varies
    )
    return dz, 2 * stats.t.sf(np.abs(dz) * np.sqrt(people), people - 1)

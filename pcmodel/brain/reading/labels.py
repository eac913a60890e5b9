"""The network of each region, from a table of labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pcmodel.brain.measures.series import check_unique
from pcmodel.brain.reading.tables import split_rows
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import shown

REGION = ("region", "name", "label", "roi", "parcel", "node", "region_name", "index")
NETWORK = ("network", "network_label", "network_name", "system", "module", "community")
NONE = {"", "n/a", "na", "nan", "none"}
Match = Literal["name", "order"]


class Labels(NamedTuple):
    """The networks of a study's regions.

    networks: name of each region's network, in the order of the series.
    matched: "name" or "order": how rows were assigned to regions.
    """

    networks: tuple[str, ...]
    matched: str


class _Rows(NamedTuple):
    """Content of a table: networks by row, and the regions' names if it has them."""

    networks: tuple[str, ...]
    regions: tuple[str, ...] | None


@checked_arguments
def read_labels(
    path: str | Path,
    *,
    regions: Sequence[str] | None,
    number: int,
    match: Match | None = None,
) -> Labels:
    """The network of each of `number` regions.

    The table has a column of networks, and mostly one of regions before it; with a header they may stand anywhere
    (`region`, `name`, `label`, ...; `network`, `network_label`, `system`, ...).
    regions: names in the series; None if it has none.
    match: by name or by order; None for names where both have them, else order.
    Raises UserError where labels and series differ (both numbers, and the first that differ), for a region without a
    network or twice in the table, and for one network only.
    """
    where = shown(path)
    found = _read(Path(path), where)
    by_name = match == "name" or (
        match is None and None not in (regions, found.regions)
    )
    if by_name and (regions is None or found.regions is None):
        which = "the series" if regions is None else "the labels"
        raise UserError(
            f"{which} name no regions",
            where=where,
            expected="names in both, or that rows go by order",
        )
    if by_name:
        assert regions is not None and found.regions is not None
        networks = _by_name(found.regions, found.networks, regions, where)
    elif len(found.networks) != number:
        raise UserError(
            f"has {len(found.networks)} labels for {number} regions"
            f"{_first_names(found.regions, regions)}",
            where=where,
            expected="one label a region, in the order of the series",
        )
    else:
        networks = found.networks
    if len(set(networks)) < 2:
        raise UserError(
            f"names one network only, {networks[0]!r}",
            where=where,
            expected="two or more, or no labels at all",
        )
    return Labels(networks, "name" if by_name else "order")


def _first_names(
    labelled: tuple[str, ...] | None, regions: Sequence[str] | None
) -> str:
    if labelled is None or regions is None:
        return ""
    pairs = zip(labelled, regions, strict=False)
    differing = next(((a, b) for a, b in pairs if a != b), None)
    if differing is None:
        return ""
    return f" (the first that differ: {differing[0]!r} in the labels, {differing[1]!r} in the series)"


def _by_name(
    labelled: tuple[str, ...],
    networks: tuple[str, ...],
    regions: Sequence[str],
    where: str,
) -> tuple[str, ...]:
    check_unique(labelled, where=where)
    has = dict(zip(labelled, networks, strict=True))
    wanted = set(regions)
    lost = [name for name in regions if name not in has]
    more = [name for name in labelled if name not in wanted]
    if lost or more:
        said = [f"no label for {lost[0]!r}"] if lost else []
        said += [f"a label for {more[0]!r}, which is not in the series"] if more else []
        raise UserError(
            f"has {len(labelled)} regions and the series {len(regions)}; there is "
            f"{', and '.join(said)}",
            where=where,
            expected="the names of the series, or rows that go by order "
            "(--networks-by order)",
        )
    return tuple(has[name] for name in regions)


def _read(path: Path, where: str) -> _Rows:
    rows = split_rows(path)
    header = [cell.strip().lower() for cell in rows[0][1]]
    network = next((header.index(name) for name in NETWORK if name in header), None)
    if network is not None:
        region = next((header.index(name) for name in REGION if name in header), None)
        rows = rows[1:]
    else:
        if len(header) > 2:
            raise UserError(
                f"has the columns {', '.join(header)[:80]}, none called network",
                where=where,
                expected="a column `network`, or two columns: region, network",
            )
        network = len(header) - 1
        region = 0 if len(header) == 2 else None
    if not rows:
        raise UserError("has no rows", where=where, expected="a row a region")
    columns = {"network": network, "region": region}
    cells: dict[str, list[str]] = {"network": [], "region": []}
    for number, row in rows:
        for name, place in columns.items():
            if place is None:
                continue
            cell = row[place].strip() if place < len(row) else ""
            if cell.lower() in NONE:
                raise UserError(f"line {number} has no {name}", where=where)
            cells[name].append(cell)
    return _Rows(
        tuple(cells["network"]), tuple(cells["region"]) if region is not None else None
    )

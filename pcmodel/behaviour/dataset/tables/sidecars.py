"""JSON side-cars of BIDS files: allowed values and units by column.

Those that apply to a file are beside it or in a folder above; what the nearest says of a
column replaces all that those above say of it. Differences among files are refused where
the column is used.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pcmodel.behaviour.dataset.tables.entities import entities
from pcmodel.errors import UserError
from pcmodel.inputs.files import parse_json, read_text

Levels = Mapping[str, str]  # the meaning of each value, "" where it is not given


class SidecarContents(NamedTuple):
    """The contents of the side-cars of many files, by column.

    levels: the values and their meanings.
    units: of the values.
    unlike: where files differ, a complaint and the key in which they differ.
    units_by_file: by file the units, where they differ.
    """

    levels: dict[str, Levels]
    units: dict[str, str]
    unlike: dict[str, tuple[str, ...]]
    units_by_file: dict[str, dict[str, str]]


def sidecar_contents(files: Sequence[Path], folder: Path) -> SidecarContents:
    """The contents of the side-cars of these files; differences among files are noted."""
    sidecars = dict.fromkeys(s for file in files for s in sidecars_of(file, folder))
    read = {sidecar: read_sidecar(sidecar) for sidecar in sidecars}
    contents, units = SidecarContents({}, {}, {}, {}), dict[str, dict[str, str]]()
    first: dict[tuple[str, str], tuple[str, Any]] = {}
    for file in files:
        for name, (source, about) in _nearest(file, folder, read).items():
            for key, of in (("Levels", levels_of), ("Units", units_of)):
                found = of(about)
                if found is None:
                    continue
                if isinstance(found, str):
                    units.setdefault(name, {})[file.name] = found
                before, other = first.setdefault((name, key), (source, found))
                if _alike(found) != _alike(other):
                    contents.unlike[name] = (
                        f"has other {key} in {before} ({_shown(other)}) than in {source} "
                        f"({_shown(found)})",
                        key,
                    )
    for name, (_, key) in contents.unlike.items():
        if key == "Units":
            contents.units_by_file[name] = units[name]
    for (name, key), (_, found) in first.items():
        (contents.levels if key == "Levels" else contents.units)[name] = found
    return contents


def _nearest(
    file: Path, folder: Path, read: Mapping[Path, Mapping[str, Any]]
) -> dict[str, tuple[str, Any]]:
    """By column, the name of the nearest side-car that speaks of it and what it says."""
    found: dict[str, tuple[Path, Any]] = {}
    for sidecar in sidecars_of(file, folder):
        for name, about in read[sidecar].items():
            before = found.get(name)
            if before and before[0].parent == sidecar.parent and before[1] != about:
                raise UserError(
                    f"says another thing of {name!r} than {before[0].name} beside it, and "
                    f"both are about {file.name}",
                    where=sidecar.name,
                    expected="one of them",
                )
            found[name] = sidecar, about
    return {name: (sidecar.name, about) for name, (sidecar, about) in found.items()}


def _alike(found: Any) -> Any:
    """Levels or a unit without differences of case and spaces."""
    if isinstance(found, str):
        return found.strip().lower()
    return {level: " ".join(text.lower().split()) for level, text in found.items()}


def _shown(found: Any) -> str:
    if isinstance(found, str):
        return found
    pairs = (f"{level}: {text}" if text else level for level, text in found.items())
    return ", ".join(pairs)


def sidecars_of(path: Path, folder: Path) -> list[Path]:
    """The side-cars that apply to a file, the nearest last."""
    places = [p for p in path.parents if p == folder or folder in p.parents]
    found = []
    for place in reversed(places):
        found += [s for s in sorted(place.glob("*.json")) if _applies(s, path)]
    return found


def _applies(sidecar: Path, path: Path) -> bool:
    """BIDS inheritance: the suffix is the same and every entity it names agrees."""
    same = sidecar.stem.rsplit("_", 1)[-1] == path.stem.rsplit("_", 1)[-1]
    return same and entities(sidecar).items() <= entities(path).items()


def levels_and_units(sidecar: Path) -> tuple[dict[str, Levels], dict[str, str]]:
    """The levels and the units in a side-car, by column."""
    levels, units = {}, {}
    for name, about in read_sidecar(sidecar).items():
        if (found := levels_of(about)) is not None:
            levels[name] = found
        if (unit := units_of(about)) is not None:
            units[name] = unit
    return levels, units


def levels_of(about: Any) -> Levels | None:
    """The values of a column and their meanings, from the side-car's entry about it."""
    levels = about.get("Levels") if isinstance(about, Mapping) else None
    if isinstance(levels, dict):
        return {level: _meaning(text) for level, text in levels.items()}
    if isinstance(levels, list):
        return {_as_cell(level): "" for level in levels}
    return None


def units_of(about: Any) -> str | None:
    """The unit of a column, from the side-car's entry about it."""
    units = about.get("Units") if isinstance(about, Mapping) else None
    return units if isinstance(units, str) else None


def _meaning(text: Any) -> str:
    """The meaning of a level: BIDS allows a sentence, or an object with one."""
    if isinstance(text, Mapping):
        text = text.get("Description", "")
    return text if isinstance(text, str) else ""


def _as_cell(level: Any) -> str:
    return json.dumps(level) if isinstance(level, bool) else str(level)


def read_sidecar(sidecar: Path) -> dict[str, Any]:
    """The object in a JSON file; UserError for anything else."""
    content = parse_json(read_text(sidecar), where=sidecar.name)
    if not isinstance(content, dict):
        raise UserError("is not an object", where=sidecar.name, expected="{...}")
    return content

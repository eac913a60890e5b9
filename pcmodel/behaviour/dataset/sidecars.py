"""JSON side-cars of BIDS files: allowed values and units by column.

Those that apply to a file lie beside it or in a folder above, the nearest winning.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pcmodel.behaviour.dataset.entities import entities
from pcmodel.errors import UserError
from pcmodel.reading import parse_json, read_text


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


def levels_and_units(
    sidecar: Path,
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """What a side-car says of its columns."""
    levels, units = {}, {}
    for name, about in read_sidecar(sidecar).items():
        if not isinstance(about, Mapping):
            continue
        if isinstance(about.get("Levels"), dict | list):
            levels[name] = tuple(_as_cell(level) for level in about["Levels"])
        if isinstance(about.get("Units"), str):
            units[name] = about["Units"]
    return levels, units


def _as_cell(level: Any) -> str:
    return json.dumps(level) if isinstance(level, bool) else str(level)


def read_sidecar(sidecar: Path) -> dict[str, Any]:
    """The object in a JSON file; UserError for anything else."""
    content = parse_json(read_text(sidecar), where=sidecar.name)
    if not isinstance(content, dict):
        raise UserError("is not an object", where=sidecar.name, expected="{...}")
    return content

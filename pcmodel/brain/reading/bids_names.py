"""The entities of BIDS file names, and the series among the files of a folder."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pcmodel.errors import UserError
from pcmodel.inputs.files import shown

ENTITY = re.compile(r"(?:^|_)([a-z]+)-([A-Za-z0-9+]+)(?=_|\.|$)")
SUFFIX = "_timeseries"
KINDS = (".csv", ".tsv", ".npy", ".npz")


def entities(path: Path) -> dict[str, str]:
    """The key-value pairs of a file's name.

    >>> entities(Path("sub-01_ses-drug_task-rest_timeseries.tsv"))
    {'sub': '01', 'ses': 'drug', 'task': 'rest'}
    """
    return dict(ENTITY.findall(path.name))


def is_confounds(path: Path) -> bool:
    """Whether a file's name says that it holds confounds, which fMRIPrep writes with the suffix of series."""
    return entities(path).get("desc", "").startswith("confounds")


def series_files(path: Path, only: Mapping[str, str]) -> list[Path]:
    """The file itself, or of a folder all `*_timeseries.tsv` (or .csv) below it but confounds; in order of names.

    only: entities that the names of a folder's files must have.
    Raises UserError for a folder without any, and for an entity that none has.
    """
    if not os.path.isdir(path):  # also of a path too long to be one
        return [path]
    found = sorted(
        file
        for file in path.rglob(f"*{SUFFIX}.*")
        if file.suffix in (".tsv", ".csv")
        and not file.name.startswith(".")
        and not is_confounds(file)
    )
    if not found:
        raise UserError(
            "holds no *_timeseries.tsv",
            where=shown(path),
            expected="derivatives with series of regions, or the files themselves",
        )
    for key, value in only.items():
        have = sorted({entities(file).get(key, "") for file in found} - {""})
        found = [file for file in found if entities(file).get(key) == value]
        if not found:
            raise UserError(
                f"no *_timeseries file there has {key}-{value}",
                where=shown(path),
                expected=f"one of: {', '.join(have)}" if have else f"names with {key}-",
            )
    return found

"""The parts of the name of a BIDS file."""

import re
from pathlib import Path

ENTITY = re.compile(r"(?:^|_)([a-z]+)-([A-Za-z0-9]+)(?=_|\.|$)")


def entities(path: Path) -> dict[str, str]:
    """The key-value pairs of a BIDS file name.

    >>> entities(Path("sub-01_task-coin_run-2_beh.tsv"))
    {'sub': '01', 'task': 'coin', 'run': '2'}
    """
    return dict(ENTITY.findall(path.name))


def suffix_of(path: Path) -> str:
    """The last part of the name: `beh` or `events`."""
    return path.name.partition(".")[0].rsplit("_", 1)[-1]


def in_order(path: Path) -> tuple[tuple[str, ...], int, str]:
    """A sorting key: person, session and task, then the number of the run, 2 before 10."""
    own = entities(path)
    run = own.get("run", "")
    names = tuple(own.get(key, "") for key in ("sub", "ses", "task"))
    return names, int(run) if run.isdecimal() else 0, path.as_posix()

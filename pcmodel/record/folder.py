"""One run, one folder: `runs/<name>-<config hash>-<seed>/`.

`status.json` says `running` from the first moment and is written last, so a folder
that says `complete` is complete. A kill, Ctrl-C or error leaves every finished
part in place and a status that tells what happened.
"""

import hashlib
import os
import platform
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from json import JSONDecodeError, loads
from pathlib import Path
from typing import Any

from pcmodel.errors import UserError
from pcmodel.record.files import TEMPORARY, unwritable, write_arrays, write_bytes
from pcmodel.record.files import write_json as write_json_file
from pcmodel.record.strict_json import dump_json

STATUS = "status.json"
RUNNING, COMPLETE = "running", "complete"
INTERRUPTED, FAILED = "interrupted", "failed"

# What a run writes, and all that starting it again may delete.
OWN_FILES = (
    "config.json",
    "environment.json",
    "arrays.npz",
    "result.json",
    "report.html",
    "error.txt",
    "posterior.nc",
    "network.npz",
)


@dataclass(frozen=True)
class RunIdentity:
    """What makes two runs the same run: they must end in the same numbers."""

    experiment: str
    config: Any
    seed: int
    float64: bool = False

    @property
    def config_hash(self) -> str:
        """Eight hex digits of everything but the seed."""
        parts = [self.experiment, self.config, self.float64]
        text = dump_json(parts, indent=None)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def folder_name(self) -> str:
        """The name under `runs/` that this run always gets."""
        return f"{self.experiment}-{self.config_hash}-{self.seed}"


class RunFolder:
    """The folder of a run in progress. Make one with `RunFolder.start`."""

    def __init__(self, path: Path, identity: RunIdentity):
        self.path = path
        self.identity = identity
        self._status: dict[str, Any] = {}
        self._clock = time.perf_counter()

    @classmethod
    def start(
        cls, path: Path, identity: RunIdentity, *, overwrite: bool = False
    ) -> "RunFolder":
        """Claim the folder and mark it running.

        Refuses, with a sentence, a folder that holds something else, a run that is
        still going on, and a complete run unless `overwrite`. An unfinished run is
        started again; only files that a run writes are ever deleted.
        """
        _check_free(path, overwrite)
        folder = cls(path, identity)
        try:
            path.mkdir(parents=True, exist_ok=True)
            _clear(path)
        except OSError as error:
            raise unwritable(path, error) from error
        folder._begin()
        return folder

    @classmethod
    def reopen(cls, path: Path, identity: RunIdentity) -> "RunFolder":
        """A complete run's folder, to write its page anew; nothing is deleted."""
        return cls(path, identity)

    def _begin(self) -> None:
        self._status = {
            "status": RUNNING,
            "experiment": self.identity.experiment,
            "seed": self.identity.seed,
            "config_hash": self.identity.config_hash,
            "started": _now(),
            "finished": None,
            "wall_seconds": None,
            "process": os.getpid(),
            "host": platform.node(),
            "reason": None,
        }
        self.write_json(STATUS, self._status)
        self.write_json("config.json", self.identity.config)

    def finish(self, status: str, reason: str | None = None) -> None:
        """Write the final status; the last write of every run."""
        self._status |= {
            "status": status,
            "finished": _now(),
            "wall_seconds": round(self.wall_seconds, 3),
            "reason": reason,
        }
        self.write_json(STATUS, self._status)

    @property
    def wall_seconds(self) -> float:
        """Seconds since the run started."""
        return time.perf_counter() - self._clock

    def write_json(self, name: str, value: Any) -> None:
        """Write one JSON file of the record."""
        write_json_file(self.path / name, value)

    def write_text(self, name: str, text: str) -> None:
        """Write one text file of the record."""
        write_bytes(self.path / name, text.encode())

    def write_arrays(self, name: str, arrays: dict[str, Any]) -> None:
        """Write one .npz file of the record."""
        write_arrays(self.path / name, arrays)

    def write_figure(self, name: str, png: bytes) -> Path:
        """Write `figures/<name>.png`."""
        path = self.path / "figures" / f"{name}.png"
        write_bytes(path, png)
        return path


def read_status(path: Path) -> dict[str, Any] | None:
    """The status of a run folder, or None when `path` is not one."""
    try:
        status = loads((path / STATUS).read_text())
    except (OSError, JSONDecodeError, UnicodeDecodeError):
        return None
    return status if isinstance(status, dict) and "config_hash" in status else None


def is_complete(path: Path, identity: RunIdentity) -> bool:
    """Whether this very run has already been finished at `path`."""
    status = read_status(path)
    return bool(
        status
        and status["status"] == COMPLETE
        and status["experiment"] == identity.experiment
        and status["config_hash"] == identity.config_hash
        and status["seed"] == identity.seed
    )


def read_revision(path: Path) -> str | None:
    """The git revision that made the run at `path`, where it was recorded."""
    try:
        return loads((path / "environment.json").read_text())["git_revision"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _check_free(path: Path, overwrite: bool) -> None:
    where = str(path)
    try:
        occupied = path.exists() and (not path.is_dir() or any(path.iterdir()))
    except OSError as error:
        raise unwritable(path, error) from error
    if not occupied:
        return
    status = read_status(path)
    if status is None:
        raise UserError(
            "holds files that are not a run of pcmodel",
            where=where,
            expected="an empty or new folder",
        )
    if status["status"] == COMPLETE and not overwrite:
        raise UserError(
            f"holds a complete run of {status['experiment']}",
            where=where,
            expected="another --output, or --overwrite to replace it",
        )
    if status["status"] == RUNNING and _is_alive(status):
        raise UserError(
            f"process {status['process']} is still writing this run",
            where=where,
            expected="that it ends first, or another --output",
        )


def _is_alive(status: dict[str, Any]) -> bool:
    """Whether the process that said `running` still exists, on this machine."""
    if status.get("host") != platform.node():
        return False
    # On Windows, asking with signal 0 would end the process that is asked about.
    if status.get("process") == os.getpid() or os.name == "nt":
        return False
    try:
        os.kill(status["process"], 0)
    except PermissionError:
        return True
    except (OSError, TypeError, KeyError):
        return False
    return True


def _clear(path: Path) -> None:
    figures = path / "figures"
    stale = [path / name for name in OWN_FILES]
    stale += [*figures.glob("*.png"), *path.glob(f".*{TEMPORARY}")]
    stale += figures.glob(f".*{TEMPORARY}")
    for file in stale:
        file.unlink(missing_ok=True)
    with suppress(OSError):  # keep a figures folder that holds something else
        figures.rmdir()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

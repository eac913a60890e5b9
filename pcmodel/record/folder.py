"""One run, one folder: `runs/<name>-<config hash>-<seed>/`.

`status.json` says `running` from the start and is written last, so a folder
whose status is `complete` is complete. A kill, Ctrl-C or error leaves every finished
part in place and a status that says what happened.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import read_json, shown
from pcmodel.record.files import TEMPORARY, unwritable, write_arrays, write_bytes
from pcmodel.record.files import write_json as write_json_file
from pcmodel.record.processes import LOCK, alone, is_alive, this_process
from pcmodel.record.strict_json import dump_json, hash_json

STATUS = "status.json"
RUNNING, COMPLETE = "running", "complete"
INTERRUPTED, FAILED = "interrupted", "failed"

REQUIRED = ("status", "experiment", "config_hash")
"""The entries, all text, that a status must have."""

# The files that a run writes; only these may be deleted when it is restarted.
OWN_FILES = (
    "config.json",
    "environment.json",
    "arrays.npz",
    "result.json",
    "report.html",
    "error.txt",
    "posterior.nc",
    "participants.csv",
    "trials.csv",
    "effects.csv",
    "sensitivity.csv",
    "columns.json",
    "network.npz",
    "measures.csv",
    "comparison.csv",
    "people.csv",
)


STORES = ("replications-", "chunks-", "jobs")
"""How the names of folders begin in which jobs compute before the run itself starts."""


@checked_arguments
@dataclass(frozen=True)
class RunIdentity:
    """What distinguishes a run: two runs of equal identity give the same numbers.

    experiment: its name.
    config: its options.
    seed: of its random numbers.
    float64: whether it computes in double precision.
    """

    experiment: str
    config: Any
    seed: int
    float64: bool = False

    @property
    def config_hash(self) -> str:
        """Eight hex digits of everything but the seed."""
        parts = [self.experiment, self.config, self.float64]
        return hash_json(parts)[:8]

    @property
    def folder_name(self) -> str:
        """The name of the run's folder under `runs/`."""
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

        An unfinished run is restarted; only files that a run writes are ever deleted.
        Raises UserError for a folder that holds something else, a run that is still in
        progress, and a complete run unless `overwrite`.
        """
        _check_free(path, overwrite)
        folder = cls(path, identity)
        try:
            path.mkdir(parents=True, exist_ok=True)
            with alone(path):
                _check_free(
                    path, overwrite
                )  # another process may have claimed it in between
                _clear(path)
                folder._begin()
        except OSError as error:
            raise unwritable(path, error) from error
        return folder

    @classmethod
    def reopen(cls, path: Path, identity: RunIdentity) -> "RunFolder":
        """The folder of a complete run, to write its page again; nothing is deleted."""
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
            **this_process(),
            "reason": None,
        }
        self.write_json(STATUS, self._status)
        try:
            self.write_json("config.json", self.identity.config)
        except UserError as error:
            self.finish(FAILED, str(error))
            raise

    def finish(self, status: str, reason: str | None = None) -> None:
        """Write the final status; the last write of every run."""
        self._status |= {
            "status": status,
            "finished": _now(),
            "wall_seconds": round(self.wall_seconds, 3),
            "reason": reason,
        }
        try:
            self.write_json(STATUS, self._status)
        except UserError:  # on a full disk a file can still be overwritten in place
            if not _overwrite(self.path / STATUS, self._status):
                raise

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
        status = read_json(path / STATUS)
    except UserError:
        return None
    is_status = isinstance(status, dict) and all(
        isinstance(status.get(name), str) for name in REQUIRED
    )
    return status if is_status else None


def is_complete(path: Path, identity: RunIdentity) -> bool:
    """Whether the run of this identity is complete at `path`."""
    status = read_status(path)
    return bool(
        status
        and status["status"] == COMPLETE
        and status["experiment"] == identity.experiment
        and status["config_hash"] == identity.config_hash
        and status.get("seed") == identity.seed
    )


def read_revision(path: Path) -> str | None:
    """The git revision of the code that made the run at `path`; None if not recorded."""
    try:
        recorded = read_json(path / "environment.json")
    except UserError:
        return None
    revision = recorded.get("git_revision") if isinstance(recorded, dict) else None
    return revision if isinstance(revision, str) else None


def _check_free(path: Path, overwrite: bool) -> None:
    where = str(path)
    try:
        occupied = path.exists() and (
            not path.is_dir()
            or any(
                inside.name != LOCK and not inside.name.startswith(STORES)
                for inside in path.iterdir()
            )
        )
    except OSError as error:
        raise unwritable(path, error) from error
    except ValueError as error:  # a zero byte in the name
        raise UserError(f"cannot be a folder ({error})", where=shown(path)) from None
    if not occupied:
        return
    if not path.is_dir():
        raise UserError("is a file", where=where, expected="an empty or new folder")
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
    if status["status"] == RUNNING and is_alive(status):
        raise UserError(
            f"process {status['process']} is still writing this run",
            where=where,
            expected="that it ends first, or another --output",
        )


def _overwrite(path: Path, status: dict[str, Any]) -> bool:
    """Overwrite an existing file in place, which works on a full disk; returns whether it did."""
    content = (dump_json(status, indent=None) + "\n").encode()
    try:
        with open(path, "r+b") as file:
            file.write(content)
            file.truncate()
    except OSError:
        return False
    return True


def _clear(path: Path) -> None:
    figures = path / "figures"
    stale = [path / name for name in OWN_FILES]
    stale += [*figures.glob("*.png"), *path.glob(f".*{TEMPORARY}")]
    stale += figures.glob(f".*{TEMPORARY}")
    for file in stale:
        file.unlink(missing_ok=True)
    with suppress(OSError):  # a figures folder with other files is kept
        figures.rmdir()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

"""Checkpoints of training: each is complete or absent, and each array has a checksum.

The arrays are written by orbax, which restores corrupted bytes without an error; so a SHA-256 of every
array, and of every file, lies beside them and is checked before anything is returned.  A checkpoint is
written to a hidden folder and renamed when complete: a kill or a full disk leaves earlier ones unchanged.

The newest few and the best are kept.  Not promised: resuming bit for bit on another device or
version (another version is refused unless asked for), and surviving a power failure.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import read_json
from pcmodel.inputs.hashes import hash_array, hash_bytes
from pcmodel.inputs.ranges import Count
from pcmodel.record.environment import package_versions
from pcmodel.record.files import unwritable, write_json
from pcmodel.record.leaves import (
    Leaf,
    check_leaves,
    from_json,
    name_arrays,
    rebuild,
)
from pcmodel.record.strict_json import hash_json, to_jsonable

FORMAT = 1
METADATA = "metadata.json"
ARRAYS = "arrays"
VERSIONS = ("pcmodel", "jax")
ENTRIES = {"identity": dict, "versions": dict, "leaves": list, "files": dict}
"""The entries of the metadata and their types."""


class Restored(NamedTuple):
    """A restored checkpoint.

    state: like the template.
    step: that it was saved at.
    notes: that were saved with it.
    """

    state: Any
    step: int
    notes: Any


@checked_arguments
class Checkpoints:
    """The checkpoints of one run, in one folder.

    **Arguments:**

    - `folder`: made by the first `save`.
    - `identity`: what must be equal for a checkpoint to be restored, by name: a description of the
      network, a hash of the configuration. A difference is refused by its name.
    - `keep`: how many of the newest are kept besides the best.
    - `any_version`: also restore checkpoints written by other versions of pcmodel or jax.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        identity: Mapping[str, Any],
        *,
        keep: Count = 2,
        any_version: bool = False,
    ):
        self.folder = Path(folder).absolute()
        self.identity = to_jsonable(dict(identity))
        self.keep = keep
        self.any_version = any_version

    def steps(self) -> list[int]:
        """The steps of all complete checkpoints, oldest first."""
        return sorted(_numbered(self.folder))

    def best(self) -> int | None:
        """The step with the highest metric, the earliest of equals; None if none has one."""
        metrics = {step: self._metric(step) for step in self.steps()}
        known = {step: value for step, value in metrics.items() if value is not None}
        return max(known, key=lambda step: (known[step], -step)) if known else None

    def save(
        self, step: int, state: Any, *, metric: float | None = None, notes: Any = None
    ) -> Path:
        """Write one checkpoint, then delete those that are neither among the newest nor best.

        metric: higher is better.
        notes: any JSON value, returned by `restore`.
        Raises UserError where the disk is full or the write fails; earlier checkpoints are untouched.
        """
        named, target = name_arrays(state), self._path(step)
        partial = self.folder / f".{target.name}.partial"
        metadata = {
            "format": FORMAT,
            "step": int(step),
            "metric": None if metric is None else float(metric),
            "identity": self.identity,
            "versions": _versions(),
            "notes": to_jsonable(notes),
            "leaves": [to_jsonable(leaf) for leaf in named.leaves],
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            partial.mkdir()
            _write_arrays(partial / ARRAYS, named.arrays)
            metadata["files"] = _checksums(partial / ARRAYS)
            write_json(partial / METADATA, metadata | {"sha256": hash_json(metadata)})
            _remove(target)
            os.replace(partial, target)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        self._drop()
        return target

    def restore(self, template: Any, step: int | None = None) -> Restored:
        """The newest checkpoint, or that of `step`, as a state like `template`.

        Raises UserError, naming the checkpoint, for one that is missing, damaged, or of another
        network, configuration or version. If it is damaged, an earlier one can be restored by `step`.
        """
        step = self._choose(step)
        path = self._path(step)
        metadata = self._read(step)
        self._check_identity(metadata, path)
        try:
            leaves = [from_json(record) for record in metadata["leaves"]]
        except (KeyError, TypeError) as error:
            raise self._damaged(step, f"{METADATA} describes no arrays") from error
        check_leaves(template, leaves, where=str(path))
        arrays = self._arrays(step, leaves, metadata["files"])
        return Restored(rebuild(template, arrays), step, metadata["notes"])

    def discard_after(self, step: int) -> None:
        """Delete the checkpoints after `step`, when a run is resumed from there."""
        for later in self.steps():
            if later > step:
                _remove(self._path(later))

    def _choose(self, step: int | None) -> int:
        steps = self.steps()
        if not steps:
            raise UserError("holds no checkpoint", where=str(self.folder))
        if step is not None and step not in steps:
            raise UserError(
                f"holds no checkpoint of step {step}",
                where=str(self.folder),
                expected=f"one of: {', '.join(map(str, steps))}",
            )
        return steps[-1] if step is None else step

    def _path(self, step: int) -> Path:
        return self.folder / f"step_{step:08d}"

    def _read(self, step: int) -> dict[str, Any]:
        try:
            metadata = read_json(self._path(step) / METADATA)
            checksum = metadata.pop("sha256")
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise self._damaged(step, f"{METADATA} cannot be read") from error
        if metadata.get("format") != FORMAT:
            raise UserError(
                f"has format {metadata.get('format')!r}",
                where=str(self._path(step)),
                expected=f"{FORMAT}, the one this version of pcmodel reads",
            )
        if checksum != hash_json(metadata):
            raise self._damaged(step, f"{METADATA} does not match its checksum")
        for name, kind in ENTRIES.items():
            if not isinstance(metadata.get(name), kind):
                raise self._damaged(step, f"{METADATA} does not say its {name}")
        return metadata

    def _check_identity(self, metadata: Mapping[str, Any], path: Path) -> None:
        theirs = metadata["identity"]
        for name in [*self.identity, *theirs]:
            ours, found = self.identity.get(name), theirs.get(name)
            if ours != found:
                raise UserError(
                    f"is of another {name} ({_short(found)})",
                    where=str(path),
                    expected=_short(ours),
                )
        versions = _versions()
        if metadata["versions"] != versions and not self.any_version:
            raise UserError(
                f"was written with {_list(metadata['versions'])}, which does not promise the "
                f"same numbers as {_list(versions)}",
                where=str(path),
                expected="the same versions, or any_version to go on all the same",
            )

    def _arrays(
        self, step: int, leaves: list[Leaf], files: Mapping[str, str]
    ) -> list[np.ndarray]:
        self._check_files(step, files)
        try:
            stored = _read_arrays(self._path(step) / ARRAYS)
        except Exception as error:  # orbax and its store raise exceptions of any type
            raise self._damaged(step, "its arrays cannot be read") from error
        arrays = []
        for number, leaf in enumerate(leaves):
            empty = np.zeros(leaf.shape, leaf.dtype) if 0 in leaf.shape else None
            array = stored.get(_key(number), empty)
            if array is None or hash_array(array) != leaf.sha256:
                reason = f"array {leaf.name} does not match its checksum"
                raise self._damaged(step, reason)
            arrays.append(array)
        return arrays

    def _check_files(self, step: int, files: Mapping[str, str]) -> None:
        """Check the files before orbax reads them: it reports some damage from its own threads."""
        try:
            found = _checksums(self._path(step) / ARRAYS)
        except OSError as error:
            raise self._damaged(step, f"{error.filename} cannot be read") from error
        for name, checksum in files.items():
            if found.get(name) != checksum:
                state = "does not match its checksum" if name in found else "is missing"
                raise self._damaged(step, f"{ARRAYS}/{name} {state}")

    def _damaged(self, step: int, reason: str) -> UserError:
        before = [earlier for earlier in self.steps() if earlier < step]
        instead = f"step={before[-1]} for the one before it" if before else None
        return UserError(
            f"is damaged: {reason}", where=str(self._path(step)), expected=instead
        )

    def _metric(self, step: int) -> float | None:
        try:
            metric = self._read(step).get("metric")
        except UserError:
            return None
        return metric if isinstance(metric, int | float) else None

    def _drop(self) -> None:
        steps, best = self.steps(), self.best()
        for step in steps[: -self.keep]:
            if step != best:
                _remove(self._path(step))

    def _sweep(self) -> None:
        """Delete incomplete checkpoints of killed processes."""
        for stale in self.folder.glob(".step_*"):
            shutil.rmtree(stale, ignore_errors=True)


def _numbered(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    found = [re.fullmatch(r"step_(\d{8,})", path.name) for path in folder.iterdir()]
    return [int(match[1]) for match in found if match]


def _remove(path: Path) -> None:
    """Delete a checkpoint so that a kill during it leaves no incomplete one visible."""
    if path.exists():
        hidden = path.with_name(f".{path.name}.dropped")
        shutil.rmtree(hidden, ignore_errors=True)
        os.replace(path, hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def _write_arrays(path: Path, arrays: tuple[np.ndarray, ...]) -> None:
    held = {_key(n): array for n, array in enumerate(arrays) if array.size}
    try:
        _checkpointer().save(path, held)
    except ValueError as error:  # the array store's error for a failed write
        code = re.search(r"os_error_code='(\d+)'", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1]))) from error


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    return {
        key: np.asarray(value) for key, value in _checkpointer().restore(path).items()
    }


def _checkpointer() -> Any:
    """Orbax, which takes seconds to import; each process reads and writes on its own."""
    import jax
    import orbax.checkpoint as ocp

    here = jax.process_index()
    options = ocp.options.MultiprocessingOptions(
        primary_host=here, active_processes={here}
    )
    if jax.process_count() == 1:
        return ocp.PyTreeCheckpointer()
    return ocp.Checkpointer(
        ocp.PyTreeCheckpointHandler(multiprocessing_options=options),
        multiprocessing_options=options,
    )


def _checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hash_bytes(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _key(number: int) -> str:
    return f"array_{number:05d}"


def _versions() -> dict[str, str | None]:
    every = package_versions()
    return {name: every[name] for name in VERSIONS}


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _list(versions: Mapping[str, Any]) -> str:
    return " and ".join(f"{name} {value}" for name, value in versions.items())

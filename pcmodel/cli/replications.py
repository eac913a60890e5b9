"""What long computations have finished, one file each, so that an interrupted one goes on."""

import io
import shutil
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np

from pcmodel.reading import UNREADABLE_ARCHIVE
from pcmodel.record.files import write_arrays
from pcmodel.record.folder import RunIdentity


class StoredReplications(MutableMapping[int, Any]):
    """Named tuples of arrays by number, in one folder."""

    def __init__(self, folder: Path, kind: type):
        self._folder, self._kind = folder, kind

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:05d}.npz"

    def __getitem__(self, number: int) -> Any:
        try:
            whole = io.BytesIO(self._path(number).read_bytes())
            with np.load(whole) as arrays:
                return self._kind(**{name: arrays[name] for name in arrays.files})
        except UNREADABLE_ARCHIVE:
            raise KeyError(number) from None

    def __setitem__(self, number: int, row: Any) -> None:
        write_arrays(self._path(number), row._asdict())

    def __delitem__(self, number: int) -> None:
        self._path(number).unlink()

    def clear(self) -> None:
        """Delete all, torn ones too."""
        for number in self:
            del self[number]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(int(path.stem) for path in self._folder.glob("*.npz")))

    def __len__(self) -> int:
        return len(list(self._folder.glob("*.npz")))


def open_chunks(
    folder: Path, identity: RunIdentity, *, anew: bool
) -> Callable[[str], Any]:
    """Where this very run keeps the chunks of its chains, by the name of the fit.

    anew: forget those that are there.
    """
    from pcmodel.behaviour.chains import Chunk

    own = folder / f"chunks-{identity.config_hash}-{identity.seed}"

    def store(name: str) -> Any:
        stored = StoredReplications(own / name, Chunk)
        if anew:
            stored.clear()
        return stored

    return store


def drop_chunks(folder: Path) -> None:
    """Remove what a complete run needs no longer."""
    for path in folder.glob("chunks-*"):
        shutil.rmtree(path, ignore_errors=True)

"""Stores of the finished parts of long computations, one file each, so that an interrupted run is resumed."""

import io
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from pcmodel.inputs.files import UNREADABLE_ARCHIVE
from pcmodel.record.files import write_arrays


class StoredReplications(MutableMapping[int, Any]):
    """A mapping from numbers to named tuples of arrays, stored in one folder."""

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
        """Delete all entries, including truncated ones."""
        for number in self:
            del self[number]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(int(path.stem) for path in self._folder.glob("*.npz")))

    def __len__(self) -> int:
        return len(list(self._folder.glob("*.npz")))


class BesideOthers(MutableMapping[int, Any]):
    """A store that also reads the entries of other runs' stores, and writes only its own."""

    def __init__(
        self, own: MutableMapping[int, Any], others: Sequence[StoredReplications]
    ):
        self._own, self._others = own, others

    def __getitem__(self, number: int) -> Any:
        for stored in (self._own, *self._others):
            with suppress(KeyError):
                return stored[number]
        raise KeyError(number)

    def __setitem__(self, number: int, row: Any) -> None:
        self._own[number] = row

    def __delitem__(self, number: int) -> None:
        del self._own[number]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted({n for s in (self._own, *self._others) for n in s}))

    def __len__(self) -> int:
        return len(list(iter(self)))

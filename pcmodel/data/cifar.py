"""The binary format of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of fixed length, no header.

A record is one label byte (in CIFAR-100 two, of the coarse and of the fine class), then the 1,024
red, the 1,024 green and the 1,024 blue values of a 32 x 32 image, each in row-major order.
"""

import gzip
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from pcmodel.data.checks import check_labels
from pcmodel.data.idx import damaged, read_bytes
from pcmodel.errors import UserError

SIDE = 32
NUM_CHANNELS = 3
PIXELS = NUM_CHANNELS * SIDE**2


class Format(NamedTuple):
    """The files of one of the two data sets.

    train: names of the files of training images, in their order.
    test: name of the file of test images.
    label_bytes: of each record, the last of which is the class.
    num_classes: the number of classes.
    """

    train: tuple[str, ...]
    test: str
    label_bytes: int
    num_classes: int

    @property
    def names(self) -> tuple[str, ...]:
        """All files."""
        return (*self.train, self.test)


TEN = Format(
    tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    "test_batch.bin",
    label_bytes=1,
    num_classes=10,
)
HUNDRED = Format(("train.bin",), "test.bin", label_bytes=2, num_classes=100)

Batch = tuple[UInt8[np.ndarray, "n height width channels"], UInt8[np.ndarray, " n"]]


def parse_batch(content: bytes, where: str, kind: Format = TEN) -> Batch:
    """Images (n, 32, 32, 3) and labels of one batch of any number of records.

    UserError naming `where` for content that is no whole number of records, and for labels out of
    range.
    """
    record = kind.label_bytes + PIXELS
    if not content or len(content) % record:
        raise UserError(
            f"holds {len(content)} bytes",
            where=where,
            expected=f"whole records of {record} bytes",
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, record)
    labels = records[:, kind.label_bytes - 1].copy()
    check_labels(labels, len(records), num_classes=kind.num_classes, where=where)
    planes = records[:, kind.label_bytes :].reshape(-1, NUM_CHANNELS, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


def read_folder(folder: Path, kind: Format = TEN) -> dict[str, Batch]:
    """All batches of a folder of `.bin` files; UserError where one is missing or damaged."""
    missing = [name for name in kind.names if not (folder / name).exists()]
    if missing:
        raise UserError(
            f"there is no {missing[0]}",
            where=str(folder),
            expected=f"{', '.join(kind.names)}",
        )
    return {
        name: parse_batch(read_bytes(folder / name), str(folder / name), kind)
        for name in kind.names
    }


def read_archive(
    path: Path, kind: Format = TEN, *, original: str = ""
) -> dict[str, Batch]:
    """All batches of a `.tar.gz`, which is not unpacked to the disk.

    `original` describes the published file (its checksum) for messages. UserError where a batch is
    missing or the archive is damaged.
    """
    try:
        contents = _members(path, kind.names)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise damaged(path, error, original) from error
    return _parsed(contents, path, kind)


def _members(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    contents = {}
    # tarfile's own decompression ignores gzip's checksum, which is at the end.
    with gzip.open(path) as file:
        with tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                name = Path(member.name).name
                stream = archive.extractfile(member) if name in names else None
                if stream is not None:
                    contents[name] = stream.read()
        while file.read(1 << 20):
            pass
    return contents


def _parsed(
    contents: Mapping[str, bytes], path: Path, kind: Format
) -> dict[str, Batch]:
    missing = [name for name in kind.names if name not in contents]
    if missing:
        raise UserError(
            f"holds no {missing[0]}",
            where=str(path),
            expected=f"{', '.join(kind.names)}",
        )
    return {
        name: parse_batch(contents[name], f"{path}, {name}", kind)
        for name in kind.names
    }

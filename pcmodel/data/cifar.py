"""The binary format of CIFAR-10 (Krizhevsky 2009): records of fixed length, no header.

A record is one label byte, then the 1,024 red, the 1,024 green and the 1,024 blue values of a
32 x 32 image, each in row-major order.
"""

import gzip
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from pcmodel.data.checks import check_labels
from pcmodel.data.idx import damaged, read_bytes
from pcmodel.errors import UserError

SIDE = 32
NUM_CHANNELS = 3
NUM_CLASSES = 10
RECORD_BYTES = 1 + NUM_CHANNELS * SIDE**2
TRAIN_BATCHES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_BATCH = "test_batch.bin"
BATCHES = (*TRAIN_BATCHES, TEST_BATCH)

Batch = tuple[UInt8[np.ndarray, "n height width channels"], UInt8[np.ndarray, " n"]]


def parse_batch(content: bytes, where: str) -> Batch:
    """Images (n, 32, 32, 3) and labels of one batch of any number of records.

    UserError naming `where` for content that is no whole number of records, and for labels out of
    range.
    """
    if not content or len(content) % RECORD_BYTES:
        raise UserError(
            f"holds {len(content)} bytes",
            where=where,
            expected=f"whole records of {RECORD_BYTES} bytes (10,000 in an original batch)",
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD_BYTES)
    labels = records[:, 0].copy()
    check_labels(labels, len(records), num_classes=NUM_CLASSES, where=where)
    planes = records[:, 1:].reshape(-1, NUM_CHANNELS, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


def read_folder(folder: Path) -> dict[str, Batch]:
    """All six batches of a folder of `.bin` files; UserError where one is missing or damaged."""
    missing = [name for name in BATCHES if not (folder / name).exists()]
    if missing:
        raise UserError(
            f"there is no {missing[0]}",
            where=str(folder),
            expected=f"{', '.join(BATCHES)}",
        )
    return {
        name: parse_batch(read_bytes(folder / name), str(folder / name))
        for name in BATCHES
    }


def read_archive(path: Path, *, original: str = "") -> dict[str, Batch]:
    """All six batches of a `.tar.gz`, which is not unpacked to the disk.

    `original` describes the published file (its checksum) for messages. UserError where a batch is
    missing or the archive is damaged.
    """
    try:
        contents = _members(path)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise damaged(path, error, original) from error
    return _parsed(contents, path)


def _members(path: Path) -> dict[str, bytes]:
    contents = {}
    # tarfile's own decompression ignores gzip's checksum, which is at the end.
    with gzip.open(path) as file:
        with tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                name = Path(member.name).name
                stream = archive.extractfile(member) if name in BATCHES else None
                if stream is not None:
                    contents[name] = stream.read()
        while file.read(1 << 20):
            pass
    return contents


def _parsed(contents: Mapping[str, bytes], path: Path) -> dict[str, Batch]:
    missing = [name for name in BATCHES if name not in contents]
    if missing:
        raise UserError(
            f"holds no {missing[0]}", where=str(path), expected=f"{', '.join(BATCHES)}"
        )
    return {name: parse_batch(contents[name], f"{path}, {name}") for name in BATCHES}

"""The idx format of MNIST and similar data: a magic number, the sizes, then bytes.

Two zero bytes, a byte for the type of the values (8: unsigned bytes), a byte for the number of
axes, one big-endian 32-bit integer for the length of each axis, the values in row-major order.
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from pcmodel.errors import UserError

UNSIGNED_BYTE = 8
GZIP_MAGIC = b"\x1f\x8b"


def read_idx(
    path: Path, *, num_axes: int, original: str = ""
) -> UInt8[np.ndarray, "..."]:
    """The array in an idx file, compressed by gzip or not.

    `original` describes the published file (its checksum) for messages. UserError naming the file
    when it is unreadable, damaged or truncated, or holds another kind of array.
    """
    content = _decompressed(path, original)
    head = 4 + 4 * num_axes
    magic = bytes([0, 0, UNSIGNED_BYTE, num_axes])
    if content[:4] != magic or len(content) < head:
        raise UserError(
            f"begins with the bytes {content[:4].hex(' ') or '(none)'}",
            where=str(path),
            expected=f"{magic.hex(' ')}: an idx file of unsigned bytes, {num_axes} axes",
        )
    shape = tuple(int(n) for n in np.frombuffer(content[4:head], ">u4"))
    if len(content) - head != math.prod(shape):
        raise UserError(
            f"holds {len(content) - head} values",
            where=str(path),
            expected=f"the {' x '.join(map(str, shape))} its header announces",
        )
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def _decompressed(path: Path, original: str) -> bytes:
    content = read_bytes(path)
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, error, original) from error


def read_bytes(path: Path) -> bytes:
    """The file's content; UserError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot be read ({error.strerror})", where=str(path)
        ) from error


def damaged(path: Path, error: Exception, original: str = "") -> UserError:
    """The error for compressed data that cannot be decompressed."""
    return UserError(
        f"is damaged or cut short ({error})",
        where=str(path),
        expected=f"the original file{f' ({original})' if original else ''}",
    )

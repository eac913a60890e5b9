"""Files that appear whole or not at all.

Each is written under a temporary name beside its place, flushed to the disk, and
renamed: a reader, or the next run after a kill, never sees half a file.
"""

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pcmodel.errors import UserError
from pcmodel.record.strict_json import dump_json

TEMPORARY = ".partial"


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically. A refusal by the system is a UserError."""
    partial = path.with_name(f".{path.name}{TEMPORARY}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        _remove(partial)


def write_json(path: Path, value: Any) -> None:
    """Write a value as strict JSON, atomically."""
    write_bytes(path, (dump_json(value) + "\n").encode())


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as .npz, atomically; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    # np.savez takes the names as keywords, so an array could not be called "file".
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def unwritable(path: Path, error: OSError) -> UserError:
    """The one sentence for a place that cannot be written."""
    reason = error.strerror or type(error).__name__
    if isinstance(error, FileExistsError):  # a file stands where a folder should
        reason = "Not a directory"
    return UserError(
        f"cannot write there ({reason})",
        where=str(path),
        expected="a folder that can be written, named with --output",
    )


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:  # renamed already, or never made
        pass

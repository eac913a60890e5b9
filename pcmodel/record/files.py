"""Atomic writes: a file appears complete or not at all.

Each is written under a temporary name in the same folder, flushed to the disk, and
renamed: no reader, and no later run after a kill, sees a part of a file.
"""

import glob
import io
import os
import platform
import re
import threading
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import shown
from pcmodel.record.processes import is_alive
from pcmodel.record.strict_json import dump_json

TEMPORARY = ".partial"


@checked_arguments
def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically. Raises UserError where the system refuses."""
    partial = path.with_name(f".{path.name}.{_own_name()}{TEMPORARY}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise unwritable(path, error) from error
    except ValueError as error:  # a zero byte in the name
        raise UserError(f"cannot be written ({error})", where=shown(path)) from None
    finally:
        _remove(partial)


def _own_name() -> str:
    """A suffix unique to this writer, so that two writers of one file have different temporary files."""
    host = re.sub(r"[^A-Za-z0-9]", "", platform.node())[:12]
    return f"{host}-{os.getpid()}-{threading.get_ident()}"


def _sweep(path: Path) -> None:
    """Delete the temporary files of killed writers of the same file on this machine."""
    host, here = _own_name().split("-")[0], {"host": platform.node()}
    pattern = f".{glob.escape(path.name)}.{host}-*-*{TEMPORARY}"
    for stale in path.parent.glob(pattern):
        number = stale.name.rsplit("-", 2)[1]
        told = {"process": int(number) if number.isdecimal() else 0}
        if told["process"] != os.getpid() and not is_alive(told | here):
            _remove(stale)


@checked_arguments
def write_json(path: Path, value: Any) -> None:
    """Write a value as strict JSON, atomically."""
    write_bytes(path, (dump_json(value) + "\n").encode())


@checked_arguments
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
    """The UserError for a path that cannot be written."""
    reason = error.strerror or type(error).__name__
    if isinstance(error, FileExistsError):  # a file of the folder's name
        reason = "Not a directory"
    return UserError(
        f"cannot write there ({reason})",
        where=shown(path),
        expected="a folder that can be written, named with --output",
    )


def _remove(path: Path) -> None:
    with suppress(OSError, ValueError):  # renamed already, or never made
        path.unlink()

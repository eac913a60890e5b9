"""Refuses arrays that would not fit in memory, before the system ends the process."""

import os
from contextlib import suppress
from math import prod
from pathlib import Path

from pcmodel.errors import UserError

CERTAINLY_FITS = 2**28
"""Bytes below which the available memory is not checked."""
CGROUPS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def check_fits(*shape: float, what: str, size: int = 4) -> None:
    """Raise UserError unless an array of this shape, `size` bytes a number, fits in memory."""
    needed = prod(shape) * size
    if needed <= CERTAINLY_FITS:
        return
    most = memory()
    if most is not None and needed > most:
        raise UserError(
            f"would take {in_words(needed)} of memory",
            where=what,
            expected=f"less than the {in_words(most)} there are",
        )


def memory() -> int | None:
    """Bytes available to this process and to its accelerator, whichever is less; None if unknown."""
    known = [_of_machine(), *map(_of_cgroup, CGROUPS), _of_device()]
    found = [number for number in known if number is not None]
    return min(found) if found else None


def _of_machine() -> int | None:
    with suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _of_cgroup(path: str) -> int | None:
    with suppress(OSError, ValueError):  # none, or the word "max"
        return int(Path(path).read_text("ascii"))
    return None


def _of_device() -> int | None:
    import jax

    with suppress(RuntimeError, IndexError, AttributeError):
        stats = jax.local_devices()[0].memory_stats()
        return None if not stats else stats.get("bytes_limit")
    return None


def in_words(number: float) -> str:
    """Bytes in words.

    >>> in_words(3 * 2**30), in_words(4e18)
    ('3 GiB', '3.47 EiB')
    """
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if number < 1024:
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:.3g} EiB"

"""Whether the process that wrote a file still runs, and a lock for one process at a time.

Process numbers are reused once a process has ended.  The number together with the
process's start time is unique.
"""

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pcmodel.errors import UserError

LOCK = ".starting"


def this_process() -> dict[str, Any]:
    """Number, start time and machine of this process, which identify it."""
    number = os.getpid()
    return {
        "process": number,
        "process_began": began(number),
        "host": platform.node(),
    }


def began(number: int) -> str | None:
    """The start time of a process, in the system's own format; None if it is not known."""
    try:
        content = Path(f"/proc/{number}/stat").read_text("ascii", "replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        # The second field, the program's name in brackets, may hold spaces and brackets.
        return f"{boot} {content.rpartition(')')[2].split()[19]}"
    except (OSError, IndexError, ValueError):
        pass
    with suppress(OSError, subprocess.SubprocessError):
        asked = ["ps", "-p", str(number), "-o", "lstart="]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=5)
        return answer.stdout.strip() or None
    return None


def is_alive(told: Mapping[str, Any]) -> bool:
    """Whether the process described by `told` still runs on this machine and is not this one."""
    number = told.get("process")
    if told.get("host") != platform.node() or not isinstance(number, int):
        return False
    # On Windows, signal 0 would end the process.
    if number in (True, os.getpid()) or number < 1 or os.name == "nt":
        return False
    try:
        os.kill(number, 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return False
    then, now = told.get("process_began"), began(number)
    return then is None or now is None or then == now


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock a folder inside: of two processes at the same time, the second gets a UserError."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    path = folder / LOCK
    while True:
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    "another process is starting a run there",
                    where=str(folder),
                    expected="that it ends first, or another --output",
                ) from None
            except OSError:  # a file system without locks
                pass
            if not _is_at(held, path):
                continue  # its previous holder has deleted it
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(held)


def _is_at(held: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(held), path.stat())
    except FileNotFoundError:
        return False

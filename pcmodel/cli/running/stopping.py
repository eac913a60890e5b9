"""Signals that stop a run: all are handled as one interrupt."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

FAILURE, BAD_INPUT, WAS_INTERRUPTED = 1, 2, 130


def ignore_further_interrupts() -> None:
    """Ignore interrupts from now on, so that a second Ctrl-C does not truncate the last write."""
    if threading.current_thread() is threading.main_thread():
        for number in _signals():
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def terminate_like_interrupt() -> Iterator[None]:
    """Handle termination signals (a scheduler, a shutdown, a closed terminal) like Ctrl-C inside."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: Any) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _signals() -> list[signal.Signals]:
    found = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)
    # Under `nohup` the closing of the terminal is ignored.
    if hang_up is not None and signal.getsignal(hang_up) != signal.SIG_IGN:
        found.append(hang_up)
    return found

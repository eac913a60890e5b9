"""Several processes in one `pcmodel train`: joining them, and which one writes.

All run the same command except for `--process`. The first writes the run's folder and its report; the
others compute their part, read the folder's checkpoints, and write nothing.
"""

import argparse
import re
import socket
import time

from pcmodel.cli import terminal
from pcmodel.cli.numbers import whole
from pcmodel.errors import UserError

AUTOMATIC = "auto"
PATIENCE = 300
"""Seconds that a process waits for the others to start."""


def add_process_arguments(train: argparse.ArgumentParser) -> None:
    """Add the options that distinguish one process from the others."""
    group = train.add_argument_group(
        "several processes",
        "one per machine, each with this command and a folder that all can read; "
        "--devices is then the number of all their devices",
    )
    add = group.add_argument
    add(
        "--coordinator",
        metavar="HOST:PORT",
        help="where the first process listens; `auto` where the cluster says so "
        "itself (SLURM, Open MPI, Kubernetes, TPU), without the other two",
    )
    add("--processes", type=whole, metavar="N", help="how many there are")
    add("--process", type=whole, metavar="I", help="which one this is, from 0")


def join_processes(arguments: argparse.Namespace) -> bool:
    """Join the other processes, if there are any; returns whether this process is the one that writes.

    Must be called before anything is computed.  Raises UserError for arguments that do not fit together and
    for processes that do not connect in time.
    """
    where, count, index = (
        arguments.coordinator,
        arguments.processes,
        arguments.process,
    )
    if where is None:
        if count is not None or index is not None:
            raise UserError(
                "were given alone",
                where="--processes and --process",
                expected="--coordinator HOST:PORT as well",
            )
        return True
    _check(where, count, index)
    import jax

    known = (None, None, None)
    if where != AUTOMATIC:
        known = (where, count, index)
        _await_coordinator(where, count, index)
    try:
        jax.distributed.initialize(*known, initialization_timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["no reason told"])[0]
        raise UserError(
            f"could not join the other processes ({reason[:200]})", where=where
        ) from error
    return jax.process_index() == 0


def wait_for_all(name: str) -> None:
    """Wait until every process has reached this point."""
    import jax

    if jax.process_count() > 1:
        from jax.experimental.multihost_utils import sync_global_devices

        sync_global_devices(name)


def _await_coordinator(where: str, count: int | None, index: int | None) -> None:
    """Wait until the first process listens: if it never does, jax aborts with a stack trace.

    The first process itself only prints what it waits for.
    """
    terminal.say(f"process {index} of {count} waits for the others at {where}")
    if index == 0:
        return
    host, _, port = where.rpartition(":")
    begun = time.monotonic()
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
            return
        except (OSError, OverflowError) as error:
            if time.monotonic() - begun > PATIENCE:
                raise UserError(
                    f"nobody answered for {PATIENCE} s ({error})",
                    where=where,
                    expected="the first process (--process 0) to listen there",
                ) from error
        time.sleep(0.5)


def _check(where: str, count: int | None, index: int | None) -> None:
    if where == AUTOMATIC:
        if count is not None or index is not None:
            raise UserError(
                "finds the processes by itself",
                where="--coordinator auto",
                expected="it without --processes and --process",
            )
        return
    if not re.fullmatch(r".+:\d{1,5}", where):
        raise UserError(
            f"cannot be {where!r}",
            where="--coordinator",
            expected="HOST:PORT, such as node1:12345, or auto",
        )
    if count is None or count < 1:
        raise UserError(f"cannot be {count}", where="--processes", expected="1 or more")
    if index is None or not 0 <= index < count:
        raise UserError(
            f"cannot be {index}", where="--process", expected=f"0 to {count - 1}"
        )

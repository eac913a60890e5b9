"""One run in its folder: however it ends, its status is recorded and the user sees one sentence."""

import argparse
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pcmodel.cli import terminal
from pcmodel.cli.load import Experiment
from pcmodel.cli.running.execute import execute
from pcmodel.cli.running.stopping import (
    FAILURE,
    WAS_INTERRUPTED,
    ignore_further_interrupts,
)
from pcmodel.errors import UserError
from pcmodel.record import RunFolder, RunIdentity
from pcmodel.record.environment import git_revision, is_float64
from pcmodel.record.folder import FAILED, INTERRUPTED, is_complete, read_revision
from pcmodel.runtime.progress import Progress


class Destination(NamedTuple):
    """A run and the folder that it is recorded in.

    identity: what distinguishes the run from others.
    path: the folder.
    """

    identity: RunIdentity
    path: Path


def destination(name: str, config: Any, arguments: argparse.Namespace) -> Destination:
    """The identity of a run and its folder: that of --output, or the default one under `runs`."""
    identity = RunIdentity(name, config, arguments.seed, is_float64())
    return Destination(
        identity, arguments.output or Path("runs") / identity.folder_name
    )


def run_in_folder(
    experiment: Experiment,
    to: Destination,
    arguments: argparse.Namespace,
    *,
    command: str,
) -> int:
    """Run the experiment and record it; returns the exit code.

    A complete run is not repeated, except with --overwrite.
    command: the command line that repeats the run.
    """
    if not arguments.overwrite and is_complete(to.path, to.identity):
        terminal.say(
            f"this very run is already complete{_made_by(to.path)}, "
            f"see {to.path / 'report.html'}; add --overwrite to run it again"
        )
        return 0
    folder = RunFolder.start(to.path, to.identity, overwrite=arguments.overwrite)
    with _recorded_ending(folder) as ending:
        ending.report = execute(
            experiment,
            to.identity.config,
            seed=arguments.seed,
            folder=folder,
            progress=Progress(lines=True, silent=arguments.quiet),
            command=command,
            is_smoke=arguments.smoke,
        )
    if ending.report is not None:
        terminal.print_summary(ending.report, folder.path)
    return ending.code


def _made_by(path: Path) -> str:
    """A warning if the finished run was made by another revision of the code."""
    made, now = read_revision(path), git_revision()
    if made == now:
        return ""
    return f" (made by revision {str(made)[:8]}, while this is {str(now)[:8]})"


class _Ending:
    """How a run ended: its exit code, and its report if there is one."""

    code: int = 0
    report: Any = None


@contextmanager
def _recorded_ending(folder: RunFolder) -> Iterator[_Ending]:
    ending = _Ending()
    try:
        yield ending
    except KeyboardInterrupt:
        ignore_further_interrupts()
        folder.finish(INTERRUPTED, "interrupted by the user or the system")
        terminal.say(f"interrupted; what was finished is in {folder.path}")
        ending.code = WAS_INTERRUPTED
    except UserError as error:
        folder.finish(FAILED, str(error))
        raise
    except (Exception, SystemExit) as error:
        folder.write_text("error.txt", traceback.format_exc())
        folder.finish(FAILED, f"{type(error).__name__}: {error}")
        terminal.say(
            f"{folder.identity.experiment} failed with {type(error).__name__} "
            f"({_first_line(error)}); the details are in {folder.path / 'error.txt'}"
        )
        ending.code = FAILURE


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0][:200]

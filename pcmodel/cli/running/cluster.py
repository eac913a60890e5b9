"""Shares of a command as jobs of a cluster, through `submitit` (`pip install pcmodel[cluster]`).

Every job runs the same command with a share of the work (`shares`) into the run's own folder. Killed half way, the
command is given again and computes what is missing.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from pcmodel.cli import terminal
from pcmodel.cli.numbers import count, words
from pcmodel.cli.running.shares import MOST_JOBS, Share, read_share
from pcmodel.errors import UserError
from pcmodel.inputs.numerals import to_whole

CLUSTERS = ("slurm", "local")
OURS = ("--cluster", "--jobs", "--cluster-options")
MINUTES = 24 * 60
PATIENCE = 1.0  # seconds between looks at the jobs


def add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of jobs."""
    group = parser.add_argument_group("many computers")
    add = group.add_argument
    add("--cluster", choices=CLUSTERS, help="share the work among jobs (submitit)")
    jobs = partial(count, most=MOST_JOBS)
    add("--jobs", type=jobs, metavar="N", help="of --cluster, default 2")
    add(
        "--cluster-options",
        default="",
        metavar="A=B,..",
        help="of submitit: timeout_min=600,cpus_per_task=4,slurm_partition=short",
    )
    add(
        "--share",
        type=read_share,
        metavar="I/N",
        help="compute this share alone, from 0/N; the command without it sums up",
    )


def check_cluster(arguments: argparse.Namespace) -> None:
    """UserError for options that do not fit together, and without submitit where it is needed."""
    if arguments.overwrite and (arguments.cluster or arguments.share):
        raise UserError(
            "deletes what other jobs compute",
            where="--overwrite",
            expected="another --output, where work is shared",
        )
    if not arguments.cluster:
        for name in ("jobs", "cluster_options"):
            if getattr(arguments, name):
                raise UserError(
                    "is said of a cluster",
                    where=f"--{name.replace('_', '-')}",
                    expected="--cluster as well",
                )
        return
    if arguments.share:
        raise UserError(
            "is one job's", where="--share", expected="it, or --cluster, not both"
        )
    _options(arguments.cluster_options)
    _submitit()


def run_jobs(arguments: argparse.Namespace, line: list[str], folder: Path) -> None:
    """Submit the shares of a command and wait for all of them; UserError where one fails.

    line: the command's words.
    folder: of the run; the jobs' logs are in `jobs` within it.
    """
    total, logs = arguments.jobs or 2, folder / "jobs"
    executor = _submitit().AutoExecutor(folder=str(logs), cluster=arguments.cluster)
    options = {"timeout_min": MINUTES} | _options(arguments.cluster_options)
    try:
        executor.update_parameters(name="pcmodel", **options)
    except (NameError, TypeError, ValueError, AssertionError) as error:
        raise UserError(
            f"was not understood ({error})",
            where="--cluster-options",
            expected="parameters of submitit",
        ) from None
    words_of = [*without_cluster(line), "--output", str(folder.resolve()), "--quiet"]
    jobs = [
        executor.submit(run_share, [*words_of, "--share", str(Share(i, total))])
        for i in range(total)
    ]
    terminal.say(f"{total} jobs on {arguments.cluster}, logs in {logs}")
    try:
        _wait(jobs, logs)
    except BaseException:
        for job in jobs:
            job.cancel(check=False)
        raise


def _wait(jobs: list[Any], logs: Path) -> None:
    """Wait for every job; UserError for the first that fails."""
    for job in jobs:
        error = job.exception()
        code = None if error else job.result()
        if error or code:
            last = (
                str(error).strip().splitlines()[-1:] if error else [f"exit code {code}"]
            )
            raise UserError(
                f"job {job.job_id} failed ({''.join(last)[:200]})",
                where=str(logs),
                expected="the same command again, which computes what is missing",
            )


def run_share(line: list[str]) -> int:
    """One job: the command with a share of its work; returns its exit code."""
    from pcmodel.cli import main

    return main(line)


def without_cluster(line: list[str]) -> list[str]:
    """The command's words without those of jobs, of its folder and of its silence."""
    found, skipped = [], False
    dropped = (*OURS, "--output")
    for word in line:
        if skipped:
            skipped = False
        elif word in dropped:
            skipped = True
        elif word != "--quiet" and not word.startswith(tuple(f"{d}=" for d in dropped)):
            found.append(word)
    return found


def _options(text: str) -> dict[str, Any]:
    """Parameters of submitit; whole numbers as such."""
    found: dict[str, Any] = {}
    for word in words(text):
        name, sign, value = (part.strip() for part in word.partition("="))
        if not sign or not name.isidentifier() or not value or name in found:
            raise UserError(
                f"cannot be read: {word!r}",
                where="--cluster-options",
                expected="A=B,C=D",
            )
        number = to_whole(value)
        found[name] = value if number is None else number
    return found


def _submitit() -> Any:
    try:
        import submitit  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UserError(
            f"needs the package submitit, which {sys.executable} does not have",
            where="--cluster",
            expected="pip install 'pcmodel[cluster]', or --share I/N in jobs of your own",
        ) from None
    return submitit

"""The pytest plugin of a fork: it says what happens, and notes which lines are executed.

MUTATION_PIPE    file descriptor that takes one JSON line an event
MUTATION_TRACE   path of the package whose lines are noted, or empty
"""

import json
import os
import sys
from pathlib import Path

import pytest

lines: dict[str, set[int]] = {}
"""Lines executed by file, when they are noted."""

starts_python = False
"""Whether a test started another interpreter, whose lines nobody sees."""


def say(**event) -> None:
    """One event to the process that waits for it."""
    pipe = int(os.environ["MUTATION_PIPE"])
    os.write(pipe, (json.dumps(event) + "\n").encode())


def trace_lines(package: str) -> None:
    """Note every executed line of files below `package`."""

    def tracer(frame, event, arg):
        file = frame.f_code.co_filename
        if not file.startswith(package):
            return None
        seen = lines.setdefault(file, set())
        seen.add(frame.f_lineno)

        def local(frame, event, arg):
            seen.add(frame.f_lineno)
            return local

        return local

    sys.settrace(tracer)


def watch_for_interpreters() -> None:
    """Notice `subprocess` with this interpreter."""

    def hook(event, arguments):
        global starts_python
        if event == "subprocess.Popen":
            starts_python = starts_python or "python" in str(arguments[1][0])

    sys.addaudithook(hook)


def pytest_configure(config):
    """Compiled programs are kept: all but the sabotaged ones are the same in every run."""
    import jax

    jax.config.update("jax_enable_compilation_cache", True)
    jax.config.update("jax_compilation_cache_dir", os.environ["MUTATION_CACHE"])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    if os.environ.get("MUTATION_TRACE"):
        watch_for_interpreters()
        trace_lines(os.environ["MUTATION_TRACE"])


def pytest_runtest_logstart(nodeid, location):
    """Which test begins."""
    say(start=nodeid)


def pytest_runtest_logreport(report: pytest.TestReport):
    """Which one failed, and how."""
    if report.failed:
        lines = [line for line in report.longreprtext.splitlines() if line[:2] == "E "]
        say(failed=report.nodeid, why=(lines or [""])[0][2:].strip()[:200])


def pytest_collectreport(report: pytest.CollectReport):
    """A file that cannot even be imported has failed."""
    if report.failed:
        last = report.longreprtext.strip().splitlines()[-1:]
        say(failed=f"{report.nodeid} (at import)", why="".join(last)[:200])


def pytest_sessionfinish(session, exitstatus):
    """The lines of the package, by path below it; and that it was the copy that was tested."""
    sys.settrace(None)
    package = os.environ.get("MUTATION_TRACE", "")
    if package:
        found = {
            str(Path(file).relative_to(package)): sorted(seen)
            for file, seen in lines.items()
        }
        say(lines=found, starts_python=starts_python)
    where = getattr(sys.modules.get("pcmodel"), "__file__", None)
    say(done=int(exitstatus), tested=where)

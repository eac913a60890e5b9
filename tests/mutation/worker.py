"""A process that has imported the libraries and forks for every run of tests.

Importing the libraries takes as long as many a test; a fork has them already.  The package itself is imported in the fork,
from the copy it is started in.

    python -m mutation.worker COPY      one JSON job a line in, one JSON verdict a line out
"""

import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

LIBRARIES = (
    "jax",
    "jax.numpy",
    "flax.nnx",
    "optax",
    "numpyro",
    "numpyro.infer",
    "scipy.optimize",
    "scipy.stats",
    "scipy.integrate",
    "orbax.checkpoint",
    "matplotlib.pyplot",
    "sklearn.datasets",
    "beartype",
    "pytest",
)
# Not blackjax: it makes arrays when imported, and a device in use does not survive a fork.
MEMORY = 24 << 30
"""Bytes of address space of a fork: a sabotage must not take the machine down."""


def serve(copy: Path) -> None:
    """Answer jobs until the input ends."""
    os.chdir(copy)
    sys.path[:] = [path for path in sys.path if path not in ("", str(copy))]
    os.environ["PYTHONPATH"] = str(copy)
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["MPLBACKEND"] = "agg"
    sys.dont_write_bytecode = True
    for name in LIBRARIES:
        __import__(name)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line), copy)), flush=True)


def run(job: dict[str, Any], copy: Path) -> dict[str, Any]:
    """Run `job["tests"]` in a fork; no test may take longer than `job["limit"]` seconds.

    The verdict: `code` of pytest (-1: killed by a signal, -2: by the limit), `failed`, `why`, `seconds`, and, if
    asked to `trace`, every failure in `failures`, `lines` and `starts_python`.
    """
    reading, writing = os.pipe()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _test(job, copy, writing)
    os.close(writing)
    verdict = _listen(reading, child, job["limit"])
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if verdict["code"] is None:
        verdict["code"] = os.waitstatus_to_exitcode(status) or 1
        if os.WIFSIGNALED(status):
            verdict["code"], verdict["why"] = -1, f"signal {os.WTERMSIG(status)}"
            verdict["failed"] = verdict["current"]
    verdict["seconds"] = round(time.perf_counter() - started, 2)
    return verdict


def _listen(pipe: int, child: int, limit: float) -> dict[str, Any]:
    verdict: dict[str, Any] = {"code": None, "failed": "", "why": "", "current": ""}
    verdict["failures"] = []
    buffer = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], limit)
        if not ready:
            os.killpg(child, signal.SIGKILL)
            late = {"failed": verdict["current"], "why": f"more than {limit:.0f} s"}
            return verdict | late | {"code": -2}
        some = os.read(pipe, 1 << 16)
        if not some:
            return verdict
        *whole, buffer = (buffer + some).split(b"\n")
        for line in whole:
            event = json.loads(line)
            if "start" in event:
                verdict["current"] = event["start"]
            elif "failed" in event:
                verdict["failures"].append(event["failed"])
                if not verdict["failed"]:
                    verdict |= event
            elif "lines" in event:
                verdict |= event
            elif "done" in event:
                verdict["code"], verdict["tested"] = event["done"], event["tested"]


def _test(job: dict[str, Any], copy: Path, pipe: int) -> None:
    """In the fork: pytest, and an end without any farewell of the libraries."""
    code = 3
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        log = os.open(copy / "pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ["MUTATION_PIPE"] = str(pipe)
        os.environ["MUTATION_TRACE"] = str(copy / "pcmodel") if job["trace"] else ""
        sys.dont_write_bytecode = not job["trace"]
        import pytest

        options = ["-q", "--assert=plain", "-p", "no:cacheprovider"]
        options += [] if job["trace"] else ["-x"]
        options += ["-p", "no:xdist", "-p", "mutation.plugin", *job["options"]]
        sys.path.insert(0, str(copy / "tests"))
        code = int(pytest.main([*options, *job["tests"]]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(Path(sys.argv[1]).resolve())

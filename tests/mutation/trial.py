"""A copy of the work tree, in which tests are run and one file at a time is sabotaged."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mutation.core import ROOT
from mutation.sites import Mutation

LEFT_BEHIND = (".*", "__pycache__", "runs", "results", "build", "dist")


class Copy:
    """One copy and the process that runs tests in it."""

    def __init__(self, folder: Path, cache: Path):
        self.folder = folder
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        environment = {
            **os.environ,
            "PYTHONPATH": str(folder / "tests"),
            "MUTATION_CACHE": str(cache),
        }
        self.sabotages = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mutation.worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def run(
        self,
        tests: Sequence[str],
        *,
        limit: float,
        trace: bool = False,
        options: Sequence[str] = (),
    ) -> dict[str, Any]:
        """The verdict of `mutation.worker.run`."""
        job = {"tests": list(tests), "limit": limit, "trace": trace}
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(job | {"options": list(options)}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the process that runs the tests has died")
        verdict = json.loads(answer)
        where = verdict.get("tested")
        if where and not where.startswith(str(self.folder)):
            raise RuntimeError(f"tested {where}, not the copy in {self.folder}")
        return verdict

    @contextmanager
    def sabotaged(self, mutation: Mutation) -> Iterator[None]:
        """The file changed, then as it was.

        Compiled files are told by their time in whole seconds, so each sabotage gets one of its own.
        """
        path = self.folder / "pcmodel" / mutation.file
        source, times = path.read_text("utf-8"), path.stat()
        self.sabotages += 1
        later = times.st_mtime + 1000 + self.sabotages
        try:
            path.write_text(mutation.apply(source), "utf-8")
            os.utime(path, (later, later))
            yield
        finally:
            path.write_text(source, "utf-8")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def close(self) -> None:
        """End the process and remove the copy."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

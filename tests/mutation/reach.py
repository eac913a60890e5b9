"""Which test file executes which lines of the package, and how long it takes.

Every test file is run once in a process of its own with tracing: within one process a function that was traced by
an earlier file would not be traced again.  What was found is kept until the package or the tests change.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import NamedTuple

from mutation.core import ROOT
from mutation.rows import add_row, read_rows
from mutation.sites import Mutation
from mutation.trial import Copy

LONGEST = 600.0
"""Seconds that no test takes when nothing is wrong."""


class Reach(NamedTuple):
    """One test file: whether it can be run at all, its tests that fail without a sabotage, seconds, lines by file
    of the package, and whether it starts interpreters whose lines are not seen."""

    file: str
    runs: bool
    failing: list[str]
    seconds: float
    lines: dict[str, list[int]]
    starts_python: bool


def test_files(root: Path = ROOT) -> list[str]:
    """Every test file and every module with examples in its docstrings."""
    tests = sorted((root / "tests").rglob("test_*.py"))
    examples = [
        path
        for path in sorted((root / "pcmodel").rglob("*.py"))
        if ">>> " in path.read_text("utf-8")
    ]
    own = root / "tests" / "test_mutants.py"
    return [p.relative_to(root).as_posix() for p in (*tests, *examples) if p != own]


def digest(paths: Iterable[Path]) -> str:
    """Of the contents of files, in order."""
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(path.as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:16]


def versions(root: Path = ROOT) -> dict[str, str]:
    """Digest of what each test file's reach depends on: package, helpers, itself."""
    tests = set((root / "tests").rglob("*.py"))
    tests -= set((root / "tests" / "mutation").rglob("*.py"))
    tests.discard(root / "tests" / "mutants.py")
    own = {path for path in tests if path.name.startswith("test_")}
    shared = digest([*(root / "pcmodel").rglob("*.py"), *(tests - own)])
    return {file: f"{shared}-{digest([root / file])}" for file in test_files(root)}


def collect(
    copies: Sequence[Copy],
    store: Path,
    say: Callable[[str], None],
    files: Iterable[str] | None = None,
) -> dict[str, Reach]:
    """The reach of every test file (or of some); what is in `store` and still true is not run again."""
    wanted = versions()
    order = list(wanted) if files is None else list(files)
    known = stored(store)
    found = {file: known.get((wanted[file], file)) for file in order}
    missing = [file for file in order if found[file] is None]
    free: Queue[Copy] = Queue()
    for copy in copies:
        free.put(copy)
    lock = threading.Lock()

    def one(file: str) -> None:
        copy = free.get()
        try:
            reach = trace(copy, file)
        finally:
            free.put(copy)
        with lock:
            found[file] = reach
            add_row(store, reach._asdict() | {"version": wanted[file]})
            done = sum(each is not None for each in found.values())
            failed = (
                f"  FAIL, and are left out: {reach.failing}" if reach.failing else ""
            )
            failed = failed if reach.runs else "  CANNOT BE RUN, and is left out"
            say(f"lines {done}/{len(order)} {file} {reach.seconds:.0f} s{failed}")

    with ThreadPoolExecutor(len(copies)) as pool:
        list(pool.map(one, missing))
    return {file: reach for file, reach in found.items() if reach is not None}


def trace(copy: Copy, file: str) -> Reach:
    """Run one test file with its lines noted."""
    verdict = copy.run([file], limit=LONGEST, trace=True)
    return Reach(
        file,
        verdict["code"] in (0, 1, 5),
        verdict["failures"],
        verdict["seconds"],
        verdict.get("lines", {}),
        verdict.get("starts_python", False),
    )


def stored(store: Path) -> dict[tuple[str, str], Reach]:
    """What earlier runs found, by version and file."""
    return {
        (row["version"], row["file"]): Reach(**{f: row[f] for f in Reach._fields})
        for row in read_rows(store)
    }


def stages(
    mutation: Mutation, reach: dict[str, Reach], *, seconds: float
) -> list[list[str]]:
    """Test files in the order in which they should be run, in stages.

    First a few that execute the sabotaged lines and take `seconds` in all, those named after the file before others and
    those that execute much of it in little time; then the others that execute them; last those that start
    interpreters, whose lines are unknown.
    """
    lines = {mutation.statement, *range(mutation.line, mutation.last_line + 1)}
    able = [each for each in reach.values() if each.runs]
    reaching = [e for e in able if lines & set(e.lines.get(mutation.file, ()))]
    stem = Path(mutation.file).stem

    def rank(each: Reach) -> tuple[bool, float]:
        named = Path(each.file).stem.removeprefix("test_") == stem
        return not named, each.seconds / (1 + len(each.lines[mutation.file]))

    reaching.sort(key=rank)
    first: list[str] = []
    spent = 0.0
    for each in reaching:
        if first and spent + each.seconds > seconds:
            break
        first.append(each.file)
        spent += each.seconds
    rest = [each.file for each in reaching[len(first) :]]
    unseen = [e.file for e in able if e.starts_python and e not in reaching]
    return [stage for stage in (first, rest, unseen) if stage]

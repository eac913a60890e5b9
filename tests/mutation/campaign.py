"""Every drawn sabotage put to the tests, its outcome written as it ends."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import NamedTuple

from mutation.core import ROOT
from mutation.reach import Reach, digest, stages
from mutation.rows import add_row, read_rows
from mutation.sites import Mutation
from mutation.trial import Copy

FIRST_STAGE = 20.0
"""Seconds of tests that are tried before all that reach the line."""


class Outcome(NamedTuple):
    """What became of one sabotage.

    caught_by: the test that failed (empty: none did).  why: its message.  seconds: taken in all.  ran: test files run.
    """

    mutation: Mutation
    caught_by: str
    why: str
    seconds: float
    ran: int

    @property
    def caught(self) -> bool:
        """Whether a test failed, or nothing could be run any more."""
        return bool(self.caught_by)


def attempt(copy: Copy, mutation: Mutation, reach: dict[str, Reach]) -> Outcome:
    """Run tests, the most telling first, until one fails; one that takes very much longer has failed."""
    spent, ran = 0.0, 0
    with copy.sabotaged(mutation):
        for stage in stages(mutation, reach, seconds=FIRST_STAGE):
            limit = 60 + 5 * max(reach[file].seconds for file in stage)
            verdict = copy.run(
                stage, limit=limit, options=without_failing(stage, reach)
            )
            spent, ran = spent + verdict["seconds"], ran + len(stage)
            if verdict["code"] not in (0, 5):
                by = verdict["failed"] or f"pytest, code {verdict['code']}"
                return Outcome(mutation, by, verdict["why"], spent, ran)
    return Outcome(mutation, "", "", spent, ran)


def without_failing(files: Iterable[str], reach: dict[str, Reach]) -> list[str]:
    """Options that leave out the tests that fail without any sabotage."""
    return [f"--deselect={test}" for file in files for test in reach[file].failing]


def control(copy: Copy, reach: dict[str, Reach]) -> None:
    """Without a sabotage nothing fails, or every verdict would be worthless."""
    quick = sorted((e for e in reach.values() if e.runs), key=lambda e: e.seconds)
    files = [each.file for each in quick[:5]]
    verdict = copy.run(files, limit=300, options=without_failing(files, reach))
    if verdict["code"] != 0:
        raise RuntimeError(f"tests fail without a sabotage: {verdict}")


class Store:
    """Outcomes in a file of JSON lines, and which of them still hold."""

    def __init__(self, path: Path):
        self.path, self.lock = path, threading.Lock()
        self.tree = digest(
            path
            for part in ("pcmodel", "tests")
            for path in (ROOT / part).rglob("*.py")
            if "mutation" not in path.parts
        )

    def add(self, outcome: Outcome) -> None:
        """Append one."""
        row = {
            "name": outcome.mutation.name,
            "tree": self.tree,
            "catcher": catcher(outcome.caught_by),
            "caught_by": outcome.caught_by,
            "why": outcome.why,
            "seconds": round(outcome.seconds, 1),
            "ran": outcome.ran,
        }
        with self.lock:
            add_row(self.path, row)

    def known(self, mutations: Iterable[Mutation]) -> dict[str, Outcome]:
        """Outcomes by name that need not be found again.

        A sabotage is still caught while its file (by its name) and the test that caught it are what they were; that it
        survived holds only while nothing at all has changed.
        """
        by_name = {mutation.name: mutation for mutation in mutations}
        found = {}
        for row in read_rows(self.path):
            same = row["tree"] == self.tree
            if row["caught_by"]:
                same = same or row["catcher"] == catcher(row["caught_by"])
            if same and row["name"] in by_name:
                found[row["name"]] = Outcome(
                    by_name[row["name"]],
                    row["caught_by"],
                    row["why"],
                    row["seconds"],
                    row["ran"],
                )
        return found


def catcher(test: str) -> str:
    """Digest of the file of a test."""
    path = ROOT / test.split("::")[0].split(" ")[0]
    return digest([path]) if test and path.is_file() else ""


def run_all(
    mutations: list[Mutation],
    copies: list[Copy],
    reach: dict[str, Reach],
    store: Store,
    say: Callable[[str], None],
) -> list[Outcome]:
    """Every outcome, in the order of the draw."""
    outcomes = store.known(mutations)
    todo = [each for each in mutations if each.name not in outcomes]
    say(f"{len(mutations)} sabotages, {len(todo)} to do, {len(copies)} at a time")
    free: Queue[Copy] = Queue()
    for copy in copies:
        free.put(copy)
    started = time.perf_counter()
    lock = threading.Lock()

    def one(mutation: Mutation) -> None:
        copy = free.get()
        try:
            outcome = attempt(copy, mutation, reach)
        finally:
            free.put(copy)
        store.add(outcome)
        with lock:
            outcomes[mutation.name] = outcome
            done = len(outcomes) - (len(mutations) - len(todo))
            caught = sum(each.caught for each in outcomes.values())
            left = (time.perf_counter() - started) / done * (len(todo) - done) / 60
            mark = "caught  " if outcome.caught else "SURVIVED"
            say(
                f"{len(outcomes)}/{len(mutations)} {mark} {mutation.file}:{mutation.line} {mutation.kind}: "
                f"{mutation.before[:40]} -> {mutation.after[:40]}  [{outcome.caught_by[-60:]}] "
                f"{outcome.seconds:.0f} s; {caught} caught, {left:.0f} min left"
            )

    with ThreadPoolExecutor(len(copies)) as pool:
        list(pool.map(one, todo))
    return [outcomes[mutation.name] for mutation in mutations]

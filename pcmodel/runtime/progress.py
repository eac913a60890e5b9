"""Progress of long computations, shown on stderr.

On a terminal: bars. Elsewhere: nothing, or with `lines=True` one line at the start
and end of each stage, and in a long one a line every ten seconds, so that a log stays readable
and shows that work goes on. Progress is counted in Python loops over jitted chunks, where
a bar costs nothing.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
EVERY = 10.0  # seconds between lines within a stage


class Progress:
    """Reports the progress of stages of work.

    **Arguments:**

    - `lines`: without a terminal, print a line at the start and end of each stage, and every ten
      seconds in between once a step is done.
    - `silent`: show nothing at all.
    - `stream`: the text file to write to; stderr unless given.
    """

    def __init__(
        self, *, lines: bool = False, silent: bool = False, stream: Any = None
    ):
        self._stream = stream or sys.stderr
        self._bars = not silent and _is_terminal(self._stream)
        self._lines = lines and not silent and not self._bars
        self._display: Any = None
        self._depth = 0

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator["Stage"]:
        """Show one stage, which the body of the `with` statement advances.

        >>> with Progress(silent=True).stage("train", total=3) as stage:
        ...     for _ in range(3):
        ...         stage.advance()
        """
        stage = Stage(self._open(name, total), self._teller(name, total))
        started = time.perf_counter()
        finished = False
        try:
            yield stage
            finished = True
        finally:
            self._close(stage, name, time.perf_counter() - started, finished)

    def track(
        self, items: Iterable[Item], name: str, total: int | None = None
    ) -> Iterator[Item]:
        """Yield the items, one step of a stage each."""
        if total is None and hasattr(items, "__len__"):
            total = len(items)  # pyright: ignore[reportArgumentType]
        with self.stage(name, total) as stage:
            for item in items:
                yield item
                stage.advance()

    def _open(self, name: str, total: int | None) -> Any:
        self._depth += 1
        if self._lines:
            self._say(f"{name} ...")
        if not self._bars:
            return None
        if self._display is None:
            self._display = _make_display(self._stream)
            self._display.start()
        return self._display, self._display.add_task(name, total=total, note="")

    def _teller(self, name: str, total: int | None) -> "Teller | None":
        """What tells of steps in between: only where stages have lines."""
        if not self._lines:
            return None
        return Teller(self._say, name, total)

    def _close(self, stage: "Stage", name: str, seconds: float, finished: bool) -> None:
        if self._lines:
            self._say(f"{name}: {'done' if finished else 'stopped'}, {seconds:.1f} s")
        self._depth -= 1
        stage.end(finished)
        if self._depth == 0 and self._display is not None:
            self._display.stop()
            self._display = None

    def _say(self, text: str) -> None:
        print("  " * (self._depth - 1) + text, file=self._stream, flush=True)


class Teller:
    """Lines about a stage's steps, at most one every ten seconds."""

    def __init__(self, say: Callable[[str], None], name: str, total: int | None):
        self._say, self._name, self._total = say, name, total
        self._done = 0
        self._started = self._told = time.perf_counter()

    def advance(self, steps: int, note: str | None) -> None:
        """Count steps; say how many are done if the last line is long ago."""
        self._done += steps
        now = time.perf_counter()
        if now - self._told < EVERY or self._done == self._total:
            return
        self._told = now
        of = "" if self._total is None else f" of {self._total}"
        words = [
            f"{self._done}{of}",
            f"{now - self._started:.0f} s",
            *filter(None, [note]),
        ]
        self._say(f"{self._name}: {', '.join(words)}")


class Stage:
    """One stage in progress."""

    def __init__(self, task: Any, teller: Teller | None = None):
        self._task = task
        self._teller = teller

    def advance(self, steps: int = 1, note: str | None = None) -> None:
        """Add `steps` to the count; `note` replaces the short text beside the bar."""
        if self._teller is not None:
            self._teller.advance(steps, note)
        if self._task is not None:
            display, task = self._task
            display.update(task, advance=steps, **({"note": note} if note else {}))

    def end(self, finished: bool) -> None:
        """Complete the bar when the stage finished, whatever was counted."""
        if self._task is not None and finished:
            display, task = self._task
            total = display.tasks[display.task_ids.index(task)].total or 1
            display.update(task, total=total, completed=total)


def track(items: Iterable[Item], name: str, total: int | None = None) -> Iterator[Item]:
    """`Progress().track(...)`: a bar on a terminal, silence elsewhere."""
    return Progress().track(items, name, total)


def _is_terminal(stream: Any) -> bool:
    return bool(getattr(stream, "isatty", lambda: False)())


def _make_display(stream: Any) -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Display

    class Count(MofNCompleteColumn):
        """`3/12`, and nothing for a stage of unknown length."""

        def render(self, task: Any) -> Any:
            return "" if task.total is None else super().render(task)

    return Display(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        Count(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=Console(file=stream),
    )

"""Independent long computations in parallel threads.

JAX releases Python's lock while it computes, so two threads keep two cores busy where
each computation is a sequence of operations too small to parallelise. Each task has to
call `advance` between its parts; there it stops when another task has failed or
the user has interrupted.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Any, TypeVar

import jax

Result = TypeVar("Result")
Advance = Callable[[], None]

_PATIENCE = (
    0.2  # seconds between the main thread's checks; delays an interrupt at most so long
)


class Stopped(Exception):
    """Raised inside a task that has to stop because another failed or the user interrupted."""


def run_together(
    tasks: Sequence[Callable[[Advance], Result]],
    *,
    advance: Advance = lambda: None,
    num_workers: int,
) -> list[Result]:
    """The tasks' results in their own order; each is called with its `advance`.

    Every task runs under the caller's JAX precision and promotion rules. The first
    exception, or an interrupt of the waiting thread, ends all tasks at their next
    `advance` and is raised. `advance` is called by one thread at a time.
    """
    stop, turn = threading.Event(), threading.Lock()
    config: Any = jax.config  # its options are made when it is imported
    precision, promotion = config.jax_enable_x64, config.jax_numpy_dtype_promotion

    def step() -> None:
        if stop.is_set():
            raise Stopped
        with turn:
            advance()

    def run(task: Callable[[Advance], Result]) -> Result:
        with ExitStack() as stack:
            stack.enter_context(jax.enable_x64(precision))
            stack.enter_context(jax.numpy_dtype_promotion(promotion))
            return task(step)

    with ThreadPoolExecutor(num_workers) as pool:
        try:
            futures = [pool.submit(run, task) for task in tasks]
            _wait_for(futures)
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _wait_for(futures: list[Future]) -> None:
    """Return when all are done; raise the first exception."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, _PATIENCE, FIRST_EXCEPTION)
        for future in done:
            future.result()

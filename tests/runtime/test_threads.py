"""Tasks side by side: their order, their precision, and how they stop."""

import _thread
import signal
import threading
import time

import jax
import jax.numpy as jnp
import pytest

from pcmodel.runtime.threads import Stopped, run_together


def forever(advance, seen):
    try:
        while True:
            time.sleep(0.01)
            advance()
    except Stopped:
        seen.append("stopped")
        raise


def test_results_come_in_the_order_of_the_tasks():
    first_may_end = threading.Event()

    def first(advance):
        first_may_end.wait(5)
        return "first"

    def second(advance):
        first_may_end.set()
        return "second"

    assert run_together([first, second], num_workers=2) == ["first", "second"]


def test_tasks_compute_in_the_precision_of_the_caller():
    """Prevents a thread from falling back to single precision unnoticed."""

    def task(advance):
        return jnp.ones(2).dtype

    for double in (False, True):
        with jax.enable_x64(double):
            here = jnp.ones(2).dtype
            assert run_together([task, task], num_workers=2) == [here, here]


def test_a_failure_stops_the_others_and_is_raised():
    seen = []

    def fails(advance):
        raise ValueError("no such data")

    with pytest.raises(ValueError, match="no such data"):
        run_together([lambda a: forever(a, seen), fails], num_workers=2)
    assert seen == ["stopped"]


@pytest.fixture
def interruptible():
    """A shell's background job is born deaf to interrupts, and would wait here for ever."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_stops_all(interruptible):
    """Prevents Ctrl-C from waiting until every fit is done."""
    seen, begun = [], threading.Barrier(2)

    def works(advance):
        begun.wait(10)
        forever(advance, seen)

    def interrupts(advance):
        begun.wait(10)
        time.sleep(0.1)
        _thread.interrupt_main()
        forever(advance, seen)

    with pytest.raises(KeyboardInterrupt):
        run_together([interrupts, works], num_workers=2)
    assert seen == ["stopped", "stopped"]


def test_progress_counts_every_step_of_every_task():
    steps = []

    def task(advance):
        for _ in range(50):
            advance()

    run_together([task] * 3, advance=lambda: steps.append(1), num_workers=2)
    assert len(steps) == 150

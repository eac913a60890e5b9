"""Every test runs on the CPU, in double precision, with a key of its own.

Rank promotion raises: an array that is silently broadcast against a batch is the
commonest wrong answer in code written for one example.
"""

import gc
import os
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from pcmodel.runtime.flags import compile_quickly

compile_quickly()  # most of the suite's time is compiling many small programs once each
jax.config.update("jax_enable_compilation_cache", False)  # nor read the user's own
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")


gc.disable()  # until everything is imported: a quarter of the time that takes


def pytest_collection_finish():
    """What was imported stays, and is not looked at again by every collection."""
    gc.collect()
    gc.freeze()
    gc.enable()


LONG = frozenset(
    Path(__file__).with_name("long_tests.txt").read_text("utf-8").splitlines()
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests that a run has shown to be long (tools/long_tests.py) are slow ones, beside those that say so themselves."""
    for item in items:
        if item.nodeid in LONG:
            item.add_marker(pytest.mark.slow)


class ByFile(LoadScopeScheduling):
    """The tests of a file share their programs in one process; pages and notebooks, each a process itself, go anywhere."""

    def _split_scope(self, nodeid):
        file = nodeid.split("::", 1)[0]
        return nodeid if file.endswith("test_docs.py") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)


MAPPINGS = Path("/proc/self/maps")
MOST_MAPPINGS = 25_000
"""Of memory in one process: Linux allows 65,530, every compiled program takes some, and LLVM ends the process
where it gets none."""


@pytest.fixture(scope="module", autouse=True)
def few_programs():
    """Lets go of compiled programs between files, before there are too many."""
    yield
    if MAPPINGS.exists() and MAPPINGS.read_bytes().count(b"\n") > MOST_MAPPINGS:
        jax.clear_caches()
        gc.collect()


@pytest.fixture
def getkey():
    """Call it for a fresh key; the sequence of keys is the same in every run."""
    state = {"key": jax.random.key(2026)}

    def next_key():
        state["key"], key = jax.random.split(state["key"])
        return key

    return next_key

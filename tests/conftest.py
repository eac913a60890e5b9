"""Every test runs on the CPU, in double precision, with a key of its own.

Rank promotion raises: an array that is silently broadcast against a batch is the
commonest wrong answer in code written for one example.
"""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"  # nor the user's own
# Most of the suite's time is compiling many small programs once each.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "")
    + " --xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
).strip()

import jax
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def getkey():
    """Call it for a fresh key; the sequence of keys is the same in every run."""
    state = {"key": jax.random.key(2026)}

    def next_key():
        state["key"], key = jax.random.split(state["key"])
        return key

    return next_key

"""Flags for XLA, which reads them once, when JAX first computes.

One keeps its CPU backend from a deadlock on machines with few cores.

With its concurrency-optimised scheduler, jaxlib runs independent operations of one program in
parallel; several batched LAPACK calls (Cholesky, triangular solves: what batched inference is made
of) can then wait for each other's threads, and on two cores all wait for ever at no CPU time. Seen with
jaxlib 0.10.2, where the same program finishes without that scheduler; 0.11 and 0.12 know the flag and are
given it as a precaution. The flag is read when JAX first computes, so it is set when pcmodel is imported. A
value that the user has set is left alone, and so is a jaxlib not known to have the flag (XLA ends the process
on a flag it does not know).
"""

import os
from collections.abc import MutableMapping
from importlib import metadata

FLAG = "xla_cpu_enable_concurrency_optimized_scheduler"
KNOWN = ("0.10", "0.11", "0.12")
QUICK = ("xla_backend_optimization_level=0", "xla_llvm_disable_expensive_passes=true")
"""Half the compiling time, for code that then runs more slowly."""


def avoid_cpu_deadlock(environment: MutableMapping[str, str] = os.environ) -> None:
    """Add the flag to XLA_FLAGS where it is known and not yet set."""
    flags = environment.get("XLA_FLAGS", "")
    if FLAG in flags or not jaxlib_version().startswith(KNOWN):
        return
    environment["XLA_FLAGS"] = f"{flags} --{FLAG}=false".strip()


def compile_quickly(environment: MutableMapping[str, str] = os.environ) -> None:
    """For runs that take less time than their compilation; flags the user set stay."""
    if not jaxlib_version().startswith(KNOWN):
        return
    for flag in QUICK:
        flags = environment.get("XLA_FLAGS", "")
        if flag.partition("=")[0] not in flags:
            environment["XLA_FLAGS"] = f"{flags} --{flag}".strip()


def jaxlib_version() -> str:
    """The installed jaxlib's version, empty where there is none."""
    try:
        return metadata.version("jaxlib")
    except metadata.PackageNotFoundError:
        return ""

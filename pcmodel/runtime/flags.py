"""Flags for XLA and JAX, which read them once: XLA when JAX first computes, JAX when imported.

One of them prevents a deadlock of XLA's CPU backend on machines with few cores.
With its concurrency-optimised scheduler, jaxlib runs independent operations of one program in
parallel; several batched LAPACK calls (Cholesky, triangular solves, as in batched inference)
can then wait for each other's threads, and on two cores all wait for ever at no CPU time. Seen with
jaxlib 0.10.2, where the same program finishes without that scheduler; 0.11 and 0.12 know the flag and it
is set there as a precaution. The flag is read when JAX first computes, so it is set when pcmodel is imported.
A value set by the user is left unchanged, and so is a jaxlib not known to have the flag (XLA ends the process
on a flag it does not know).
"""

import os
import platform
from collections.abc import MutableMapping
from importlib import metadata
from pathlib import Path

from pcmodel.inputs.hashes import hash_text

FLAG = "xla_cpu_enable_concurrency_optimized_scheduler"
KNOWN = ("0.10", "0.11", "0.12")
QUICK = {
    "xla_backend_optimization_level=0": KNOWN,
    "xla_llvm_disable_expensive_passes=true": KNOWN,
    "xla_cpu_use_fusion_emitters=false": ("0.10",),
    "xla_cpu_parallel_codegen_split_count=1": ("0.10",),
}
"""Flags that reduce compilation to a third of its time, for slower code; with the jaxlibs that know each."""


def avoid_cpu_deadlock(environment: MutableMapping[str, str] = os.environ) -> None:
    """Add the flag to XLA_FLAGS where it is known and not yet set."""
    flags = environment.get("XLA_FLAGS", "")
    if FLAG in flags or not jaxlib_version().startswith(KNOWN):
        return
    environment["XLA_FLAGS"] = f"{flags} --{FLAG}=false".strip()


def compile_quickly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set flags for runs shorter than their compilation; flags set by the user stay."""
    version = jaxlib_version()
    for flag, known in QUICK.items():
        flags = environment.get("XLA_FLAGS", "")
        if version.startswith(known) and flag.partition("=")[0] not in flags:
            environment["XLA_FLAGS"] = f"{flags} --{flag}".strip()


def keep_compiled(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let JAX store compiled programs in the user's cache folder for later runs.

    A third of the main job is compilation.  The folder is `pcmodel/compiled` under XDG_CACHE_HOME
    (else ~/.cache), with one folder for each type of processor: homes are shared by machines with
    different instructions.  JAX settings made by the user stay; where the folder cannot
    be written nothing is stored.
    """
    home = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "pcmodel" / "compiled" / processor()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        environment.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
        environment.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")


def processor(features: Path = Path("/proc/cpuinfo")) -> str:
    """A short name of the instruction set of this machine's processor."""
    try:
        lines = features.read_text(errors="replace").splitlines()
    except OSError:
        lines = [platform.processor()]
    instructions = sorted(
        {line for line in lines if line.startswith(("flags", "Features"))}
    )
    digest = hash_text("\n".join(instructions or lines[:1]))
    return f"{platform.machine()}-{digest[:12]}"


def jaxlib_version() -> str:
    """The installed jaxlib's version, empty where there is none."""
    try:
        return metadata.version("jaxlib")
    except metadata.PackageNotFoundError:
        return ""

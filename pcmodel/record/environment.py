"""The environment of a result: versions, device, revision."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "pcmodel",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "numpyro",
    "numpy",
    "scikit-learn",
    "matplotlib",
)


def environment() -> dict[str, Any]:
    """Versions, device and revision, from which a reader can judge whether a run is repeatable exactly."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": package_versions(),
        "device": device(),
        "float64": is_float64(),
        "git_revision": git_revision(),
    }


def package_versions() -> dict[str, str | None]:
    """Installed versions; None where a package is used without being installed."""
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def device() -> str | None:
    """The device jax computes on, or None when this process never used jax."""
    jax = sys.modules.get("jax")
    if jax is None:
        return None
    first = jax.devices()[0]
    return f"{len(jax.devices())} x {first.device_kind} ({first.platform})"


def is_float64() -> bool:
    """Whether jax computes in double precision in this process."""
    jax = sys.modules.get("jax")
    return bool(jax and jax.config.read("jax_enable_x64"))


def git_revision() -> str | None:
    """The checkout's commit, marked when files differ from it; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return None
    return commit + ("+changes" if _git(root, "status", "--porcelain", "-uno") else "")


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None

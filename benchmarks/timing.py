"""Timing that flatters no one: competitors take turns; medians, spread, JSON."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from asking import RESULTS

from pcmodel.record.environment import environment
from pcmodel.record.strict_json import dump_json


def interleaved(
    competitors: Mapping[str, Callable[[], Any]], rounds: int
) -> dict[str, dict[str, float]]:
    """Seconds of each competitor: median, quartiles, least, first (compiling) call.

    Every competitor is called once unmeasured in `first_call`, then once a round in
    turn, so that a slow minute of the machine hits them all.
    """
    first, seconds = {}, {name: [] for name in competitors}
    for name, call in competitors.items():
        first[name] = _clock(call)
    for _ in range(rounds):
        for name, call in competitors.items():
            seconds[name].append(_clock(call))
    return {
        name: {
            "median": float(np.median(times)),
            "least": float(np.min(times)),
            "lower_quartile": float(np.quantile(times, 0.25)),
            "upper_quartile": float(np.quantile(times, 0.75)),
            "first_call": first[name],
        }
        for name, times in seconds.items()
    }


def _clock(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def write(name: str, content: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """The result with where it was measured, as `<name>.json`; what is not a number is null."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    whole = {**content, "environment": environment()}
    path.write_text(dump_json(whole, indent=1) + "\n", "utf-8")
    return path

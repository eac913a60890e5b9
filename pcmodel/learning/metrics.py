"""The numbers of one chunk of training as a flat dictionary, for a logger."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np

from pcmodel.learning.em import LearningInfo
from pcmodel.learning.loop import level_diagonal
from pcmodel.model.types import LogPrecisions

Log = Callable[[dict[str, float]], object]
"""Takes the numbers of one chunk; what it returns is ignored."""


def flat_metrics(
    names: Sequence[str],
    info: LearningInfo,
    log_precisions: LogPrecisions,
    **others: float,
) -> dict[str, float]:
    """Means over a chunk by name; numbers that do not apply (NaN) are left out.

    "energy" and "energy/<level>", nats per example; "residual", posterior standard deviations; "converged" and
    "acceptance", shares; "log_precision/<level>", mean over the level's units after the chunk; and `others`.
    """
    numbers = dict(others)
    numbers["energy"] = float(info.energy)
    energies = np.asarray(info.level_energies)
    numbers |= {f"energy/{n}": float(e) for n, e in zip(names, energies, strict=True)}
    numbers |= {
        what: float(getattr(info, what))
        for what in ("residual", "converged", "acceptance")
    }
    for name, value in zip(names, log_precisions, strict=True):
        if value is not None:
            numbers[f"log_precision/{name}"] = float(jnp.mean(level_diagonal(value)))
    return {name: value for name, value in numbers.items() if not np.isnan(value)}

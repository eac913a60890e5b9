"""The training loop: one jitted scan an epoch, a Python loop over epochs.

The chunk boundary carries everything that must not slow the device down: progress, metrics, the
finite check and interruption.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pcmodel.energy import Structure
from pcmodel.learning.em import (
    Learning,
    LearningInfo,
    LearningState,
    em_step,
    init_learning,
)
from pcmodel.types import LogPrecisions, Weights


class LearningCurve(NamedTuple):
    """Means over each epoch, arrays of shape (epochs,); see `LearningInfo`.

    log_precisions: mean log-precision of each level after each epoch, (epochs, levels); NaN for a
        level without one.
    stopped_early: whether a non-finite energy or network ended learning; the last network known to
        have a finite energy is kept, and the curve ends with it.
    """

    energy: np.ndarray
    residual: np.ndarray
    converged: np.ndarray
    log_precisions: np.ndarray
    stopped_early: bool


@partial(jax.jit, static_argnames=("structure", "learning", "batch_size"))
def run_epoch(
    state: LearningState,
    values: tuple[Array, ...],
    key: Array,
    *,
    structure: Structure,
    learning: Learning,
    batch_size: int,
    plasticity: Array | None = None,
) -> tuple[LearningState, LearningInfo]:
    """One pass over the data in a fresh order; a last incomplete batch is left out.

    values[l] is (examples, clamped units of level l).
    """
    examples = max(value.shape[0] for value in values if value.shape[-1])
    num_batches = examples // batch_size
    order_key, step_key = jax.random.split(key)
    order = jax.random.permutation(order_key, examples)[: num_batches * batch_size]

    def step(state: LearningState, inputs):
        indices, key = inputs
        batch = tuple(value[indices] for value in values)
        return em_step(
            state,
            batch,
            key,
            structure=structure,
            learning=learning,
            plasticity=plasticity,
        )

    keys = jax.random.split(step_key, num_batches)
    batches = order.reshape(num_batches, batch_size)
    state, infos = jax.lax.scan(step, state, (batches, keys))
    return state, jax.tree.map(jnp.mean, infos)


def learn(
    structure: Structure,
    weights: Weights,
    log_precisions: LogPrecisions,
    values: tuple[Array, ...],
    key: Array,
    *,
    learning: Learning,
    num_epochs: int,
    batch_size: int,
    plasticity: Array | None = None,
    advance: Callable[[], None] = lambda: None,
) -> tuple[LearningState, LearningCurve]:
    """Run `num_epochs`; `advance` is called after each.  plasticity: see `em_step`."""
    state = proven = init_learning(weights, log_precisions, learning)
    history: list[tuple[float, float, float]] = []
    precisions: list[list[float]] = []
    stopped = False
    for epoch_key in jax.random.split(key, num_epochs):
        following, info = run_epoch(
            state,
            values,
            epoch_key,
            structure=structure,
            learning=learning,
            batch_size=batch_size,
            plasticity=plasticity,
        )
        if not np.isfinite(info.energy):
            # What began this epoch was never seen to have a finite energy.
            state, history, precisions = proven, history[:-1], precisions[:-1]
            stopped = True
            break
        if not is_finite(following):
            stopped = True
            break
        proven, state = state, following
        history.append(
            (float(info.energy), float(info.residual), float(info.converged))
        )
        precisions.append(
            [
                float("nan")
                if value is None
                else float(jnp.mean(level_diagonal(value)))
                for value in state.log_precisions
            ]
        )
        advance()
    energy, residual, converged = np.asarray(history).reshape(-1, 3).T
    levels = np.asarray(precisions).reshape(-1, len(log_precisions))
    return state, LearningCurve(energy, residual, converged, levels, stopped)


def is_finite(state: LearningState) -> bool:
    """Whether every weight and log-precision is a finite number."""
    leaves = jax.tree.leaves((state.weights, state.log_precisions))
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in leaves)


def level_diagonal(log_precision: Array) -> Array:
    """The diagonal of a full log-precision, or the log-precision itself."""
    return jnp.diagonal(log_precision) if log_precision.ndim == 2 else log_precision

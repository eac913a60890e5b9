"""The training loop: jitted loops over chunks of an epoch, a Python loop over chunks.

The chunk boundary carries everything that must not slow the device down: progress, metrics, the
finite check, checkpoints and interruption.  Order and draws of every batch follow from the key, the epoch
and the batch's number alone, so that a run cut at any chunk boundary and continued from its state ends
bit-identical to one never cut.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import NamedSharding

from pcmodel.learning.em import (
    Learning,
    LearningInfo,
    LearningState,
    em_step,
    init_learning,
)
from pcmodel.model.problem import Structure
from pcmodel.model.types import LogPrecisions, Weights
from pcmodel.runtime.contents import Static

Prepare = Callable[[Array, Any], tuple[Array, ...]]
"""(key, one example's data) -> its clamped values, one array per level."""


NOTHING: Static[Any] = Static(None)


class Position(NamedTuple):
    """Where learning stands: `batch` batches into epoch `epoch`."""

    epoch: int = 0
    batch: int = 0


class Chunk(NamedTuple):
    """What is reported after each chunk.

    state: the state reached; its buffers are given to the next chunk, so what is to be kept must
        be copied (a checkpoint does) before the callback returns.
    position: where the next chunk begins.
    info: means over the chunk's batches.  examples: how many were seen.  seconds: wall time.
    """

    state: LearningState
    position: Position
    info: LearningInfo
    examples: int
    seconds: float


class LearningCurve(NamedTuple):
    """Means over each chunk (an epoch unless asked otherwise), arrays of shape (chunks,); see
    `LearningInfo`.

    epoch: epochs done at the end of each chunk.
    level_energies: (chunks, levels).
    log_precisions: mean log-precision of each level after each chunk, (chunks, levels); NaN for a
        level without one.
    stopped_early: whether a non-finite energy or network ended learning; the last network known to
        have a finite energy is kept, and the curve ends with it.
    reason: why it stopped early, in a sentence; empty where it did not.
    """

    epoch: np.ndarray
    energy: np.ndarray
    level_energies: np.ndarray
    residual: np.ndarray
    converged: np.ndarray
    acceptance: np.ndarray
    log_precisions: np.ndarray
    stopped_early: bool
    reason: str = ""


@partial(
    jax.jit,
    static_argnames=(
        "structure",
        "learning",
        "batch_size",
        "prepare",
        "sharding",
    ),
    donate_argnames=("state",),
)
def run_chunk(
    state: LearningState,
    data: Any,
    key: Array,
    first: Array,
    num_batches: Array,
    *,
    structure: Structure,
    learning: Static[Learning],
    batch_size: int,
    prepare: Static[Prepare | None] = NOTHING,
    sharding: NamedSharding | None = None,
    plasticity: Array | None = None,
) -> tuple[LearningState, LearningInfo]:
    """`num_batches` steps of the epoch that `key` orders, from batch `first` on; at least one.

    Neither number is static: one program serves chunks of every length.

    data: pytree with a leading axis of examples; `prepare` makes a batch of it into values (None:
    it is the values, one array per level).  A last incomplete batch of an epoch is left out.
    """
    order_key, step_key = jax.random.split(key)
    order = jax.random.permutation(order_key, count_examples(data))

    def step(number: Array, state: LearningState):
        key, prepare_key = jax.random.split(jax.random.fold_in(step_key, number))
        start = number * batch_size
        indices = jax.lax.dynamic_slice(order, (start,), (batch_size,))
        batch = jax.tree.map(lambda leaf: leaf[indices], data)
        if sharding is not None:
            batch = jax.lax.with_sharding_constraint(batch, sharding)
        if prepare.value is not None:
            batch = jax.vmap(prepare.value)(
                jax.random.split(prepare_key, batch_size), batch
            )
        return em_step(
            state,
            batch,
            key,
            structure=structure,
            learning=learning.value,
            indices=indices,
            plasticity=plasticity,
        )

    def count(number: Array, carry: tuple[LearningState, LearningInfo]):
        state, total = carry
        state, info = step(number, state)
        return state, jax.tree.map(jnp.add, total, info)

    _, shapes = jax.eval_shape(step, first, state)
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    state, total = jax.lax.fori_loop(
        first, first + num_batches, count, (state, nothing)
    )
    return state, jax.tree.map(lambda leaf: leaf / num_batches, total)


def learn(
    structure: Structure,
    weights: Weights,
    log_precisions: LogPrecisions,
    data: Any,
    key: Array,
    *,
    learning: Learning,
    num_epochs: int,
    batch_size: int,
    prepare: Prepare | None = None,
    chunks_per_epoch: int = 1,
    resume: tuple[LearningState, Position] | None = None,
    on_chunk: Callable[[Chunk], None] = lambda chunk: None,
    sharding: NamedSharding | None = None,
    plasticity: Array | None = None,
) -> tuple[LearningState, LearningCurve]:
    """Run until `num_epochs` are done; `on_chunk` is called after each chunk.

    resume: a state and where it stood; the curve then begins there.
    """
    examples = count_examples(data)
    init_key, epochs_key = jax.random.split(key)
    if resume is None:
        state = init_learning(
            weights,
            log_precisions,
            learning,
            structure=structure,
            num_examples=examples,
            key=init_key,
        )
    else:
        state = resume[0]
    start = Position() if resume is None else resume[1]
    # As they are now: what is changed while learning goes on does not change it.
    settings, preparing = Static(learning), Static(prepare)
    state = copy(state)  # its buffers are given away, and the caller's must stay
    proven = known(state)
    history: list[tuple] = []
    reason = ""
    for position, size, following in chunks(
        start, num_epochs, examples // batch_size, chunks_per_epoch
    ):
        started = time.perf_counter()
        current = known(state)
        state, info = run_chunk(
            state,
            data,
            jax.random.fold_in(epochs_key, position.epoch),
            jnp.asarray(position.batch),
            jnp.asarray(size),
            structure=structure,
            learning=settings,
            batch_size=batch_size,
            prepare=preparing,
            sharding=sharding,
            plasticity=plasticity,
        )
        if not np.isfinite(info.energy):
            # What began this chunk was never seen to have a finite energy.
            state, history = restored(state, proven), history[:-1]
            reason = why_stopped("the energy", following, num_epochs, history)
            break
        if not is_finite(state):
            state = restored(state, current)
            reason = why_stopped(
                "a weight or precision", following, num_epochs, history
            )
            break
        proven = current
        seconds = time.perf_counter() - started
        history.append(row_of(state, following, examples // batch_size, info))
        on_chunk(Chunk(state, following, info, size * batch_size, seconds))
    return state, curve_of(history, len(log_precisions), reason)


def why_stopped(what: str, end: Position, num_epochs: int, history: list[tuple]) -> str:
    """The sentence of a training that stopped early."""
    epoch = end.epoch if end.batch == 0 else end.epoch + 1
    kept = f"after {history[-1][0]:g} epochs" if history else "it began with"
    return (
        f"stopped in epoch {epoch} of {num_epochs}: {what} was no longer finite (a lower learning rate may help); "
        f"the network returned is the one {kept}."
    )


def chunks(
    position: Position, num_epochs: int, num_batches: int, chunks_per_epoch: int
) -> Iterator[tuple[Position, int, Position]]:
    """(start, number of batches, end) of every chunk from `position` on."""
    size = -(-num_batches // min(chunks_per_epoch, num_batches))
    while position.epoch < num_epochs:
        number = min(size, num_batches - position.batch)
        end = position.batch + number
        if end == num_batches:
            following = Position(position.epoch + 1, 0)
        else:
            following = Position(position.epoch, end)
        yield position, number, following
        position = following


def count_examples(data: Any) -> int:
    """Length of the leading axis."""
    return jax.tree.leaves(data)[0].shape[0]


def copy(tree: Any) -> Any:
    """The same arrays in buffers of their own."""
    return jax.tree.map(jnp.copy, tree)


def known(state: LearningState) -> LearningState:
    """A copy of what a network is; chains are not worth one."""
    kept = copy(state._replace(inference=(), initial=()))
    return kept


def restored(state: LearningState, kept: LearningState) -> LearningState:
    """An earlier network in the place of the present one."""
    return kept._replace(inference=state.inference, initial=state.initial)


def row_of(
    state: LearningState, position: Position, num_batches: int, info: LearningInfo
) -> tuple:
    """One row of the curve."""
    precisions = [
        np.nan if value is None else float(jnp.mean(level_diagonal(value)))
        for value in state.log_precisions
    ]
    epoch = position.epoch + position.batch / num_batches
    return (epoch, *(np.asarray(part) for part in info), np.asarray(precisions))


def curve_of(history: list[tuple], num_levels: int, reason: str) -> LearningCurve:
    """Rows as arrays, of the right shape even when there are none."""
    columns = list(zip(*history, strict=True)) or [()] * 7
    per_level = {"level_energies", "log_precisions"}
    arrays = [
        np.asarray(column, float).reshape((-1, num_levels) if name in per_level else -1)
        for name, column in zip(LearningCurve._fields, columns, strict=False)
    ]
    return LearningCurve(*arrays, stopped_early=bool(reason), reason=reason)  # type: ignore[call-arg]


def is_finite(state: LearningState) -> bool:
    """Whether every weight and log-precision is a finite number."""
    leaves = jax.tree.leaves((state.weights, state.log_precisions))
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in leaves)


def level_diagonal(log_precision: Array) -> Array:
    """The diagonal of a full log-precision, or the log-precision itself."""
    return jnp.diagonal(log_precision) if log_precision.ndim == 2 else log_precision

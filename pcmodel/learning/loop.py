"""The training loop: a jitted loop over the batches of a chunk, a Python loop over chunks.

Progress, metrics, the check for finite values, checkpoints and interruption happen between chunks, so that they do
not slow the device down.  The order and random draws of every batch depend on the key, the epoch and the batch
number alone, so that a run interrupted between chunks and resumed from its state ends bit-identical to an
uninterrupted one.
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
from pcmodel.model.slopes import Factors
from pcmodel.model.types import LogPrecisions, Weights
from pcmodel.runtime.contents import Static

Prepare = Callable[[Array, Any], tuple[Array, ...]]
"""Function of (key, one example's data) that returns the clamped values, one array per level."""


NOTHING: Static[Any] = Static(None)


class Position(NamedTuple):
    """Progress of learning.

    epoch: completed epochs.
    batch: completed batches of the current epoch.
    """

    epoch: int = 0
    batch: int = 0


class Chunk(NamedTuple):
    """Report of one chunk of training.

    state: the state after the chunk; its buffers are donated to the next chunk, so copy what is to be kept (a
        checkpoint does) before the callback returns.
    position: where the next chunk begins.
    info: means over the chunk's batches.
    examples: number of examples in the chunk.
    seconds: wall time of the chunk, s.
    """

    state: LearningState
    position: Position
    info: LearningInfo
    examples: int
    seconds: float


class LearningCurve(NamedTuple):
    """Means over each chunk (by default an epoch); arrays of shape (chunks,) unless stated.

    epoch: epochs completed at the end of each chunk, possibly fractional.
    energy: expected energy per example, nats.
    level_energies: each level's part of it, nats, (chunks, levels).
    residual: of the E-step's modes, in posterior standard deviations; see `LearningInfo`.
    converged: share of examples with a residual below 0.1.
    acceptance: mean acceptance probability of the chains.
    log_precisions: mean log-precision of each level after each chunk, (chunks, levels); NaN for a
        level without one.
    stopped_early: whether a non-finite energy, weight or precision ended learning; the last network known to
        have a finite energy is kept, and the curve ends with it.
    reason: why learning stopped early, in a sentence; empty if it did not.
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
    factors: Factors | None = None,
) -> tuple[LearningState, LearningInfo]:
    """The state after `num_batches` (at least one) learning steps, and means over them.

    data: pytree with a leading axis of examples.
    key: of the epoch; it determines the order of examples and the draws.
    first: number of the first batch; like `num_batches` not static, so that one program serves all chunk lengths.
    prepare: maps an example's data to clamped values (None: `data` are the values, one array per level).
    plasticity: factor on learning rates; None for 1.
    factors: of the modulation under which the data are experienced; None without one.

    An incomplete last batch of an epoch is left out.
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
            factors=factors,
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
    factors: Factors | None = None,
) -> tuple[LearningState, LearningCurve]:
    """Learn until `num_epochs` epochs are complete: the final state and the curve.

    resume: a state and its position to continue from; the curve then begins there.
    on_chunk: called after each chunk.
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
    # Snapshots: changing the caller's objects during learning has no effect.
    settings, preparing = Static(learning), Static(prepare)
    state = copy(state)  # its buffers are donated, and the caller's must stay valid
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
            factors=factors,
        )
        if not np.isfinite(info.energy):
            # The energy of the network at the start of this chunk is not known to be finite.
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
    """The sentence that explains why training stopped early."""
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
    """A copy of every array, in new buffers."""
    return jax.tree.map(jnp.copy, tree)


def known(state: LearningState) -> LearningState:
    """A copy of the state without the E-step's memory (which is large) and the gauge's reference."""
    kept = copy(state._replace(inference=(), initial=()))
    return kept


def restored(state: LearningState, kept: LearningState) -> LearningState:
    """The earlier network `kept`, with the present E-step memory and gauge reference."""
    return kept._replace(inference=state.inference, initial=state.initial)


def row_of(
    state: LearningState, position: Position, num_batches: int, info: LearningInfo
) -> tuple:
    """One row of the curve: its columns in the order of `LearningCurve`."""
    precisions = [
        np.nan if value is None else float(jnp.mean(level_diagonal(value)))
        for value in state.log_precisions
    ]
    epoch = position.epoch + position.batch / num_batches
    return (epoch, *(np.asarray(part) for part in info), np.asarray(precisions))


def curve_of(history: list[tuple], num_levels: int, reason: str) -> LearningCurve:
    """The curve from its rows, with arrays of the right shape even without rows."""
    columns = list(zip(*history, strict=True)) or [()] * 7
    per_level = {"level_energies", "log_precisions"}
    arrays = [
        np.asarray(column, float).reshape((-1, num_levels) if name in per_level else -1)
        for name, column in zip(LearningCurve._fields, columns, strict=False)
    ]
    return LearningCurve(*arrays, stopped_early=bool(reason), reason=reason)  # type: ignore[call-arg]


def is_finite(state: LearningState) -> bool:
    """Whether every weight and log-precision is finite."""
    leaves = jax.tree.leaves((state.weights, state.log_precisions))
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in leaves)


def level_diagonal(log_precision: Array) -> Array:
    """The diagonal of a full log-precision, or the log-precision itself."""
    return jnp.diagonal(log_precision) if log_precision.ndim == 2 else log_precision

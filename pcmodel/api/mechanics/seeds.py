"""Many networks of one architecture trained at once: one compiled program, mapped over seeds."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pcmodel.api.learning.train import (
    Lesson,
    TrainingResult,
    modulation_arrays,
    prepare_lesson,
    result_of,
)
from pcmodel.api.pose import Clamps, Observation
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.learning.augment import Augmented, Change
from pcmodel.learning.em import Learning, LearningInfo, LearningState, init_learning
from pcmodel.learning.loop import (
    Position,
    curve_of,
    row_of,
    run_chunk,
    why_stopped,
)
from pcmodel.learning.metrics import Log, flat_metrics
from pcmodel.model.levels import LevelName
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Structure
from pcmodel.model.slopes import Factors
from pcmodel.networks.network import Network
from pcmodel.networks.pure import PureNetwork, as_model
from pcmodel.runtime.contents import Static
from pcmodel.runtime.matmul_precision import matrix_products
from pcmodel.runtime.tracing import refuse_tracing


@checked_arguments
def train_seeds(
    networks: Sequence[Network],
    observations: Observation,
    *,
    key: Array,
    clamp: Clamps | None = None,
    learning: Learning | None = None,
    num_epochs: SupportsIndex = 20,
    batch_size: SupportsIndex = 64,
    plasticity: ArrayLike = 1.0,
    modulation: Modulation | None = None,
    augment: Mapping[LevelName, Change] | None = None,
    dtype: Literal["float32", "bfloat16"] = "float32",
    log: Log | None = None,
) -> tuple[TrainingResult, ...]:
    """Train several networks of one architecture on the same data at once: one result per network.

    networks: equal but for their arrays, such as [pcmodel.dense(widths, rngs=nnx.Rngs(seed)) for seed in range(10)].
    key: split into one for each network: the result of network i is, up to rounding, that of `train` with
        `jax.random.split(key, len(networks))[i]`.
    log: called after every epoch and for each network, with the numbers that `train` gives and "seed", its place in
        `networks`; not for one whose training has stopped.

    Other arguments and errors as for `train`.  A network whose energy ceases to be finite stops alone, as `train` does, and
    says so in `stopped`.  Memory and arithmetic are those of all networks together.
    """
    refuse_tracing(
        "train_seeds",
        [jax.tree.leaves(network) for network in networks],
        (observations, key, clamp, plasticity, modulation_arrays(modulation)),
        why="its loop over epochs runs in Python",
    )
    pures = same_architecture(networks)
    lesson = prepare_lesson(
        pures[0],
        observations,
        clamp=clamp,
        learning=learning,
        num_epochs=num_epochs,
        batch_size=batch_size,
        plasticity=plasticity,
        modulation=modulation,
        augment=augment,
    )
    keys = jax.random.split(check_key(key), len(networks))
    with matrix_products(dtype):
        ends = learn_together(lesson, pures, keys, log)
    return tuple(
        result_of(
            network,
            lesson._replace(pure=pure),
            state,
            curve_of(rows, len(pure.model.names), reason),
        )
        for network, pure, (state, rows, reason) in zip(
            networks, pures, ends, strict=True
        )
    )


def same_architecture(networks: Sequence[Network]) -> list[PureNetwork]:
    """The networks split; raises UserError unless they differ in the values of their arrays alone."""
    if not networks:
        raise UserError("train_seeds: expected one network or more, got none.")
    pures = [as_model(network) for network in networks]
    first = form_of(pures[0])
    for number, pure in enumerate(pures):
        if pure.model != pures[0].model or form_of(pure) != first:
            raise UserError(
                f"networks[{number}] is of another architecture than networks[0]",
                where="train_seeds",
                expected="networks that differ in the values of their arrays alone",
            )
    return pures


def form_of(pure: PureNetwork) -> Any:
    """Structure, shapes and dtypes of a network's arrays."""
    leaves, tree = jax.tree.flatten((pure.weights, pure.log_precisions))
    return tree, [(leaf.shape, leaf.dtype) for leaf in leaves]


End = tuple[LearningState, list[tuple], str]
"""A network's last state, the rows of its curve, and why it stopped early (empty if it did not)."""


def learn_together(
    lesson: Lesson, pures: Sequence[PureNetwork], keys: Array, log: Log | None
) -> list[End]:
    """`pcmodel.learning.loop.learn` for every network, each with its key."""
    begin_keys, epoch_keys = jnp.unstack(jax.vmap(jax.random.split)(keys), axis=1)
    states = _begin(
        stacked([pure.weights for pure in pures]),
        stacked([pure.log_precisions for pure in pures]),
        begin_keys,
        structure=lesson.structure,
        learning=Static(lesson.learning),
        num_examples=lesson.num_examples,
    )
    histories: list[list[tuple]] = [[] for _ in pures]
    ends: dict[int, End] = {}
    proven = states
    batches = lesson.num_examples // lesson.batch_size
    for epoch in range(lesson.num_epochs):
        started, before = time.perf_counter(), states
        states, info = _run_epoch(
            states,
            lesson.values,
            jax.vmap(partial(jax.random.fold_in, data=epoch))(epoch_keys),
            jnp.asarray(batches),
            structure=lesson.structure,
            learning=Static(lesson.learning),
            batch_size=lesson.batch_size,
            prepare=Static(lesson.augmented),
            plasticity=lesson.plasticity,
            factors=lesson.factors,
        )
        info, position = jax.device_get(info), Position(epoch + 1, 0)
        seconds = time.perf_counter() - started
        for number in set(range(len(pures))) - ends.keys():
            own = one_of(info, number)
            state = one_of(states, number)
            failed = why_not_finite(own, state)
            if failed:
                # A network whose energy is not finite at the start of an epoch is not known to be right.
                at_energy = failed == "the energy"
                rows = histories[number][: -1 if at_energy else None]
                kept = one_of(proven if at_energy else before, number)
                reason = why_stopped(failed, position, lesson.num_epochs, rows)
                ends[number] = kept, rows, reason
                continue
            histories[number].append(row_of(state, position, batches, own))
            if log is not None:
                when = {"seed": float(number), "epoch": epoch + 1.0, "seconds": seconds}
                names = lesson.pure.model.names
                log(flat_metrics(names, own, state.log_precisions, **when))
        proven = before
        if len(ends) == len(pures):
            break
    return [
        ends.get(number, (one_of(states, number), histories[number], ""))
        for number in range(len(pures))
    ]


def why_not_finite(info: LearningInfo, state: LearningState) -> str:
    """What of one network is no longer finite; empty if all is."""
    if not np.isfinite(info.energy):
        return "the energy"
    leaves = jax.tree.leaves((state.weights, state.log_precisions))
    if not all(np.all(np.isfinite(leaf)) for leaf in leaves):
        return "a weight or precision"
    return ""


@partial(jax.jit, static_argnames=("structure", "learning", "num_examples"))
def _begin(
    weights: Any,
    log_precisions: Any,
    keys: Array,
    *,
    structure: Structure,
    learning: Static[Learning],
    num_examples: int,
) -> LearningState:
    begin = partial(
        init_learning,
        learning=learning.value,
        structure=structure,
        num_examples=num_examples,
    )
    return jax.vmap(lambda w, p, key: begin(w, p, key=key))(
        weights, log_precisions, keys
    )


@partial(jax.jit, static_argnames=("structure", "learning", "batch_size", "prepare"))
def _run_epoch(
    states: LearningState,
    values: tuple[Array, ...],
    keys: Array,
    num_batches: Array,
    *,
    structure: Structure,
    learning: Static[Learning],
    batch_size: int,
    prepare: Static[Augmented | None],
    plasticity: Array | None,
    factors: Factors | None,
) -> tuple[LearningState, LearningInfo]:
    def one(state: LearningState, key: Array):
        return run_chunk(
            state,
            values,
            key,
            jnp.zeros((), int),
            num_batches,
            structure=structure,
            learning=learning,
            batch_size=batch_size,
            prepare=prepare,
            plasticity=plasticity,
            factors=factors,
        )

    return jax.vmap(one)(states, keys)


def stacked(trees: Sequence[Any]) -> Any:
    """Pytrees of one structure with a leading axis."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def one_of(tree: Any, number: int) -> Any:
    """The pytree of one network."""
    return jax.tree.map(lambda leaf: leaf[number], tree)

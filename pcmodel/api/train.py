"""`train`: learning of weights and precisions."""

import os
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pcmodel.api.pose import Clamps, Observation, pose
from pcmodel.api.resume import Resuming, digest
from pcmodel.errors import UserError
from pcmodel.inference.solvers.optax_steps import check_steps
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.learning.em import Learning, init_learning, level_rules
from pcmodel.learning.loop import Chunk, LearningCurve, learn
from pcmodel.learning.optimisers import init_optimiser
from pcmodel.learning.precisions.settling import LearnedPrecisions, judge_precisions
from pcmodel.model.generative import learned
from pcmodel.model.levels import level_indices
from pcmodel.model.modulation import check_scalar
from pcmodel.model.problem import Structure
from pcmodel.model.types import Weights
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model, with_arrays
from pcmodel.runtime.tracing import refuse_tracing


class TrainingResult(NamedTuple):
    """The result of training.

    network: trained network, a copy.
    curve: energies and other means over each epoch.
    gauge: which scale of the hidden levels was fixed, in words.
    precisions: whether each level's precision has settled, and its standard error if it has.
    stopped: empty if all epochs were completed; else a sentence with the reason, and which network is returned.
    """

    network: Network
    curve: LearningCurve
    gauge: str
    precisions: LearnedPrecisions
    stopped: str = ""


@checked_arguments
def train(
    network: Network,
    observations: Observation,
    *,
    key: Array,
    clamp: Clamps | None = None,
    learning: Learning | None = None,
    num_epochs: SupportsIndex = 20,
    batch_size: SupportsIndex = 64,
    plasticity: ArrayLike = 1.0,
    advance: Callable[[], None] = lambda: None,
    checkpoints: str | os.PathLike | None = None,
) -> TrainingResult:
    """Learn weights and log-precisions by EM.

    observations: (examples, width_0).
    clamp: values of further levels in training, such as labels at the top, each (examples, width).
    learning: options of learning.
    num_epochs: passes over the data.
    batch_size: examples per step; an incomplete last batch of an epoch is omitted.
    plasticity: factor on every learning rate, a drug's effect on learning (`Modulation.plasticity`); 1: none.
    advance: called after every epoch, for example by a progress bar.
    checkpoints: folder to which the state is saved after every epoch. An interrupted training resumes from the newest
        checkpoint when called again with the same network, data, sizes and key, and its result is bit-identical; the
        curve then begins at that checkpoint. Pass the same `learning`: only a change of its arrays is detected.

    Raises UserError for an optimiser that does not fit the weights or needs other arguments than it is given, data
    that do not fit the network, a rate outside [0, 1], a negative plasticity, precisions to be learned with a
    point-estimate E-step (which cannot estimate them), and checkpoints that are damaged or of another training.
    """
    refuse_tracing(
        "train",
        jax.tree.leaves(network),
        (observations, key, clamp, plasticity),
        why="its loop over epochs runs in Python",
    )
    learning, key = learning or Learning(), check_key(key)
    num_epochs = whole_number(num_epochs, "num_epochs")
    batch_size = whole_number(batch_size, "batch_size")
    check_learning(learning)
    pure = as_model(network)
    level_indices(learning.frozen_precisions, pure.model, where="frozen_precisions")
    posed = pose(pure, observations, clamp=clamp)
    examples = posed.batch_size
    if examples is None:
        raise UserError(
            "train expects a batch: observations of shape (examples, width)."
        )
    if batch_size > examples:
        raise UserError(
            f"batch_size {batch_size} exceeds the {examples} examples given."
        )
    check_optimiser(learning, posed.problem.structure, pure.weights)
    values = tuple(
        value if value.ndim == 2 else jnp.broadcast_to(value, (examples, *value.shape))
        for value in posed.problem.inputs.values
    )
    check_scalar("plasticity", plasticity, np.inf)
    neutral = float(np.asarray(plasticity)) == 1
    dtype = pure.weights["prior_mean"].dtype
    resuming = None
    if checkpoints is not None:
        first = init_learning(
            pure.weights,
            pure.log_precisions,
            learning,
            structure=posed.problem.structure,
            num_examples=examples,
            key=jax.random.split(key)[0],
        )
        what = {
            "network": ", ".join(map(str, pure.model.widths)),
            "beginning": digest((pure.weights, pure.log_precisions, plasticity)),
            "data": digest(values),
            "key": digest(key),
            "sizes": f"{num_epochs} epochs in batches of {batch_size}",
        }
        resuming = Resuming(checkpoints, what, first, examples // batch_size)

    def on_chunk(chunk: Chunk) -> None:
        if resuming is not None:
            resuming.save(chunk)
        advance()

    state, curve = learn(
        posed.problem.structure,
        pure.weights,
        pure.log_precisions,
        values,
        key,
        learning=learning,
        num_epochs=num_epochs,
        batch_size=batch_size,
        plasticity=None if neutral else jnp.asarray(plasticity, dtype),
        resume=None if resuming is None else resuming.begin(),
        on_chunk=on_chunk,
    )
    gauge = learning.gauge.told(pure.model, pure.weights, pure.log_precisions)
    trained = with_arrays(network, state.weights, state.log_precisions)
    rules = level_rules(learning, posed.problem.structure, None)
    learned = [
        learning.precision_step.learns and rule.rate is not None and value is not None
        for rule, value in zip(rules, pure.log_precisions, strict=True)
    ]
    precisions = judge_precisions(
        state.precision, curve.log_precisions, learned, examples, pure.model.names
    )
    return TrainingResult(trained, curve, gauge, precisions, curve.reason)


def check_learning(learning: Learning) -> None:
    """Raise a UserError for options that cannot work."""
    check_steps(learning.optimiser, "Learning")
    learning.precision_step.check()
    if learning.asks_point_estimates_for_precisions:
        raise UserError(
            "a point-estimate E-step cannot learn precisions: at the mode hidden errors can be "
            "made zero and the precision diverges; use PosteriorSamples, or set "
            "precision_step=Frozen() to train weights alone."
        )


def check_optimiser(learning: Learning, structure: Structure, weights: Weights) -> None:
    """Raise a UserError unless the optimiser can be initialised with the learned weights."""
    model, own = structure.model, learned(weights)
    try:
        jax.eval_shape(partial(init_optimiser, learning.optimiser, model), own)
    except (
        Exception
    ) as error:  # whatever an optimiser, its masks or its labels may raise
        reason = [*str(error).splitlines(), type(error).__name__][0]
        raise UserError(
            "the optimiser does not fit the weights, which it is shown as {'layers': one entry a layer, bottom first, "
            f"'prior_mean': of the top}}: {reason}"
        ) from error

"""`train`: learning of weights and precisions."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pcmodel.api.learning.resume import Resuming, digest
from pcmodel.api.pose import Clamps, Observation, pose
from pcmodel.errors import UserError
from pcmodel.inference.solvers.optax_steps import check_steps
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.learning.augment import Augmented, Change, read_augment
from pcmodel.learning.em import Learning, LearningState, init_learning, level_rules
from pcmodel.learning.loop import Chunk, LearningCurve, learn
from pcmodel.learning.metrics import Log, flat_metrics
from pcmodel.learning.optimisation.optimisers import init_optimiser
from pcmodel.learning.precisions.settling import LearnedPrecisions, judge_precisions
from pcmodel.learning.precisions.tying import tied, untied
from pcmodel.model.generative import learned
from pcmodel.model.levels import LevelName, level_indices
from pcmodel.model.modulation import Modulation, check_scalar
from pcmodel.model.problem import Structure
from pcmodel.model.slopes import Factors, factors_of
from pcmodel.model.types import Weights
from pcmodel.networks.network import Network
from pcmodel.networks.pure import PureNetwork, as_model, with_arrays
from pcmodel.runtime.matmul_precision import matrix_products
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
    modulation: Modulation | None = None,
    augment: Mapping[LevelName, Change] | None = None,
    dtype: Literal["float32", "bfloat16"] = "float32",
    advance: Callable[[], None] = lambda: None,
    log: Log | None = None,
    checkpoints: str | os.PathLike | None = None,
) -> TrainingResult:
    """Learn weights and log-precisions by EM.

    observations: (examples, width_0).
    clamp: values of further levels in training, such as labels at the top, each (examples, width).
    learning: options of learning.
    num_epochs: passes over the data.
    batch_size: examples per step; an incomplete last batch of an epoch is omitted.
    plasticity: factor on every learning rate, a drug's effect on learning (`Modulation.plasticity`); 1: none.
    modulation: the drug under which the network learns; None, or neutral: none, bit for bit. Latents are inferred, and
        weights' gradients are, those of the energy under its gains, slopes and error transmission (the equivalent gains,
        which also scale a level's own learning); stored precisions are learned from gain times squared error, so that
        gains without evidence move nothing. Its plasticity multiplies `plasticity`.
    augment: random changes of clamped levels, such as input noise, as functions of (key, one example's values), by level;
        drawn anew for every example of every batch. What they return is not checked against the likelihood.
    dtype: of the matrix products of a float32 network; "bfloat16" rounds their factors to 8 bits and leaves sums,
        weights, energies and precisions in float32, on devices that have such products (CPUs keep to float32).
    advance: called after every epoch, for example by a progress bar.
    log: called after every epoch with its numbers, such as {"epoch": 1.0, "energy": ..., "energy/<level>": ...,
        "log_precision/<level>": ..., "residual": ..., "seconds": ...}: `wandb.log`, `mlflow.log_metrics`.
    checkpoints: folder to which the state is saved after every epoch. An interrupted training resumes from the newest
        checkpoint when called again with the same network, data, sizes and key, and its result is bit-identical; the
        curve then begins at that checkpoint. Pass the same `learning` and `augment`: of these only a change of the
        arrays of `learning` is detected.

    Raises UserError for an optimiser that does not fit the weights or needs other arguments than it is given, data
    that do not fit the network, a rate outside [0, 1], a negative plasticity, a modulation of other levels or of activity
    around the mode (top_down, temperature), precisions to be learned with a point-estimate E-step (which cannot estimate
    them), and checkpoints that are damaged or of another training.
    """
    refuse_tracing(
        "train",
        jax.tree.leaves(network),
        (observations, key, clamp, plasticity, modulation_arrays(modulation)),
        why="its loop over epochs runs in Python",
    )
    key = check_key(key)
    lesson = prepare_lesson(
        as_model(network),
        observations,
        clamp=clamp,
        learning=learning,
        num_epochs=num_epochs,
        batch_size=batch_size,
        plasticity=plasticity,
        modulation=modulation,
        augment=augment,
    )
    resuming = None
    if checkpoints is not None:
        resuming = resuming_of(lesson, key, checkpoints)

    def on_chunk(chunk: Chunk) -> None:
        if resuming is not None:
            resuming.save(chunk)
        advance()
        if log is not None:
            when = {"epoch": float(chunk.position.epoch), "seconds": chunk.seconds}
            names, precisions = lesson.pure.model.names, chunk.state.log_precisions
            log(flat_metrics(names, chunk.info, precisions, **when))

    with matrix_products(dtype):
        state, curve = learn(
            lesson.structure,
            lesson.pure.weights,
            lesson.pure.log_precisions,
            lesson.values,
            key,
            learning=lesson.learning,
            num_epochs=lesson.num_epochs,
            batch_size=lesson.batch_size,
            prepare=lesson.augmented,
            plasticity=lesson.plasticity,
            factors=lesson.factors,
            resume=None if resuming is None else resuming.begin(),
            on_chunk=on_chunk,
        )
    return result_of(network, lesson, state, curve)


class Lesson(NamedTuple):
    """What a training needs, checked.

    pure: network before learning.
    structure: which units are clamped.
    values: clamped values of every level, (examples, clamped units).
    learning: options of learning.
    num_epochs: passes over the data.
    batch_size: examples per step.
    plasticity: factor on learning rates, that of the modulation included; None for 1.
    factors: of the modulation on the energy; None if they are all 1.
    augmented: random changes of the values; None for none.
    """

    pure: PureNetwork
    structure: Structure
    values: tuple[Array, ...]
    learning: Learning
    num_epochs: int
    batch_size: int
    plasticity: Array | None
    factors: Factors | None
    augmented: Augmented | None

    @property
    def num_examples(self) -> int:
        """Number of examples."""
        return self.values[0].shape[0]


def prepare_lesson(
    pure: PureNetwork,
    observations: Observation,
    *,
    clamp: Clamps | None,
    learning: Learning | None,
    num_epochs: SupportsIndex,
    batch_size: SupportsIndex,
    plasticity: ArrayLike = 1.0,
    modulation: Modulation | None = None,
    augment: Mapping[LevelName, Change] | None = None,
) -> Lesson:
    """The arguments of `train`, checked; raises UserError for invalid ones."""
    learning = learning or Learning()
    num_epochs = whole_number(num_epochs, "num_epochs")
    batch_size = whole_number(batch_size, "batch_size")
    check_learning(learning)
    names = pure.model.names
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
    structure = posed.problem.structure
    check_optimiser(learning, structure, pure.weights)
    values = tuple(
        value if value.ndim == 2 else jnp.broadcast_to(value, (examples, *value.shape))
        for value in posed.problem.inputs.values
    )
    dtype = pure.weights["prior_mean"].dtype
    factors = learning_factors(modulation, pure, dtype)
    check_scalar("plasticity", plasticity, np.inf)
    rate = float(np.asarray(plasticity))
    if modulation is not None:
        rate *= float(np.asarray(modulation.plasticity))
    check_scalar("plasticity", rate, np.inf)
    return Lesson(
        pure,
        structure,
        values,
        learning,
        num_epochs,
        batch_size,
        None if rate == 1 else jnp.asarray(rate, dtype),
        factors,
        read_augment(augment, names, values) if augment else None,
    )


def learning_factors(
    modulation: Modulation | None, pure: PureNetwork, dtype: jnp.dtype
) -> Factors | None:
    """A modulation's factors on the energy that is learned, None if all are 1; raises UserError for those that act on
    activity alone, of which learning knows nothing."""
    if modulation is None:
        return None
    if modulation.acts_on_activity:
        raise UserError(
            "this modulation changes activity around the mode (top_down or temperature), which the energy that is "
            "learned does not describe",
            where="modulation",
            expected="modulation.in_inference(), which keeps gains, slopes, error transmission and plasticity",
        )
    return factors_of(modulation, pure.model, dtype)


def modulation_arrays(modulation: Modulation | None) -> tuple[object, ...]:
    """The numbers of a modulation that learning uses, () without one."""
    if modulation is None:
        return ()
    parts = (modulation.gains, modulation.slopes, modulation.error_transmission)
    factors = (value for part in parts for value in part.values())
    return (*factors, modulation.plasticity)


def resuming_of(lesson: Lesson, key: Array, folder: str | os.PathLike) -> Resuming:
    """The checkpoints of a training."""
    pure = lesson.pure
    plasticity = 1.0 if lesson.plasticity is None else lesson.plasticity
    first = init_learning(
        pure.weights,
        pure.log_precisions,
        lesson.learning,
        structure=lesson.structure,
        num_examples=lesson.num_examples,
        key=jax.random.split(key)[0],
    )
    what = {
        "network": ", ".join(map(str, pure.model.widths)),
        "beginning": digest((pure.weights, pure.log_precisions, plasticity)),
        "modulation": "none" if lesson.factors is None else digest(lesson.factors),
        "data": digest(lesson.values),
        "key": digest(key),
        "sizes": f"{lesson.num_epochs} epochs in batches of {lesson.batch_size}",
    }
    return Resuming(folder, what, first, lesson.num_examples // lesson.batch_size)


def result_of(
    network: Network, lesson: Lesson, state: LearningState, curve: LearningCurve
) -> TrainingResult:
    """The result of a training that ended in a state."""
    pure, learning = lesson.pure, lesson.learning
    gauge = learning.gauge.told(pure.model, pure.weights, pure.log_precisions)
    trained = with_arrays(network, state.weights, state.log_precisions)
    rules = level_rules(learning, lesson.structure, None)
    learned = [
        learning.precision_step.learns and rule.rate is not None and value is not None
        for rule, value in zip(
            rules, untied(pure.log_precisions, pure.model), strict=True
        )
    ]
    precisions = judge_precisions(
        state.precision,
        curve.log_precisions,
        learned,
        lesson.num_examples,
        pure.model.names,
    )
    precisions = precisions._replace(
        settled=tied(precisions.settled, pure.model),
        standard_errors=tied(precisions.standard_errors, pure.model),
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

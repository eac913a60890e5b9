"""A run before its first step; all errors of a plan are raised here."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding

from pcmodel.api.learning.resume import digest
from pcmodel.api.learning.train import check_learning, check_optimiser
from pcmodel.api.pose import pose
from pcmodel.data.augment import Augmentation
from pcmodel.data.images import ImageData
from pcmodel.errors import UserError
from pcmodel.learning.em import Learning, LearningState, init_learning
from pcmodel.learning.loop import Position
from pcmodel.model.generative import ends_of
from pcmodel.model.problem import Structure
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model, with_arrays
from pcmodel.record.environment import is_float64
from pcmodel.record.strict_json import hash_json, to_jsonable
from pcmodel.training.build import build_learning, build_network
from pcmodel.training.examples import Examples, Preparation, Split, load_split
from pcmodel.training.plan import TrainingPlan
from pcmodel.training.sharding import batch_sharding, on_host, replicate


class TrainingSetup(NamedTuple):
    """Everything that one run needs.

    plan: of the run.
    seed: of the run.
    split: training, validation and test examples, on the host.
    network: with its initial parameters.
    structure: which units are clamped.
    learning: the learning options.
    preparation: how examples become levels.
    examples: the training examples, on the devices.
    key: of the run, on the devices.
    state: the initial learning state.
    sharding: how a batch is divided among devices; None for one device.
    own: digest of the initial arrays of a network that was given; None for one that the plan describes.
    """

    plan: TrainingPlan
    seed: int
    split: Split
    network: Network
    structure: Structure
    learning: Learning
    preparation: Preparation
    examples: Examples
    key: jax.Array
    state: LearningState
    sharding: NamedSharding | None
    own: str | None = None

    @property
    def batches(self) -> int:
        """Batches in one epoch; a last incomplete batch is left out."""
        return len(self.split.train.images) // self.plan.batch_size

    @property
    def num_steps(self) -> int:
        """Batches in the whole run."""
        return self.plan.epochs * self.batches

    def step_of(self, position: Position) -> int:
        """Number of batches before a position."""
        return position.epoch * self.batches + position.batch

    def position_of(self, step: int) -> Position:
        """The position after so many batches."""
        return Position(*divmod(step, self.batches))


def prepare(
    plan: TrainingPlan,
    seed: int,
    data: ImageData | None = None,
    *,
    network: Network | None = None,
    learning: Learning | None = None,
) -> TrainingSetup:
    """Images, network and learning options of a plan, and its initial state.

    data, network, learning: in place of what the plan describes.
    Raises UserError for a plan that cannot be run.
    """
    sharding = batch_sharding(plan.devices)
    split = load_split(plan.data, data)
    num_examples = len(split.train.images)
    if plan.batch_size > num_examples:
        raise UserError(
            f"cannot be {plan.batch_size}",
            where="batch_size",
            expected=f"at most {num_examples}, the training images",
        )
    own = None if network is None else digest(as_model(network)[1:])
    if network is None:
        network = build_network(
            plan.network, split.image_shape, split.num_classes, seed=seed
        )
    preparation = _preparation(plan, network, split)
    structure = _structure(network, split, preparation)
    batches = plan.epochs * (num_examples // plan.batch_size)
    if learning is None:
        learning = build_learning(plan.learning, network, batches)
    check_learning(learning)
    check_optimiser(learning, structure, as_model(network).weights)
    key = jax.random.key(seed)
    state = _first_state(network, learning, structure, num_examples, key)
    return TrainingSetup(
        plan,
        seed,
        split,
        network,
        structure,
        learning,
        preparation,
        replicate(split.train, sharding),
        replicate(key, sharding),
        replicate(state, sharding),
        sharding,
        own,
    )


def _preparation(plan: TrainingPlan, network: Network, split: Split) -> Preparation:
    mean, sd = (tuple(map(float, each)) for each in split.standardisation)
    return Preparation(
        plan.network.direction == "generate",
        len(network.widths),
        split.num_classes,
        mean,
        sd,
        str(network.prior_mean[...].dtype),
        Augmentation(max_shift=plan.data.max_shift, flip=plan.data.flip),
    )


def _structure(network: Network, split: Split, preparation: Preparation) -> Structure:
    """The structure with both ends clamped; `pose` checks one example against the likelihood."""
    refuse_other_ends(network)
    example = Examples(*(jnp.asarray(part[0]) for part in split.train))
    bottom, *_, top = preparation(jax.random.key(0), example)
    posed = pose(network, bottom, clamp={network.names[-1]: top})
    return posed.problem.structure


def refuse_other_ends(network: Network) -> None:
    """UserError for an end beside level 0: nothing of an example would be clamped there, and its layer would not learn."""
    others = [network.names[level] for level in ends_of(as_model(network).model)[1:]]
    if others:
        raise UserError(
            f"has other ends than level {network.names[0]!r}: {', '.join(map(repr, others))}, which a run would leave free",
            where="network",
            expected="image and label as level 0 and the last top; a network of several ends is trained by pcmodel.train, "
            "which takes data for each by name",
        )


def _first_state(
    network: Network,
    learning: Learning,
    structure: Structure,
    num_examples: int,
    key: jax.Array,
) -> LearningState:
    pure = as_model(network)
    return init_learning(
        pure.weights,
        pure.log_precisions,
        learning,
        structure=structure,
        num_examples=num_examples,
        key=jax.random.fold_in(key, 0),
    )


def network_of(setting: TrainingSetup, state: LearningState) -> Network:
    """The network with a state's arrays, on this process's own device."""
    arrays = on_host((state.weights, state.log_precisions))
    return with_arrays(setting.network, *jax.device_put(arrays))


def identity_of(setting: TrainingSetup) -> dict[str, Any]:
    """What must be equal for a checkpoint to be resumed."""
    model = as_model(setting.network).model
    levels = zip(model.names, model.widths, strict=True)
    builder = setting.plan.network.builder
    kind = builder if setting.own is None else f"own ({setting.own})"
    return {
        "network": f"{kind}: " + ", ".join(f"{name} {width}" for name, width in levels),
        "configuration": plan_hash(setting.plan),
        "seed": setting.seed,
        "precision": "float64" if is_float64() else "float32",
    }


def plan_hash(plan: TrainingPlan) -> str:
    """Eight hex digits of every field that changes the numbers."""
    values = to_jsonable(plan)
    for name in ("question", "checkpoint_every"):
        values.pop(name)
    values["data"].pop("folder")
    return hash_json(values)[:8]

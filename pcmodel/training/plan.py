"""What one training run is: data, network, learning, sizes. Plain values, validated here.

A plan is the content of a configuration file.  Two runs of equal plan and seed give the same numbers on
the same device and versions.  Nothing here imports jax, so that errors in a file are reported at once.
"""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import (
    MANY,
    CountToMany,
    NotNegative,
    Positive,
    Range,
    Share,
)

# Channels of the convolutional networks in a smoke run.
SMALL = {
    "vgg4": (2,) * 3,
    "vgg5": (2,) * 4,
    "vgg6": (2,) * 5,
    "vgg7": (2,) * 6,
    "resnet18": (2,) * 4,
}
Momentum = Annotated[float, Range(0.0, 0.9999)]


@checked_options("data.")
@dataclass(frozen=True)
class DataPlan:
    """Which images, and their preprocessing.

    name: of the data set.
    folder: where the files are; None downloads them once (the digits need neither).
    validation: number of the last training images that are held out.
    examples: number of the first training images that are used, and of test images, drawn once at random; None is all.
    standardise: each channel to mean 0 and SD 1 over the training images, else grey in [0, 1].
    max_shift: training images are shifted by up to so many pixels, anew in every epoch.
    flip: training images are mirrored with probability 1/2, anew in every epoch.
    """

    name: Literal["digits", "mnist", "fashion_mnist", "cifar10", "cifar100"] = "digits"
    folder: str | None = None
    validation: CountToMany = 200
    examples: Annotated[int, Range(2, MANY)] | None = None
    standardise: bool = False
    max_shift: Annotated[int, Range(0, MANY)] = 0
    flip: bool = False


@checked_options("network.")
@dataclass(frozen=True)
class NetworkPlan:
    """Which network, by the name of its builder.

    builder: the architecture.
    direction: "classify" predicts the label (level 0) from the image (top); "generate" predicts
        the image (level 0) from the label (top).
    hidden: of an mlp, widths between image and label, from the image on.
    width: of a residual_mlp, units of each hidden level.
    depth: of a residual_mlp, number of hidden levels.
    channels: of convolutional networks, from the image on; empty is the published number.
    activation: of the hidden levels.
    likelihood: of level 0; "categorical" is for labels, "bernoulli" for images in [0, 1].
    precision: initial precision of every level.
    bottom_precision: initial precision of level 0, the label in a classifier; None is `precision`. The
        higher the hidden precisions relative to it, the smaller the share of the label's error in the
        hidden levels, and the closer learning is to backpropagation.
    per_unit: each unit of a level has its own precision.
    """

    builder: Literal[
        "mlp", "residual_mlp", "vgg4", "vgg5", "vgg6", "vgg7", "resnet18"
    ] = "mlp"
    direction: Literal["classify", "generate"] = "classify"
    hidden: tuple[CountToMany, ...] = (128, 64)
    width: CountToMany = 128
    depth: CountToMany = 16
    channels: tuple[CountToMany, ...] = ()
    activation: Literal["tanh", "relu", "gelu", "sigmoid", "softplus", "identity"] = (
        "tanh"
    )
    likelihood: Literal["gaussian", "bernoulli", "categorical"] = "categorical"
    precision: Positive = 1.0
    bottom_precision: Positive | None = None
    per_unit: bool = False

    def __post_init__(self):
        if not self.hidden:
            raise _cannot("network.hidden", [], "widths of 1 or more")
        generative = self.direction == "generate"
        if generative and self.builder != "mlp":
            raise _cannot(
                "network.builder", self.builder, "mlp, the one that generates images"
            )
        if generative and self.likelihood == "categorical":
            raise _cannot(
                "network.likelihood", "categorical", "gaussian or bernoulli for images"
            )
        if not generative and self.likelihood == "bernoulli":
            raise _cannot(
                "network.likelihood", "bernoulli", "categorical or gaussian for labels"
            )
        if self.bottom_precision is not None and self.likelihood != "gaussian":
            raise _cannot(
                "network.bottom_precision",
                self.bottom_precision,
                f"none: {self.likelihood} data have no precision",
            )


@checked_options("learning.e_step.")
@dataclass(frozen=True)
class EStepPlan:
    """How latents are inferred during learning; each choice reads only its own options.

    kind: "point", the mode alone; "samples", perturb-and-solve draws around it; "hmc", persistent
        chains of Hamiltonian Monte Carlo, `draws` of them, with `steps` leapfrog steps an update.
    solver: of the mode. "newton" is one step by a fixed number of products; "gauss_newton" iterates to
        `tolerance`; "state" and "error" take `steps` steps of gradient descent on the latents or on the
        whitened errors.
    products: matrix-vector products of each linear solve; 0 lets "gauss_newton" choose.
    iterations: maximum for "gauss_newton".
    tolerance: of "newton" and "gauss_newton".
    draws: of "samples" and "hmc".
    steps: of "state", "error" and "hmc", and of the rule "incremental".
    rate: step size of "state" and "error", and of the rule "incremental".
    momentum: of the same three.
    """

    kind: Literal["point", "samples", "hmc"] = "point"
    solver: Literal["newton", "gauss_newton", "state", "error"] = "newton"
    products: Annotated[int, Range(0, MANY)] = 2
    iterations: CountToMany = 5
    tolerance: Positive = 1e-2
    draws: CountToMany = 1
    steps: CountToMany = 20
    rate: Positive = 0.1
    momentum: Momentum = 0.0

    def __post_init__(self):
        if self.products == 0 and self.solver != "gauss_newton":
            raise _cannot("learning.e_step.products", 0, "1 or more")


@checked_options("learning.")
@dataclass(frozen=True)
class LearningPlan:
    """The rule, and the optimiser of the weights.

    rule: "em", inference and then learning; "backprop", the same network by backpropagation;
        "incremental", one step of inference and one of learning in turn; "nudged", the label is nudged
        instead of clamped; "nudged_loss", the loss enters the energy with a small weight of either sign.
    optimiser: of the weights.
    rate: learning rate.
    schedule: of the rate, over all batches.
    final: "cosine" ends at this share of the rate.
    warmup: share of the steps in which the rate rises from 0.
    momentum: of sgd.
    nesterov: whether sgd's momentum is Nesterov's.
    weight_decay: of adamw and of sgd.
    precision_step: "average" moves variances towards each batch's second moment, "natural" takes steps of
        the natural gradient.
    precision_rate: learning rate of the precisions; 0 freezes them.
    variance_floor: added to the variance of level 0, as if pixels had noise.
    gauge: what is held fixed, since weights and hidden precisions are not identified together.
    nudging: strength of the nudge.
    nudge: its sign; "centred" is the difference of both, "random" one drawn for every example ("nudged_loss" alone).
    settling: inference of "nudged_loss": all errors at once, or even and odd levels in turn.
    settling_steps: number of its passes.
    e_step: inference of the latents, except of "nudged_loss".
    """

    rule: Literal["em", "backprop", "incremental", "nudged", "nudged_loss"] = "em"
    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    rate: Positive = 1e-3
    schedule: Literal["constant", "cosine"] = "cosine"
    final: Share = 0.05
    warmup: Annotated[float, Range(0.0, 0.9)] = 0.0
    momentum: Momentum = 0.9
    nesterov: bool = False
    weight_decay: Share = 0.0
    precision_step: Literal["average", "natural"] = "average"
    precision_rate: Share = 0.0
    variance_floor: NotNegative = 0.0
    gauge: Literal["weight_norm", "hidden_precision"] = "weight_norm"
    nudging: Positive = 0.1
    nudge: Literal["positive", "negative", "centred", "random"] = "centred"
    settling: Literal["fixed_point", "even_odd"] = "fixed_point"
    settling_steps: CountToMany = 2
    e_step: EStepPlan = field(default_factory=EStepPlan)

    def __post_init__(self):
        if self.precision_rate > 0 and self.rule != "em":
            raise _cannot(
                "learning.precision_rate",
                self.precision_rate,
                f'0 for the rule "{self.rule}": only "em" learns precisions',
            )
        if self.nudge == "random" and self.rule != "nudged_loss":
            raise _cannot(
                "learning.nudge",
                "random",
                'a random sign for the rule "nudged_loss" alone',
            )
        if self.nesterov and not (self.optimiser == "sgd" and self.momentum > 0):
            raise _cannot("learning.nesterov", True, "false, or sgd with momentum")
        if self.weight_decay > 0 and self.optimiser == "adam":
            raise _cannot(
                "learning.weight_decay", self.weight_decay, "0 for adam, or adamw"
            )
        if self.precision_rate > 0 and self.e_step.kind not in ("samples", "hmc"):
            raise _cannot(
                "learning.e_step.kind",
                self.e_step.kind,
                "samples or hmc where precision_rate is above 0: at the mode alone hidden errors "
                "can be made zero and their precision diverges",
            )


@checked_options()
@dataclass(frozen=True)
class TrainingPlan:
    """One training run; the seed is an argument of `run_training`.

    question: the heading of its report.
    data: the images.
    network: the network.
    learning: the rule and its optimiser.
    epochs: passes through the training images.
    batch_size: examples in a batch.
    dtype: of the large matrix products; energies and precisions stay float32, and so do convolutions (on
        a GPU at XLA's default, TF32).
    chunk: batches that run on the device between two measurements; does not change a result.
    checkpoint_every: minimum seconds between two checkpoints, 0 saves after every chunk; does not change a
        result.
    devices: number of devices that share every batch.
    """

    question: str = "How well does this network learn these images?"
    data: DataPlan = field(default_factory=DataPlan)
    network: NetworkPlan = field(default_factory=NetworkPlan)
    learning: LearningPlan = field(default_factory=LearningPlan)
    epochs: CountToMany = 20
    batch_size: CountToMany = 64
    dtype: Literal["float32", "bfloat16"] = "float32"
    chunk: CountToMany = 100
    checkpoint_every: NotNegative = 60.0
    devices: CountToMany = 1

    def __post_init__(self):
        if self.batch_size % self.devices:
            raise _cannot(
                "devices",
                self.devices,
                f"a divisor of the batch_size {self.batch_size}",
            )

    def shrunk(self) -> "TrainingPlan":
        """The same kind of run at a size that takes seconds, to test that it runs."""
        batch_size = 4 * self.devices
        data = replace(self.data, validation=16, examples=8 * batch_size)
        network = replace(
            self.network,
            hidden=tuple(min(width, 8) for width in self.network.hidden),
            width=min(self.network.width, 8),
            depth=min(self.network.depth, 4),
            channels=SMALL.get(self.network.builder, ()),
        )
        return replace(
            self,
            data=data,
            network=network,
            epochs=2,
            batch_size=batch_size,
            chunk=4,
            checkpoint_every=0.0,
        )


def _cannot(where: str, value: Any, expected: str) -> UserError:
    return UserError(f"cannot be {value}", where=where, expected=expected)

"""What one training run is: data, network, learning, sizes. Plain values, checked here.

A plan is what a configuration file says.  Two runs of equal plan and seed end in the same numbers on
the same device and versions.  Nothing here starts jax, so that a mistake in a file is told at once.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short

# Channels of the convolutional networks when only their running is of interest.
SMALL = {"vgg5": (2,) * 4, "vgg7": (2,) * 6, "resnet18": (2,) * 4}


@dataclass(frozen=True)
class DataPlan:
    """Which images, and what happens to them.

    folder: where the files are; None downloads them once (the digits need neither).
    validation: so many of the last training images are held out. examples: only so many of the
        first training images, and as many test images, are used; None is all.
    standardise: each channel to mean 0 and sd 1 over the training images, else grey in [0, 1].
    max_shift, flip: training images are moved by up to so many pixels, and mirrored half the
        time, anew in every epoch.
    """

    name: Literal["digits", "mnist", "fashion_mnist", "cifar10"] = "digits"
    folder: str | None = None
    validation: int = 200
    examples: int | None = None
    standardise: bool = False
    max_shift: int = 0
    flip: bool = False

    def __post_init__(self):
        _at_least(1, **{"data.validation": self.validation})
        _at_least(0, **{"data.max_shift": self.max_shift})
        if self.examples is not None:
            _at_least(2, **{"data.examples": self.examples})


@dataclass(frozen=True)
class NetworkPlan:
    """Which network, by the name of its builder.

    direction: "classify" predicts the label (level 0) from the image (top); "generate" predicts
        the image (level 0) from the label (top).
    hidden: of an mlp, widths between image and label, from the image on.
    width, depth: of a residual_mlp, units and number of its hidden levels.
    channels: of convolutional networks, from the image on; empty is the published number.
    likelihood: what level 0 is; "categorical" goes with labels, "bernoulli" with images in [0, 1].
    precision: that every level begins with. bottom_precision: level 0's, where it is another: of the
        label in a classifier. The more precise the hidden levels beside it, the less of its error
        they take up, and the closer learning comes to backpropagation. per_unit: each unit of
        a level has its own.
    """

    builder: Literal["mlp", "residual_mlp", "vgg5", "vgg7", "resnet18"] = "mlp"
    direction: Literal["classify", "generate"] = "classify"
    hidden: tuple[int, ...] = (128, 64)
    width: int = 128
    depth: int = 16
    channels: tuple[int, ...] = ()
    activation: Literal["tanh", "relu", "gelu", "sigmoid", "softplus", "identity"] = (
        "tanh"
    )
    likelihood: Literal["gaussian", "bernoulli", "categorical"] = "categorical"
    precision: float = 1.0
    bottom_precision: float | None = None
    per_unit: bool = False

    def __post_init__(self):
        _at_least(1, **{"network.width": self.width})
        _at_least(1, **{"network.depth": self.depth})
        _positive(**{"network.precision": self.precision})
        if not self.hidden or min(self.hidden) < 1:
            raise _cannot("network.hidden", list(self.hidden), "widths of 1 or more")
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
        if self.bottom_precision is not None:
            _positive(**{"network.bottom_precision": self.bottom_precision})
            if self.likelihood != "gaussian":
                raise _cannot(
                    "network.bottom_precision",
                    self.bottom_precision,
                    f"none: {self.likelihood} data have no precision",
                )


@dataclass(frozen=True)
class EStepPlan:
    """How latents are inferred while learning; each choice reads only its own options.

    kind: "point", the mode alone; "samples", perturb-and-solve draws around it; "hmc", persistent
        chains of Hamiltonian Monte Carlo, as many as `draws`, `steps` leapfrog steps a visit.
    solver: of the mode. "newton" is one step by a fixed number of products; "gauss_newton" iterates to
        `tolerance`, 0 products leaving the linear solve to it; "state" and "error" descend `steps` times at
        `rate` on the latents or on the whitened errors.
    draws: of "samples" and "hmc". steps, rate, momentum: also of the rule "incremental".
    """

    kind: Literal["point", "samples", "hmc"] = "point"
    solver: Literal["newton", "gauss_newton", "state", "error"] = "newton"
    products: int = 2
    iterations: int = 5
    tolerance: float = 1e-2
    draws: int = 1
    steps: int = 20
    rate: float = 0.1
    momentum: float = 0.0

    def __post_init__(self):
        _within(0.0, 0.9999, "learning.e_step.momentum", self.momentum)
        _at_least(
            1,
            **{
                "learning.e_step.iterations": self.iterations,
                "learning.e_step.draws": self.draws,
                "learning.e_step.steps": self.steps,
            },
        )
        least = 0 if self.solver == "gauss_newton" else 1
        _at_least(least, **{"learning.e_step.products": self.products})
        _positive(
            **{
                "learning.e_step.tolerance": self.tolerance,
                "learning.e_step.rate": self.rate,
            }
        )


@dataclass(frozen=True)
class LearningPlan:
    """The rule, and the optimiser of the weights.

    rule: "em", infer and then learn; "backprop", the same network by backpropagation; "incremental",
        one step of inference and one of learning in turn; "nudged", the label pulls instead of being
        clamped.
    schedule: of the rate, over all batches; "cosine" ends at `final` times it. warmup: the share of the
        steps in which the rate rises from 0. momentum: of sgd. weight_decay: of adamw, and of sgd.
    precision_rate: how fast precisions follow, 0 freezes them; precision_step: "average" moves
        variances towards each batch's second moment, "natural" takes steps of the natural gradient.
    variance_floor: added to that of level 0, as if pixels carried noise.
    gauge: what stays fixed, since weights and hidden precisions cannot both be told from data.
    nudging: strength of the pull; nudge: its sign, "centred" is the difference of both.
    """

    rule: Literal["em", "backprop", "incremental", "nudged"] = "em"
    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    rate: float = 1e-3
    schedule: Literal["constant", "cosine"] = "cosine"
    final: float = 0.05
    warmup: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 0.0
    precision_step: Literal["average", "natural"] = "average"
    precision_rate: float = 0.0
    variance_floor: float = 0.0
    gauge: Literal["weight_norm", "hidden_precision"] = "weight_norm"
    nudging: float = 0.1
    nudge: Literal["positive", "negative", "centred"] = "centred"
    e_step: EStepPlan = field(default_factory=EStepPlan)

    def __post_init__(self):
        _positive(
            **{"learning.rate": self.rate, "learning.nudging": self.nudging},
        )
        _within(0.0, 1.0, "learning.precision_rate", self.precision_rate)
        _within(0.0, 1.0, "learning.final", self.final)
        _within(0.0, 0.9, "learning.warmup", self.warmup)
        _within(0.0, 0.9999, "learning.momentum", self.momentum)
        _within(0.0, 1.0, "learning.weight_decay", self.weight_decay)
        _within(0.0, float("inf"), "learning.variance_floor", self.variance_floor)
        if self.precision_rate > 0 and self.rule != "em":
            raise _cannot(
                "learning.precision_rate",
                self.precision_rate,
                f'0 for the rule "{self.rule}": only "em" learns precisions',
            )
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


@dataclass(frozen=True)
class TrainingPlan:
    """One training run; the seed is given when it is run.

    question: the heading of its report. dtype: of the large matrix products; energies and
        precisions stay float32, and so do convolutions (on a GPU at XLA's default, TF32).
    chunk: batches that run on the device between two looks from outside. checkpoint_every: at least
        so many seconds lie between two checkpoints, 0 saves after every chunk; neither changes a
        result. devices: the batch is shared among so many.
    """

    question: str = "How well does this network learn these images?"
    data: DataPlan = field(default_factory=DataPlan)
    network: NetworkPlan = field(default_factory=NetworkPlan)
    learning: LearningPlan = field(default_factory=LearningPlan)
    epochs: int = 20
    batch_size: int = 64
    dtype: Literal["float32", "bfloat16"] = "float32"
    chunk: int = 100
    checkpoint_every: float = 60.0
    devices: int = 1

    def __post_init__(self):
        _at_least(
            1,
            epochs=self.epochs,
            batch_size=self.batch_size,
            chunk=self.chunk,
            devices=self.devices,
        )
        _within(0.0, float("inf"), "checkpoint_every", self.checkpoint_every)
        if self.batch_size % self.devices:
            raise _cannot(
                "devices",
                self.devices,
                f"a divisor of the batch_size {self.batch_size}",
            )

    def shrunk(self) -> "TrainingPlan":
        """The same kind of run at a size that takes seconds: does it run at all?"""
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


MOST = 10**9
"""More epochs, units or steps than anybody waits for; a slip of the keys."""


def _at_least(least: int, **values: int) -> None:
    for name, value in values.items():
        if value < least:
            raise _cannot(name, value, f"{least} or more")
        if value > MOST:
            raise _cannot(name, short(value), f"at most {MOST}")


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise _cannot(name, value, "a finite number above 0")


def _within(low: float, high: float, name: str, value: float) -> None:
    if not low <= value <= high:
        raise _cannot(name, value, f"{low:g} to {high:g}")

"""Does a precision learned at every level make held-out images more likely?

The generative network of `digits_generative` or `mnist_generative` is trained from the same weights, in the
same order, with the same draws' keys, three times:

- every level: each level's precision is learned, and weight norms are fixed;
- level 0 alone: the images' precision is learned, the hidden levels' and the label's stay at 1: what
  knowing the noise of the data is worth by itself;
- none: every precision stays at 1, as in most predictive-coding libraries.

Where a hidden precision stays at 1 the weight norms are free: that level has one scale too, and fixing both would
rob the rival.  All begin from precisions of 1 and see the label at the top while they learn.

Measured is log p(image), nats, of test images, label and hidden levels integrated out by annealed importance
sampling (a lower bound on average; the second estimate, with a quarter of the steps, shows what more
steps still gave), and log p(image | label), in which the label's own precision has no part.

Grey levels are discrete and border pixels constant: they have no density.  Training takes the images as if they
carried noise of `variance_floor` (which bounds the precision that can be learned), so the test images do carry it:
Gaussian noise of that variance, drawn once, the same for every competitor and seed.  Densities are per unit of
white.

Differences are paired by image; their errors are over images (seeds averaged first) and over seeds (of
weights, order and sampling; the images stay).

    python benchmarks/held_out_likelihood.py [--smoke] [--data digits|mnist] [--folder DIR] [--seeds N]
"""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from asking import parser_of, question_of
from timing import write

import pcmodel
from pcmodel.cli.options import configure
from pcmodel.data.standardisation import as_levels
from pcmodel.learning import FixedHiddenPrecision, FixedWeightNorm, Frozen, Learning
from pcmodel.model.precision import LOG_TWO_PI
from pcmodel.training.build import build_learning, build_network
from pcmodel.training.examples import Split, load_split
from pcmodel.training.plan import TrainingPlan
from pcmodel.training.shipped import locate_plan

ALL, DATA, NONE = "every level", "level 0 alone", "none"
PAIRS = ((ALL, NONE), (ALL, DATA), (DATA, NONE))


@dataclass(frozen=True)
class Config:
    """Sizes; `smoke` runs at toy size and measures nothing of interest.

    examples: training images, None is all.  images: test images.  steps, particles: of the annealing.
    """

    seeds: int = 3
    epochs: int = 20
    examples: int | None = None
    images: int = 100
    steps: int = 100
    particles: int = 5

    @classmethod
    def smoke(cls) -> "Config":
        """Toy size."""
        return cls(1, 1, 16, 4, 4, 2)

    @classmethod
    def mnist(cls) -> "Config":
        """A part of the images: each costs many times as much."""
        return cls(2, 4, 12000, 50, 50, 4)


def plan_of(name: str, folder: Path | None, config: Config) -> TrainingPlan:
    """The shipped configuration at these sizes, all precisions beginning at 1."""
    path = locate_plan(f"{name}_generative")
    plan = configure(TrainingPlan, TrainingPlan(), file=path, where=name)
    data = replace(plan.data, folder=None if folder is None else str(folder))
    return replace(
        plan,
        data=replace(data, examples=config.examples),
        network=replace(plan.network, precision=1.0),
        epochs=config.epochs,
        batch_size=min(plan.batch_size, config.examples or plan.batch_size),
    )


def competitors(learning: Learning, num_levels: int) -> dict[str, Learning]:
    """What is learned, by name; everything else is the same."""
    hidden = tuple(range(1, num_levels))
    free = FixedHiddenPrecision()
    return {
        ALL: replace(learning, gauge=FixedWeightNorm()),
        DATA: replace(learning, gauge=free, frozen_precisions=hidden),
        NONE: replace(learning, gauge=free, precision_step=Frozen()),
    }


def noisy(split: Split, variance: float, num: int) -> np.ndarray:
    """Test images as levels, with the noise that training assumes."""
    clean = as_levels(split.test.images[:num], split.standardisation)
    noise = jax.random.normal(jax.random.key(2026), clean.shape, clean.dtype)
    return np.asarray(clean + np.sqrt(variance) * noise)


def log_label(network: pcmodel.Network, labels: np.ndarray) -> np.ndarray:
    """log N(label; prior mean, precision of the top), nats; one precision."""
    own = network.log_precision[-1]
    assert own is not None  # only a categorical bottom has none
    log_precision = float(own[...])
    away = labels - np.asarray(network.prior_mean[...])[None]
    constant = labels.shape[1] * (log_precision - LOG_TWO_PI)
    return 0.5 * (constant - np.exp(log_precision) * np.sum(away**2, axis=1))


def judge(
    network: pcmodel.Network,
    images: np.ndarray,
    labels: np.ndarray,
    config: Config,
    key: jax.Array,
) -> dict[str, Any]:
    """Log-likelihoods of the images, and how far they can be trusted."""

    def annealed(key: jax.Array, steps: int, **given: Any):
        return pcmodel.log_likelihood(
            network,
            images,
            key=key,
            num_steps=steps,
            num_particles=config.particles,
            **given,
        )

    keys = jax.random.split(key, 3)
    whole = annealed(keys[0], config.steps)
    fewer = annealed(keys[1], max(config.steps // 4, 1))
    joint = annealed(keys[2], config.steps, clamp={"label": labels})
    sizes = np.asarray(whole.effective_sample_size)
    conditional = np.asarray(joint.log_likelihood) - log_label(network, labels)
    return {
        "log_likelihood": np.asarray(whole.log_likelihood, float).tolist(),
        "log_likelihood_quarter_of_steps": np.asarray(
            fewer.log_likelihood, float
        ).tolist(),
        "log_likelihood_given_label": np.asarray(conditional, float).tolist(),
        "effective_sample_size": {
            "median": float(np.median(sizes)),
            "least": float(sizes.min()),
            "share_below_2": float(np.mean(sizes < 2)),
        },
        "acceptance": float(np.mean(whole.acceptance)),
        "precisions": [
            float(np.exp(v[...])) for v in network.log_precision if v is not None
        ],
    }


def contrast(runs: dict[str, list[dict[str, Any]]], one: str, other: str, what: str):
    """One minus the other, nats an image, with both errors."""
    mine, theirs = (
        np.asarray([run[what] for run in runs[name]]) for name in (one, other)
    )
    away = mine - theirs  # (seeds, images)
    by_image, by_seed = away.mean(axis=0), away.mean(axis=1)
    return {
        "difference": float(away.mean()),
        "standard_error_over_images": standard_error(by_image),
        "standard_error_over_seeds": standard_error(by_seed),
        "share_of_images_better": float(np.mean(by_image > 0)),
        "by_seed": by_seed.tolist(),
    }


def standard_error(values: np.ndarray) -> float | None:
    """Of the mean; None for a single value."""
    if len(values) < 2:
        return None
    return float(values.std(ddof=1) / np.sqrt(len(values)))


MEASURES = (
    "log_likelihood",
    "log_likelihood_quarter_of_steps",
    "log_likelihood_given_label",
)


def case(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over seeds and images of one competitor; single images are left out."""
    means = {what: float(np.mean([run[what] for run in runs])) for what in MEASURES}
    kept = [{k: v for k, v in run.items() if k not in MEASURES} for run in runs]
    return {**means, "runs": kept}


def content_of(
    runs: dict[str, list[dict[str, Any]]], config: Config, plan: TrainingPlan
) -> dict[str, Any]:
    """Everything that is written."""
    plan = replace(plan, data=replace(plan.data, folder=None))  # says nothing to others
    return {
        "question": question_of(__doc__),
        "cases": {name: case(each) for name, each in runs.items()},
        "differences": {
            f"{one} - {other}": {
                what: contrast(runs, one, other, what) for what in MEASURES
            }
            for one, other in PAIRS
        },
        "noise_variance_of_test_images": plan.learning.variance_floor,
        "annealing_steps": config.steps,
        "config": asdict(config),
        "plan": asdict(plan),
    }


class Bench:
    """Data and ways of learning, made once: equal ones share their compiled programs."""

    def __init__(self, plan: TrainingPlan, config: Config):
        split = load_split(plan.data)
        self.plan, self.config, self.split = plan, config, split
        self.images = as_levels(split.train.images, split.standardisation)
        self.labels = np.eye(split.num_classes)[split.train.labels]
        self.unseen = noisy(split, plan.learning.variance_floor, config.images)
        self.named = np.eye(split.num_classes)[split.test.labels[: len(self.unseen)]]
        network = self.network(0)
        batches = plan.epochs * (len(self.images) // plan.batch_size)
        learning = build_learning(plan.learning, network, batches)
        self.learnings = competitors(learning, len(network.widths))

    def network(self, seed: int) -> pcmodel.Network:
        """The network before it learns."""
        shape, classes = self.split.image_shape, self.split.num_classes
        return build_network(self.plan.network, shape, classes, seed=seed)

    def measure(self, name: str, seed: int) -> dict[str, Any]:
        """Train and judge one competitor."""
        started = time.perf_counter()
        done = pcmodel.train(
            self.network(seed),
            self.images,
            clamp={"label": self.labels},
            key=jax.random.key(seed),
            learning=self.learnings[name],
            num_epochs=self.plan.epochs,
            batch_size=self.plan.batch_size,
        )
        trained = time.perf_counter()
        key = jax.random.key(seed + 1000)
        return {
            **judge(done.network, self.unseen, self.named, self.config, key),
            "stopped_early": done.curve.stopped_early,
            "seconds_training": trained - started,
            "seconds_judging": time.perf_counter() - trained,
        }


def main() -> None:
    """Measure every seed, print a line a competitor, write the JSON after each."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--folder", type=Path, help="where MNIST's files are")
    parser.add_argument("--seeds", type=int, metavar="N")
    for name in ("epochs", "examples", "images", "steps", "particles"):
        parser.add_argument(f"--{name}", type=int, metavar="N")
    options = vars(parser.parse_args())
    config = Config.mnist() if options["data"] == "mnist" else Config()
    config = Config.smoke() if options["smoke"] else config
    asked = {k: v for k, v in options.items() if v is not None and k in asdict(config)}
    config = replace(config, **asked)
    plan = plan_of(options["data"], options["folder"], config)
    bench = Bench(plan, config)
    name = "held_out_likelihood"
    name += "_mnist" if options["data"] == "mnist" else ""
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in range(config.seeds):
        for competitor in bench.learnings:
            found = bench.measure(competitor, seed)
            runs.setdefault(competitor, []).append(found)
            shown = {k: v for k, v in found.items() if k not in MEASURES}
            means = [f"{what} {np.mean(found[what]):.2f}" for what in MEASURES]
            print(seed, competitor, *means, shown, flush=True)
        # Written after each seed: what is measured is not lost.
        content = content_of(runs, config, plan)
        write(name, content, options["output"])
    for pair, measured in content["differences"].items():
        print(pair, measured["log_likelihood"], flush=True)


if __name__ == "__main__":
    main()

"""What does the package add to a hand-written inference step, and to the first call?

(a) Twenty steps of state descent on a classifier 784-300-300-10 (tanh; image and label clamped,
batch 64, learned precisions of no size in particular), from the forward pass, against the same steps
written by hand for this one network: batched matrices, gradient by hand, nothing general. The two
end at the same latents, which is checked.  A second hand-written competitor predicts from
the clamped image once, before the steps: what no general step may assume, but a compiler may find.

(b) The first call, tracing and compiling, for seven dense layers 784-128-...-128-10, in a process whose
compilation cache is off: of twenty steps of inference alone, and of one training step (infer, update weights by
Adam) in several ways, one of them written by hand with `jax.grad` and optax. Processor seconds (of all threads)
stand beside the wall's: a shared machine stretches only the latter.

    python benchmarks/step_overhead.py [--smoke] [--output FOLDER]
"""

import json
import time
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from asking import parser_of, question_of
from flax import nnx
from timing import interleaved, write

import pcmodel
from pcmodel.api.batching import over_examples
from pcmodel.api.pose import Posed, pose
from pcmodel.inference import StateDescent
from pcmodel.inference.solvers.descent import descend_steps
from pcmodel.inference.solvers.truncated_newton import TruncatedNewton
from pcmodel.learning import Backpropagation, Frozen, Incremental, PointEstimate
from pcmodel.learning.e_step import sweep_start
from pcmodel.learning.em import Learning, em_step, init_learning
from pcmodel.model.generative import sweep
from pcmodel.networks.pure import as_model

RATE = 0.05
PRECISIONS = (4.0, 2.0, 1.0, 1.0)


@dataclass(frozen=True)
class Config:
    """Sizes; `smoke` runs in seconds and measures nothing of interest."""

    widths: tuple[int, ...] = (10, 300, 300, 784)
    batch: int = 64
    steps: int = 20
    rounds: int = 200
    deep_widths: tuple[int, ...] = (10, *[128] * 6, 784)
    first_calls: int = 5

    @classmethod
    def smoke(cls) -> "Config":
        """Toy size."""
        return cls((3, 4, 5, 6), 2, 3, 2, (3, 4, 4, 5), 1)


def classify(config: Config) -> tuple[pcmodel.Network, np.ndarray, np.ndarray]:
    """The classifier, images and labels."""
    network = pcmodel.dense(
        config.widths, precisions=PRECISIONS, rngs=nnx.Rngs(0), names=None
    )
    rng = np.random.default_rng(0)
    images = rng.normal(size=(config.batch, config.widths[-1])).astype(np.float32)
    labels = np.eye(config.widths[0], dtype=np.float32)
    return network, images, labels[rng.integers(config.widths[0], size=config.batch)]


@partial(jax.jit, static_argnames=("batching", "num_steps"))
def by_package(problem, start, *, batching, num_steps):
    """Hidden latents after descent, by the package's own step."""
    solver = StateDescent(optax.sgd(RATE))

    def one(problem, state):
        return descend_steps(solver, problem, state, num_steps)

    return over_examples(one, problem, start, batching=batching)


def prediction(layer, above, activation):
    """One layer for a batch."""
    return activation(above) @ layer["weight"].T + layer["bias"]


@partial(jax.jit, static_argnames=("num_steps", "hoisted"))
def by_hand(layers, hidden, image, label, *, num_steps, hoisted):
    """The same steps for this network only; x1 and x2 are (batch, width)."""
    pi0, pi1, pi2, _ = PRECISIONS
    from_image = prediction(layers[2], image, lambda x: x)

    def step(_, hidden):
        x1, x2 = hidden
        top = from_image if hoisted else prediction(layers[2], image, lambda x: x)
        a1, a2 = jnp.tanh(x1), jnp.tanh(x2)
        e0 = pi0 * (label - a1 @ layers[0]["weight"].T - layers[0]["bias"])
        e1 = pi1 * (x1 - a2 @ layers[1]["weight"].T - layers[1]["bias"])
        e2 = pi2 * (x2 - top)
        g1 = e1 - (e0 @ layers[0]["weight"]) * (1 - a1**2)
        g2 = e2 - (e1 @ layers[1]["weight"]) * (1 - a2**2)
        return x1 - RATE * g1, x2 - RATE * g2

    return jax.lax.fori_loop(0, num_steps, step, hidden)


def compare_steps(config: Config) -> dict[str, Any]:
    """Time of the steps, package over hand."""
    network, images, labels = classify(config)
    posed: Posed = pose(network, labels, clamp={"top": images})
    model, weights, _ = as_model(network)

    def forward(image):
        return sweep(model, {**weights, "prior_mean": image})[1:3]

    hidden = jax.vmap(forward)(jnp.asarray(images))
    start = jnp.concatenate(hidden, axis=1)
    steps = {"num_steps": config.steps}
    package = partial(
        by_package, posed.problem, start, batching=posed.batching, **steps
    )
    hand = partial(
        by_hand,
        weights["layers"],
        hidden,
        jnp.asarray(images),
        jnp.asarray(labels),
        **steps,
    )
    ends = jnp.concatenate(hand(hoisted=False), axis=1)
    np.testing.assert_allclose(package(), ends, atol=1e-4)
    jax.clear_caches()
    seconds = interleaved(
        {
            "package": package,
            "by hand": partial(hand, hoisted=False),
            "by hand, image's prediction made once": partial(hand, hoisted=True),
        },
        config.rounds,
    )
    mine = seconds["package"]
    return {
        "seconds": seconds,
        "package_over_hand": {
            name: {
                "median": mine["median"] / times["median"],
                "lower_quartile": mine["lower_quartile"] / times["lower_quartile"],
                "least": mine["least"] / times["least"],
            }
            for name, times in seconds.items()
            if name != "package"
        },
        "gflops": flops(config) / mine["median"] / 1e9,
    }


def flops(config: Config) -> float:
    """Multiplications and additions of the steps: each layer forward, all but one backward."""
    sizes = [a * b for a, b in pairwise(config.widths)]
    return 2.0 * (2 * sum(sizes) - sizes[-1]) * config.batch * config.steps


def first_calls(config: Config) -> dict[str, Any]:
    """Seconds of first calls of a training step, the caches emptied before each."""
    network = pcmodel.dense(config.deep_widths, rngs=nnx.Rngs(0))
    rng = np.random.default_rng(0)
    images = rng.normal(size=(config.batch, config.deep_widths[-1]))
    labels = np.eye(config.deep_widths[0])[
        rng.integers(config.deep_widths[0], size=config.batch)
    ]
    posed = pose(network, labels, clamp={"top": images})
    pure = as_model(network)
    frozen = partial(Learning, precision_step=Frozen())
    ways = {
        "truncated Newton": frozen(e_step=PointEstimate(TruncatedNewton())),
        "20 state-descent steps": frozen(
            e_step=PointEstimate(
                StateDescent(optax.sgd(RATE), tolerance=0.0, max_steps=20)
            ),
        ),
        "incremental": frozen(
            rule=Incremental(20, optax.sgd(RATE)), e_step=PointEstimate()
        ),
        "backpropagation twin": frozen(rule=Backpropagation(), e_step=PointEstimate()),
    }
    told = {}
    for name, way in ways.items():
        call, arguments = training_step(pure, posed, way, config)
        told[name] = first_call(call, arguments, config)
    told["20 state-descent steps, inference alone"] = first_call(
        *inference_alone(posed), config
    )
    told["20 state-descent steps, by hand"] = first_call(
        *training_by_hand(each_layer(pure), jnp.asarray(images), labels), config
    )
    return told


def training_step(pure, posed: Posed, learning: Learning, config: Config):
    """One step of EM, and what it is called with."""
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=posed.problem.structure
    )
    values = tuple(
        value if value.ndim == 2 else jnp.zeros((config.batch, 0))
        for value in posed.problem.inputs.values
    )
    call = partial(em_step, structure=posed.problem.structure, learning=learning)
    return call, (state, values, jax.random.key(0))


def inference_alone(posed: Posed):
    """Hidden latents of the batch after twenty steps from the forward pass."""
    solver = StateDescent(optax.sgd(RATE), tolerance=0.0, max_steps=20)

    def infer(problem):
        def one(problem):
            return solver.minimise(problem, sweep_start(problem)).whitened

        return over_examples(one, problem, batching=posed.batching)

    return infer, (posed.problem,)


def each_layer(pure) -> list[dict[str, jax.Array]]:
    """Weight and bias of every layer, bottom first, also of those that are stacked."""
    return [
        jax.tree.map(lambda leaf, place=place: leaf[place], entry)
        if end - first > 1
        else entry
        for entry, (first, end) in zip(
            pure.weights["layers"], pure.model.spans, strict=True
        )
        for place in range(end - first)
    ]


def training_by_hand(layers, images, labels):
    """The same step for unit precisions, as one would write it down."""
    optimiser = optax.adam(1e-3)

    def energy(layers, hidden, image, label):
        levels = [label, *hidden, image]
        told = zip(layers, levels[:-1], levels[1:], strict=True)
        errors = (x - prediction(layer, above, jnp.tanh) for layer, x, above in told)
        return 0.5 * sum((error**2).sum() for error in errors)

    def step(layers, state, image, label):
        hidden = [image]
        for layer in layers[:0:-1]:
            hidden.insert(0, prediction(layer, hidden[0], jnp.tanh))
        hidden = hidden[:-1]
        slope = jax.grad(energy, argnums=1)

        def descend(_, hidden):
            moves = slope(layers, hidden, image, label)
            return [x - RATE * move for x, move in zip(hidden, moves, strict=True)]

        hidden = jax.lax.fori_loop(0, 20, descend, hidden)
        updates, state = optimiser.update(
            jax.grad(energy)(layers, hidden, image, label), state
        )
        return optax.apply_updates(layers, updates), state

    return step, (layers, optimiser.init(layers), images, labels)


def first_call(call, arguments, config: Config) -> dict:
    """Trace-and-compile seconds of a call: median and all."""
    seconds = []
    for _ in range(config.first_calls):
        jax.clear_caches()
        step = jax.jit(partial(call))
        jax.block_until_ready(arguments)
        begin, work = time.perf_counter(), time.process_time()
        lowered = step.lower(*arguments)
        middle = time.perf_counter()
        jax.block_until_ready(lowered.compile()(*arguments))
        spent = time.process_time() - work
        seconds.append((time.perf_counter() - begin, middle - begin, spent))
    whole, tracing, processor = np.array(seconds).T
    return {
        "median": float(np.median(whole)),
        "least": float(np.min(whole)),
        "tracing_median": float(np.median(tracing)),
        "processor_median": float(np.median(processor)),
        "all": whole.tolist(),
    }


def main() -> None:
    """Measure both, print the ratios, write the JSON."""
    parser = parser_of(__doc__)
    options = parser.parse_args()
    config = Config.smoke() if options.smoke else Config()
    jax.config.update("jax_enable_compilation_cache", False)
    cases = {"steps": compare_steps(config), "first_call": first_calls(config)}
    print(json.dumps(cases["steps"]["package_over_hand"], indent=1))
    print(json.dumps(cases["first_call"], indent=1))
    content = {"question": question_of(__doc__), "cases": cases}
    content["config"] = asdict(config)
    print(write("step_overhead", content, options.output))


if __name__ == "__main__":
    main()

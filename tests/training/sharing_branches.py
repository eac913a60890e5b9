"""A branching hierarchy learned on shared devices: python -m training.sharing_branches DEVICES KINDS [PROCESS OF PORT].

Prints, as JSON, what one device and what all of them have learned in each kind of learning (names joined by commas), and
whether the sums of several devices were added up.  `devices` are CPU devices of the whole run.
"""

import json
import sys

import jax
import numpy as np


def main() -> None:
    devices, names, *rest = sys.argv[1:]
    from pcmodel.runtime.flags import compile_quickly

    compile_quickly()  # twelve large programs, each run once
    join(int(devices), *map(int, rest))
    from pcmodel.training.sharding import batch_sharding

    shared = batch_sharding(int(devices))
    found: dict = {"one": {}, "all": {}}
    for name in names.split(","):
        for place, sharding in (("one", None), ("all", shared)):
            found[place][name], state = learned(kinds()[name], sharding)
            found[place]["is_shared"] = is_shared(kinds()[name], state, sharding)
    print("FOUND" + json.dumps(found), flush=True)


def join(devices: int, process: int = 0, of: int = 1, port: int = 0) -> None:
    """Make the devices of this process, and find those of the others."""
    jax.config.update("jax_num_cpu_devices", devices // of)
    if of > 1:
        jax.distributed.initialize(
            f"127.0.0.1:{port}", of, process, initialization_timeout=60
        )


def streams():
    """Two streams with one layer and one precision meet; the top is also read directly, and has a label."""
    from flax import nnx

    from pcmodel import Categorical, Level, hierarchy

    return hierarchy(
        {
            "image": Level(6, parents=["low"], precision=[2.0] * 6),
            "label": Level(3, Categorical(), parents=["top"]),
            "low": Level(4, parents=["left", "right", "top"]),
            "left": Level(3, parents=["top"], precision=3.0),
            "right": Level(3, parents=["top"], layer="left", precision="left"),
            "top": Level(3),
        },
        rngs=nnx.Rngs(0),
    )


def kinds() -> dict:
    """Ways of learning: that keep nothing between batches, or chains of every example, or that move weights in inference."""
    import optax

    from pcmodel.learning import Frozen, Hmc, Incremental, Learning, NaturalGradient

    return {
        "samples": Learning(optax.adam(0.01), precision_step=NaturalGradient(0.05)),
        "chains": Learning(optax.adam(0.01), e_step=Hmc(2, 3)),
        "incremental": Learning(
            optax.adam(0.01),
            rule=Incremental(3, optax.sgd(0.05)),
            precision_step=Frozen(),
        ),
    }


def learned(learning, sharding):
    """The arrays and energies that were learned, in one list, and the last state."""
    from pcmodel.learning.loop import learn
    from pcmodel.training.sharding import on_host, replicate

    lesson = lesson_of(learning)
    state, curve = learn(
        lesson.structure,
        *replicate(lesson.pure[1:], sharding),
        replicate(lesson.values, sharding),
        replicate(jax.random.key(2), sharding),
        learning=lesson.learning,
        num_epochs=2,
        batch_size=4,
        sharding=sharding,
    )
    leaves = jax.tree.leaves(on_host(state[:2]))
    numbers = [leaf.ravel() for leaf in leaves] + [curve.energy]
    return np.concatenate(numbers).tolist(), state


def lesson_of(learning):
    from pcmodel.api.learning.train import prepare_lesson
    from pcmodel.networks.pure import as_model

    rng = np.random.default_rng(1)
    data = {"image": rng.normal(size=(16, 6)), "label": np.eye(3)[np.arange(16) % 3]}
    return prepare_lesson(
        as_model(streams()),
        data,
        clamp=None,
        learning=learning,
        num_epochs=2,
        batch_size=4,
    )


def is_shared(learning, state, sharding) -> bool:
    """Whether the compiled chunk adds up what several devices have computed."""
    from pcmodel.learning.loop import run_chunk
    from pcmodel.runtime.contents import Static
    from pcmodel.training.sharding import replicate

    lesson = lesson_of(learning)
    lowered = run_chunk.lower(
        state,
        replicate(lesson.values, sharding),
        replicate(jax.random.key(2), sharding),
        jax.numpy.asarray(0),
        jax.numpy.asarray(4),
        structure=lesson.structure,
        learning=Static(lesson.learning),
        batch_size=4,
        sharding=sharding,
    )
    return "all-reduce" in lowered.compile().as_text()


if __name__ == "__main__":
    main()

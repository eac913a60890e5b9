"""One process of a shared run, for `test_sharding`: python -m training.sharing DEVICES FOLDER [PROCESS OF PORT].

Prints the energies of the chunks as JSON.  `devices` are CPU devices of the whole run.
"""

import json
import sys
from dataclasses import replace

import jax


def main() -> None:
    devices, folder, *rest = sys.argv[1:]
    if rest:
        process, of, port = map(int, rest)
        jax.config.update("jax_num_cpu_devices", int(devices) // of)
        jax.distributed.initialize(
            f"127.0.0.1:{port}", of, process, initialization_timeout=60
        )
    else:
        jax.config.update("jax_num_cpu_devices", int(devices))
    from training.tiny import GENERATIVE, PLAN, stripes

    from pcmodel.training.run import run_training

    found = {}
    for name, plan in (("classify", PLAN), ("generate", GENERATIVE)):
        shared = replace(plan, devices=int(devices))
        place = None if folder == "none" else f"{folder}/{name}"
        done = run_training(shared, data=stripes(), seed=3, folder=place)
        found[name] = [row["energy"] for row in done.rows]
        found[name].append(done.test.accuracy)
        found[f"{name}_resumed"] = done.resumed_from
        if not rest:
            again = run_training(shared, data=stripes(), seed=3, folder=place)
            found[f"{name}_resumed"] = again.resumed_from
    found["is_shared"] = is_shared(replace(PLAN, devices=int(devices)))
    print("FOUND" + json.dumps(found), flush=True)


def is_shared(plan) -> bool:
    """Whether the compiled chunk adds up what several devices have computed."""
    from training.tiny import stripes

    from pcmodel.learning.loop import run_chunk
    from pcmodel.runtime.contents import Static
    from pcmodel.training.setup import prepare

    setting = prepare(plan, 0, stripes())
    lowered = run_chunk.lower(
        setting.state,
        setting.examples,
        setting.key,
        jax.numpy.asarray(0),
        jax.numpy.asarray(plan.chunk),
        structure=setting.structure,
        learning=Static(setting.learning),
        batch_size=plan.batch_size,
        prepare=Static(setting.preparation),
        sharding=setting.sharding,
    )
    return "all-reduce" in lowered.compile().as_text()


if __name__ == "__main__":
    main()

"""Does the cost of a variational fit grow in line with people and trials, up to 2,000 people?

A two-level binary filter, step size and response noise varying over people, fitted by `fit_svi`. Told for each
size: milliseconds of a step of the optimiser (compiling and the first chunk apart; the median over chunks of fifty
steps) and nanoseconds of it a trial and person, which is constant where the cost is linear. The largest study is then
fitted in full, and its group means and spreads compared with those that made the data.

    python benchmarks/variational_scaling.py [--smoke]
"""

import time
from typing import Any

import jax
import numpy as np
from asking import parser_of, question_of
from participant_nuts import make_study
from timing import write

from pcmodel.behaviour.sampling.variational import Variational, fit_svi

SIZES = ((125, 100), (500, 100), (2000, 100), (125, 400), (500, 400), (2000, 400))
TRUTH = {"omega2": (-3.0, 0.8), "log_zeta": (1.0, 0.4)}
CHUNK = 50


def cost(people: int, trials: int) -> dict[str, Any]:
    """Seconds of a step."""
    hierarchy = make_study(0, people, trials)
    ticks = [time.perf_counter()]
    fit_svi(
        jax.random.key(0),
        hierarchy,
        Variational(num_steps=10 * CHUNK, num_samples=2),
        advance=lambda: ticks.append(time.perf_counter()),
        chunk=CHUNK,
    )
    seconds = np.diff(ticks)
    step = float(np.median(seconds[1:])) / CHUNK
    case = {
        "people": people,
        "trials": trials,
        "milliseconds_per_step": 1e3 * step,
        "nanoseconds_per_trial_and_person": 1e9 * step / (people * trials),
        "seconds_to_the_first_chunk": float(seconds[0]),
    }
    print(
        f"{people:5d} people, {trials} trials: {1e3 * step:7.2f} ms a step, "
        f"{case['nanoseconds_per_trial_and_person']:.0f} ns a trial and person",
        flush=True,
    )
    return case


def full_fit(people: int, trials: int, steps: int) -> dict[str, Any]:
    """The largest study, fitted as a user would."""
    hierarchy = make_study(0, people, trials)
    begin = time.perf_counter()
    fit = fit_svi(
        jax.random.key(0), hierarchy, Variational(num_steps=steps, learning_rate=0.02)
    ).posterior
    told: dict[str, Any] = {
        "people": people,
        "trials": trials,
        "steps": steps,
        "seconds": time.perf_counter() - begin,
        "complaints": list(fit.complaints),
    }
    for name, (mean, sd) in TRUTH.items():
        for site, truth in ((name, mean), (f"{name}_sd", sd)):
            draws = fit.sites[site].ravel()
            told[site] = {
                "truth": truth,
                "mean": float(draws.mean()),
                "sd": float(draws.std()),
            }
    print(f"whole fit: {told}", flush=True)
    return told


def main() -> None:
    """Every size, then one fit; the JSON."""
    parser = parser_of(__doc__)
    options = parser.parse_args()
    sizes, steps = (((4, 10),), 250) if options.smoke else (SIZES, 2000)
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        cases = [cost(*size) for size in sizes]
        content = {
            "question": question_of(__doc__),
            "cases": cases,
            "whole_fit": full_fit(*sizes[-1], steps),
        }
    print(write("variational_scaling", content, options.output))


if __name__ == "__main__":
    main()

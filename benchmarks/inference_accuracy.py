"""Is what inference says right, and does it say so only when it is?

Generated hierarchies over extremes (precisions 1e-8 to 1e8, gains down to 1e-6, scalar, per-unit and full
precisions, clamped parts, beliefs, one-unit levels) against oracles that share no code with the package:

- linear hierarchies against the weighted least-squares problem in the latents themselves, solved in extended
  precision by Householder reflections with the heavy rows first (Cox & Higham 1998, Linear Algebra Appl 280:189);
- nonlinear ones against SciPy's minimiser of an energy written by hand in float64, from twenty random starts.

    python benchmarks/inference_accuracy.py [--smoke] [--problems 1000] [--bent 240] [--float64] [--solver NAME]

An answer is *right* if it lies within 0.1 posterior standard deviations (in the posterior's own metric, all units
together) of the mode.  Counts: right / certified wrong / not certified.
"""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from asking import parser_of

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.accuracy.bent import ACTIVATIONS, bent_battery, bent_word  # noqa: E402
from benchmarks.accuracy.linear import linear_battery, word  # noqa: E402


class Case(NamedTuple):
    """One battery and how many of its answers were what."""

    battery: str
    dtype: str
    counts: dict[str, int]
    median_iterations: float
    most_iterations: int
    exceptions: list[dict]


def case_of(battery: str, dtype: str, verdicts: list, name) -> Case:
    """Counts, and every answer that is not simply right."""
    words = [name(verdict) for verdict in verdicts]
    iterations = [verdict.iterations for verdict in verdicts]
    return Case(
        battery,
        dtype,
        dict(Counter(words)),
        float(np.median(iterations)),
        int(np.max(iterations)),
        [
            {"number": number, "word": said, **plain(verdict)}
            for number, (said, verdict) in enumerate(zip(words, verdicts, strict=True))
            if said not in ("right", "another minimum")
        ],
    )


def plain(verdict) -> dict[str, Any]:
    """A verdict as JSON takes it."""
    return {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in verdict._asdict().items()
    }


def solver_of(name: str):
    """A solver by the name of its linear solver, or the default."""
    import pcmodel

    inner = {
        "dual": pcmodel.Dual(),
        "primal": pcmodel.Primal(),
        "block_tridiagonal": pcmodel.BlockTridiagonal(),
        "conjugate_gradient": pcmodel.ConjugateGradient(),
    }
    if name == "exact":
        return pcmodel.Exact()
    return pcmodel.GaussNewton(inner.get(name))


def main() -> None:
    """Run both batteries in one float type; exit with 1 if anything certified is wrong."""
    parser = parser_of(__doc__)
    parser.add_argument("--problems", type=int, default=1000)
    parser.add_argument("--bent", type=int, default=240, help="nonlinear problems")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--solver", default="default", help="dual, primal, exact, ...")
    parser.add_argument("--float64", action="store_true")
    options = parser.parse_args()
    if options.float64:
        os.environ["JAX_ENABLE_X64"] = "1"
    if options.smoke:
        options.problems, options.bent = 20, 6
    from timing import write

    dtype = "float64" if options.float64 else "float32"
    cases = []
    linear = linear_battery(
        options.problems, options.seed, solver_of(options.solver), report=say
    )
    cases.append(case_of("linear", dtype, linear, word))
    if options.bent:
        bent = bent_battery(options.bent, options.seed, report=say)
        for activation in ACTIVATIONS:
            own = [each for each in bent if each.activation == activation]
            if own:
                cases.append(case_of(activation, dtype, own, bent_word))
    for case in cases:
        counts = ", ".join(f"{n} {what}" for what, n in sorted(case.counts.items()))
        print(f"{case.battery:<11} {dtype}: {counts}")
    name = f"inference_accuracy_{dtype}"
    if options.solver != "default":
        name += f"_{options.solver}"
    content = {
        "settings": {**vars(options), "output": None},
        "cases": [case._asdict() for case in cases],
    }
    print(write(name, content, options.output))
    wrong = ("certified wrong", "certified, no mode")
    sys.exit(any(case.counts.get(bad) for case in cases for bad in wrong))


def say(done: int) -> None:
    """A line now and then."""
    if done % 100 == 0:
        print(done, "problems", flush=True)


if __name__ == "__main__":
    main()

"""Do 95 % intervals of a difference between two groups of eight people cover 95 % of truths, and do the fits converge?

Patients against controls, eight each, one session of 80 trials a person, a two-level binary filter. Truths are
drawn from the prior, so that calibrated intervals cover exactly as often as they say; who differs and by how
much is drawn too. The same data are fitted by `omega2 ~ group`, in which people differ as they do unless a
formula says otherwise, and by `omega2 ~ group + (0 | participant)`, in which trials count as people. Unfair
would be to drop fits whose chains did badly: all are counted in the coverage.

    python benchmarks/group_coverage.py [--replications 60] [--smoke]
"""

import argparse
import time
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from scipy import stats
from timing import RESULTS, write

from pcmodel.behaviour.made_up import make_up
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.statistics import Nuts, Posterior, build_hierarchy
from pcmodel.behaviour.statistics.calibration import (
    as_effects,
    draw_possible,
    draw_study,
)
from pcmodel.behaviour.statistics.sampling import build_sampler, fit_side_by_side

NAME = "group_coverage"
EACH, TRIALS, TOGETHER = 8, 80, 5
FORMULAS = ("omega2 ~ group", "omega2 ~ group + (0 | participant)")
EFFECT = "omega2[group[patient]]"


def groups(num_trials: int) -> Any:
    """One session of each of eight controls and eight patients."""
    series = make_up("binary", num_participants=2 * EACH, num_trials=num_trials)
    first = np.arange(0, 4 * EACH, 2)
    return series._replace(
        values={name: values[first] for name, values in series.values.items()},
        present=series.present[first],
        participant=np.arange(2 * EACH),
        covariates={"group": np.repeat(["control", "patient"], EACH)},
    )


def measure(
    replications: int, num_trials: int, options: Nuts
) -> Iterator[list[dict[str, Any]]]:
    """A row for each replication and formula; all so far, after each block."""
    series, model = groups(num_trials), find_model("binary", "hgf2")
    hierarchies = {
        formula: build_hierarchy(model, series, formulas=(formula,))
        for formula in FORMULAS
    }
    samplers = {f: build_sampler(h, options) for f, h in hierarchies.items()}
    truth = hierarchies[FORMULAS[0]]
    draw = jax.jit(partial(draw_study, truth))
    rows: list[dict[str, Any]] = []
    for start in range(0, replications, TOGETHER):
        block = range(start, min(start + TOGETHER, replications))
        keys = [jax.random.fold_in(jax.random.key(0), i) for i in block]
        studies = [draw_possible(key, draw) for key in keys]
        for formula, hierarchy in hierarchies.items():
            began = time.perf_counter()
            fits = fit_side_by_side(
                [jax.random.fold_in(key, 1) for key in keys],
                [hierarchy._replace(data=study.data) for study in studies],
                options,
                sampler=samplers[formula],
            )
            seconds = (time.perf_counter() - began) / len(block)
            for i, fit, study in zip(block, fits, studies, strict=True):
                value = float(as_effects(truth, study.sites)[EFFECT][0])
                rows.append({"replication": i, "formula": formula, "seconds": seconds})
                rows[-1] |= _row(fit, value)
        yield rows


def _row(fit: Posterior, truth: float) -> dict[str, Any]:
    low, high = np.quantile(fit.effects[EFFECT], (0.025, 0.975))
    return {
        "truth": truth,
        "low": float(low),
        "high": float(high),
        "covered": bool(low <= truth <= high),
        "divergent": int(fit.sample_stats["diverging"].sum()),
        "complaints": list(fit.complaints),
    }


def summary(rows: list[dict[str, Any]], formula: str) -> dict[str, Any]:
    """How often intervals covered, how wide they were, and how many fits were trusted."""
    own = [row for row in rows if row["formula"] == formula]
    covered = sum(row["covered"] for row in own)
    low, high = stats.binomtest(covered, len(own)).proportion_ci(0.95, method="wilson")
    return {
        "formula": formula,
        "replications": len(own),
        "covered": covered,
        "share": covered / len(own),
        "share_95": [low, high],
        "median_width": float(np.median([row["high"] - row["low"] for row in own])),
        "trusted": sum(not row["complaints"] for row in own),
        "divergent_fits": sum(row["divergent"] > 0 for row in own),
        "seconds_each": float(np.median([row["seconds"] for row in own])),
    }


def main() -> None:
    """Simulate, fit, write the JSON after each block."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replications", type=int, default=60)
    parser.add_argument("--smoke", action="store_true", help="toy size")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder")
    options = parser.parse_args()
    nuts, replications, trials = Nuts(), options.replications, TRIALS
    if options.smoke:
        nuts, replications, trials = Nuts(20, 20, 2, max_tree_depth=2), 2, 10
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", UserWarning)
        for rows in measure(replications, trials, nuts):
            cases = [summary(rows, formula) for formula in FORMULAS]
            content = {
                "question": (__doc__ or "").splitlines()[0],
                "people_each": EACH,
                "trials": trials,
                "sampler": repr(nuts),
                "cases": cases,
                "rows": rows,
            }
            print(*cases, write(NAME, content, options.output), sep="\n", flush=True)


if __name__ == "__main__":
    main()

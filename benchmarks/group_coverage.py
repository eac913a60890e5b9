"""Do 95 % intervals of a difference between two groups of eight people cover 95 % of truths, and do the fits converge?

Patients against controls, eight each, one session a person. Truths are drawn from the prior, so that calibrated
intervals cover exactly as often as they say; who differs and by how much is drawn too. The same data are fitted
by `parameter ~ group`, in which people differ as they do unless a formula says otherwise, and by
`parameter ~ group + (0 | participant)`, in which trials count as people. Two models: 30 normal responses around
a person's level, which cost nothing, so that many studies can be made; and a two-level binary filter over 80
trials (`--model hgf2`: minutes for every five studies). Unfair would be to drop fits whose chains did badly: all
are counted in the coverage.

    python benchmarks/group_coverage.py [--model normal] [--replications 200] [--add] [--smoke]
"""

import json
import sys
import time
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from asking import parser_of, question_of
from scipy import stats
from timing import write

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.sampling.nuts import Nuts, build_sampler, fit_side_by_side
from pcmodel.behaviour.studies.sbc import as_effects, draw_possible, draw_study
from pcmodel.behaviour.studies.simulate import make_up

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.behaviour.gaussian import GaussianModel, make_series

NAME = "group_coverage"
EACH = 8
GROUPS = np.repeat(["control", "patient"], EACH)


class Kind(NamedTuple):
    """A model, the parameter that is compared, and how many studies share a program."""

    parameter: str
    trials: int
    together: int


KINDS = {"normal": Kind("level", 30, 20), "hgf2": Kind("omega2", 80, 5)}


def formulas(kind: Kind) -> tuple[str, str]:
    """People differ; nobody does."""
    plain = f"{kind.parameter} ~ group"
    return plain, f"{plain} + (0 | participant)"


def design(name: str, num_trials: int) -> tuple[Any, Any]:
    """The model, and one session of each of eight controls and eight patients."""
    if name == "normal":
        responses = np.zeros((2 * EACH, num_trials))
        return GaussianModel(), make_series(responses, group=GROUPS)
    series = make_up("binary", num_participants=2 * EACH, num_trials=num_trials)
    first = np.arange(0, 4 * EACH, 2)
    series = series._replace(
        values={column: values[first] for column, values in series.values.items()},
        present=series.present[first],
        participant=np.arange(2 * EACH),
        covariates={"group": GROUPS},
    )
    return find_model("binary", name), series


def measure(
    name: str, replications: int, num_trials: int, options: Nuts
) -> Iterator[list[dict[str, Any]]]:
    """A row for each replication and formula; all so far, after each block."""
    kind = KINDS[name]
    model, series = design(name, num_trials)
    effect = f"{kind.parameter}[group[patient]]"
    hierarchies = {
        formula: build_hierarchy(model, series, formulas=(formula,))
        for formula in formulas(kind)
    }
    samplers = {f: build_sampler(h, options) for f, h in hierarchies.items()}
    truth = hierarchies[formulas(kind)[0]]
    draw = jax.jit(partial(draw_study, truth))
    rows: list[dict[str, Any]] = []
    for start in range(0, replications, kind.together):
        block = range(start, min(start + kind.together, replications))
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
                value = float(as_effects(truth, study.sites)[effect][0])
                rows.append({"model": name, "replication": i, "formula": formula})
                rows[-1]["seconds"] = seconds
                rows[-1] |= _row(fit, effect, value)
        yield rows


def _row(fit: Posterior, effect: str, truth: float) -> dict[str, Any]:
    low, high = np.quantile(fit.effects[effect], (0.025, 0.975))
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
        "model": own[0]["model"],
        "formula": formula,
        "replications": len(own),
        "covered": covered,
        "share": covered / len(own),
        "share_95": [float(low), float(high)],
        "median_width": float(np.median([row["high"] - row["low"] for row in own])),
        "trusted": sum(not row["complaints"] for row in own),
        "complaints": [row["complaints"] for row in own if row["complaints"]],
        "divergent_fits": sum(row["divergent"] > 0 for row in own),
        "seconds_each": float(np.median([row["seconds"] for row in own])),
    }


def main() -> None:
    """Simulate, fit, write the JSON after each block."""
    parser = parser_of(__doc__)
    parser.add_argument("--model", choices=tuple(KINDS), default="normal")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--add", action="store_true", help="keep the file's others")
    options = parser.parse_args()
    nuts, replications = Nuts(), options.replications
    trials = KINDS[options.model].trials
    if options.smoke:
        nuts, replications, trials = Nuts(20, 20, 2, max_tree_depth=2), 2, 10
    path, others = options.output / f"{NAME}.json", []
    if options.add:
        cases = json.loads(path.read_text("utf-8"))["cases"]
        others = [case for case in cases if case["model"] != options.model]
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", UserWarning)
        for rows in measure(options.model, replications, trials, nuts):
            cases = [summary(rows, f) for f in formulas(KINDS[options.model])]
            sizes = {"trials": trials, "sampler": repr(nuts)}
            content = {
                "question": question_of(__doc__),
                "people_each": EACH,
                "cases": [*others, *(case | sizes for case in cases)],
            }
            print(*cases, write(NAME, content, options.output), sep="\n", flush=True)


if __name__ == "__main__":
    main()

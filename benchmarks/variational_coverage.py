"""Do 95 % intervals of variational fits cover 95 % of truths?

Normal responses around each person's level, two groups, truths drawn from the prior: calibrated intervals cover as
often as they say. Counted are the group's mean, the difference between groups, the standard deviation between people
and every person's own level; every fit counts, whether or not its draws could be chosen by importance ratios (told,
with the Pareto shapes) and whether or not its loss had settled (told).

    python benchmarks/variational_coverage.py [--replications 100] [--people 12] [--smoke]
"""

import warnings
from functools import partial
from typing import Any

import jax
import numpy as np
from asking import parser_of, question_of
from group_coverage import GaussianModel, make_series
from scipy import stats
from timing import write

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.posterior.diagnostics import Settling
from pcmodel.behaviour.sampling.variational import Variational, build_svi, fit_svi
from pcmodel.behaviour.studies.sbc import draw_possible, draw_study

NUMBERS = {
    "mean": ("level", 0),
    "difference": ("level", 1),
    "spread": ("level_sd", 0),
    "people": ("level_series", slice(None)),
}


def measure(
    replications: int, people: int, trials: int, options: Variational
) -> tuple[dict[str, list[bool]], list[Settling]]:
    """Whether each interval covered, by number, and how each fit ended."""
    groups = np.repeat(["control", "patient"], people // 2)
    series = make_series(np.zeros((len(groups), trials)), group=groups)
    hierarchy = build_hierarchy(GaussianModel(), series, formulas=["level ~ group"])
    program = build_svi(hierarchy, options)
    draw = jax.jit(partial(draw_study, hierarchy))
    covered: dict[str, list[bool]] = {name: [] for name in NUMBERS}
    ends = []
    for i in range(replications):
        key = jax.random.fold_in(jax.random.key(0), i)
        study = draw_possible(key, draw)
        own = hierarchy._replace(data=study.data)
        fit = fit_svi(jax.random.fold_in(key, 1), own, options, program=program)
        ends.append(fit.posterior.diagnostics)
        for name, (site, place) in NUMBERS.items():
            draws = fit.posterior.sites[site][0][:, place]
            truth = np.asarray(study.sites[site])[0][place]
            low, high = np.quantile(draws, (0.025, 0.975), axis=0)
            covered[name] += np.ravel((low <= truth) & (truth <= high)).tolist()
    return covered, ends


def summary(covered: dict[str, list[bool]]) -> dict[str, Any]:
    """Share that covered, with its 95 % interval (Wilson; people of one study count as independent)."""
    found = {}
    for name, own in covered.items():
        test = stats.binomtest(sum(own), len(own)).proportion_ci(method="wilson")
        found[name] = {
            "number": len(own),
            "share": float(np.mean(own)),
            "share_95": [float(test.low), float(test.high)],
        }
    return found


def main() -> None:
    """Simulate, fit, count; the JSON."""
    parser = parser_of(__doc__)
    parser.add_argument("--replications", type=int, default=100)
    parser.add_argument("--people", type=int, default=12)
    asked = parser.parse_args()
    options, replications = (
        Variational(num_steps=1500, learning_rate=0.02),
        asked.replications,
    )
    if asked.smoke:
        options, replications = Variational(num_steps=20, num_samples=50), 2
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", UserWarning)
        covered, ends = measure(replications, asked.people, 20, options)
    shapes = [end.pareto_shape for end in ends]
    content = {
        "question": question_of(__doc__),
        "people": asked.people,
        "trials": 20,
        "options": repr(options),
        "coverage": summary(covered),
        "settled": sum(not end.complaints for end in ends),
        "weighted": sum(end.is_weighted for end in ends),
        "median_pareto_shape": float(np.median(shapes)),
    }
    print(content, write("variational_coverage", content, asked.output), sep="\n")


if __name__ == "__main__":
    main()

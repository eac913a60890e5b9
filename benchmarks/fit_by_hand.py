"""How does a fit of twenty people compare with the same model written by hand in NumPyro, first call included?

Three models, everything varying over people: a Rescorla-Wagner learner of a two-armed bandit with inverse
temperature and stickiness (100 trials), the two-level binary filter (160 trials), and two groups of eight people
compared in the step size of that filter. The rival is what a careful person writes in an afternoon: non-centred,
vectorised over people, one scan over trials, NumPyro's NUTS with its own warm-up. Fair: same data, priors, numbers of
chains, warm-up and draws; double precision for both; both vectorise chains; each is asked in a fresh process without
programs kept from before, in turn, so that a busy minute of the machine hits both. Told are wall and CPU seconds of
the first fit (tracing, compiling and the search for the mode included) and of a second fit of the same data, and the
smallest effective sample size (bulk and tail, rank-normalised; Vehtari et al. 2021) over the group's numbers. Before
anything is timed, means and SDs of both must agree within Monte Carlo error. CPU seconds tell more than wall where
other programs share the machine.

    python benchmarks/fit_by_hand.py [--rounds 3] [--models bandit,filter,groups] [--data TABLE] [--smoke]

`--data`: a table of the two-armed bandit instead of the simulated one, such as hBayesDM's bandit2arm example.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from asking import parser_of, question_of
from by_hand.studies import STUDIES, TRIALS, Study
from numpyro.infer import MCMC, NUTS
from timing import write

from pcmodel.behaviour.sampling.nuts import Nuts, build_sampler, fit_nuts
from pcmodel.inference.rank_normalised import ranked_ess, ranked_rhat

MOST_APART = 4.5  # standard errors of Monte Carlo, of some twenty comparisons


def package_fit(study: Study, options: Nuts) -> Callable:
    """The package's fit: the group's draws by name, and the divergences."""
    sampler = build_sampler(study.hierarchy, options)

    def fit(seed: int) -> tuple[dict[str, np.ndarray], int, np.ndarray]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = fit_nuts(
                jax.random.key(seed), study.hierarchy, options, sampler=sampler
            )
        draws = {}
        for name in study.names:
            site, _, is_difference = name.partition("_difference")
            draws[name] = found.sites[site][..., 1 if is_difference else 0]
        stats = found.sample_stats
        return draws, int(stats["diverging"].sum()), stats["num_steps"]

    return fit


def hand_fit(study: Study, options: Nuts) -> Callable:
    """NumPyro's own sampler on the model by hand."""
    sampler = MCMC(
        NUTS(study.model),
        num_warmup=options.num_warmup,
        num_samples=options.num_samples,
        num_chains=options.num_chains,
        chain_method="vectorized",
        progress_bar=False,
    )

    def fit(seed: int) -> tuple[dict[str, np.ndarray], int, np.ndarray]:
        key = jax.random.key(seed)
        sampler.run(key, *study.arguments, extra_fields=("diverging", "num_steps"))
        found = jax.device_get(sampler.get_samples(group_by_chain=True))
        extra = jax.device_get(sampler.get_extra_fields(group_by_chain=True))
        draws = {name: found[name] for name in study.names}
        return draws, int(extra["diverging"].sum()), extra["num_steps"]

    return fit


SIDES = {"package": package_fit, "by hand": hand_fit}


def measured(fit: Callable, seed: int) -> dict[str, Any]:
    """One fit: seconds, effective draws and moments of the group's numbers."""
    wall, cpu = time.perf_counter(), time.process_time()
    draws, divergent, num_steps = fit(seed)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    values = np.stack(list(draws.values()), axis=-1)
    ess = ranked_ess(values)
    flat = values.reshape(-1, values.shape[-1])
    return {
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "min_ess": float(ess.min()),
        "min_ess_per_cpu_second": float(ess.min()) / cpu,
        "max_rhat": float(np.max(ranked_rhat(values))),
        "num_divergent": divergent,
        "mean_steps": float(num_steps.mean()),
        "mean_longest_steps": float(num_steps.max(axis=0).mean()),
        "ess": dict(zip(draws, ess.tolist(), strict=True)),
        "mean": dict(zip(draws, flat.mean(axis=0).tolist(), strict=True)),
        "sd": dict(zip(draws, flat.std(axis=0).tolist(), strict=True)),
    }


def one_process(options: argparse.Namespace) -> None:
    """A first and a second fit of one study on one side, printed as JSON."""
    sizes = (3, 10) if options.smoke else (20, TRIALS[options.study])
    nuts = _nuts(options)
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        study = STUDIES[options.study](*sizes, options.data)
        begin = (time.perf_counter(), time.process_time())
        fit = SIDES[options.side](study, nuts)
        made = (time.perf_counter() - begin[0], time.process_time() - begin[1])
        first = measured(fit, options.seed)
        first["wall_seconds"] += made[0]
        first["cpu_seconds"] += made[1]
        first["min_ess_per_cpu_second"] = first["min_ess"] / first["cpu_seconds"]
        print(
            json.dumps({"first": first, "second": measured(fit, 1000 + options.seed)})
        )


def _nuts(options: argparse.Namespace) -> Nuts:
    if options.smoke:
        return Nuts(20, 50, 2, max_tree_depth=4)
    return Nuts(options.warmup, options.samples)


def ask(options: argparse.Namespace, study: str, side: str, seed: int) -> dict:
    """`one_process` in a process of its own, without programs kept from before."""
    words = [sys.executable, __file__, "--study", study, "--side", side]
    words += ["--seed", str(seed), "--warmup", str(options.warmup)]
    words += ["--samples", str(options.samples)]
    words += ["--smoke"] if options.smoke else []
    words += ["--data", str(options.data)] if options.data else []
    environment = dict(os.environ)
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def apart(one: dict[str, Any], other: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Differences of means, and of SDs, in their standard errors of Monte Carlo.

    The error of an SD is taken from a normal distribution's, widened for the heavier tails of spreads.
    """
    found: dict[str, dict[str, float]] = {"mean": {}, "sd": {}}
    for name in one["mean"]:
        error = [case["sd"][name] / np.sqrt(case["ess"][name]) for case in (one, other)]
        whole = float(np.hypot(*error))
        found["mean"][name] = (one["mean"][name] - other["mean"][name]) / whole
        found["sd"][name] = (one["sd"][name] - other["sd"][name]) / whole
    return found


def compare(options: argparse.Namespace, study: str) -> dict[str, Any]:
    """Agreement first, then rounds in turn."""
    rounds: dict[str, list[dict]] = {side: [] for side in SIDES}
    for seed in range(options.rounds):
        for side in SIDES:
            rounds[side].append(ask(options, study, side, seed))
        if seed == 0:
            gap = apart(*(rounds[side][0]["second"] for side in SIDES))
            worst = max(abs(v) for part in gap.values() for v in part.values())
            print(f"{study}: at most {worst:.1f} standard errors apart", flush=True)
            if worst > MOST_APART and not options.smoke:
                raise SystemExit(f"{study}: the two posteriors differ: {gap}")
    summary = {side: _summary(rounds[side]) for side in SIDES}
    for side, told in summary.items():
        print(study, side, told, flush=True)
    own, hand = summary["package"], summary["by hand"]
    return {
        "study": study,
        "apart": gap,
        "summary": summary,
        "first_wall_ratio": own["first_wall_seconds"] / hand["first_wall_seconds"],
        "first_cpu_ratio": own["first_cpu_seconds"] / hand["first_cpu_seconds"],
        "ess_per_cpu_second_ratio": own["second_ess_per_cpu_second"]
        / hand["second_ess_per_cpu_second"],
        "rounds": rounds,
    }


def _summary(rounds: list[dict]) -> dict[str, float]:
    """Medians over rounds."""

    def median(which: str, name: str) -> float:
        return float(np.median([case[which][name] for case in rounds]))

    return {
        "first_wall_seconds": median("first", "wall_seconds"),
        "first_cpu_seconds": median("first", "cpu_seconds"),
        "second_cpu_seconds": median("second", "cpu_seconds"),
        "second_min_ess": median("second", "min_ess"),
        "second_ess_per_cpu_second": median("second", "min_ess_per_cpu_second"),
        "num_divergent": sum(case["second"]["num_divergent"] for case in rounds),
        "mean_steps": median("second", "mean_steps"),
    }


def main() -> None:
    """Every study in turn; the JSON after each."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default=",".join(STUDIES))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--warmup", type=int, default=400)
    parser.add_argument("--samples", type=int, default=500)
    for name in ("--study", "--side"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.study:
        one_process(options)
        return
    options.rounds = 1 if options.smoke else options.rounds
    cases = []
    for study in options.models.split(","):
        cases.append(compare(options, study))
        content = {
            "question": question_of(__doc__),
            "settings": {"sampler": repr(_nuts(options)), "rounds": options.rounds},
            "is_table": options.data is not None,
            "cases": cases,
        }
        print(write("fit_by_hand", content, options.output), flush=True)


if __name__ == "__main__":
    main()

"""How long does a drug's effect within people take to estimate from 30 sessions, and is it found?

Fifteen people, each once under placebo and once under a drug, 160 trials a session; a two-level binary filter whose
step size has a drug effect that varies over people, correlated with their level. The fit is whole as a user calls
it: the search for the mode, compiling, four chains, diagnostics. Simulated from a known effect, so that the
interval can be compared with it; one study says little of coverage (see `pcmodel calibrate`).

    python benchmarks/drug_effect.py [--seeds 3] [--smoke]
"""

import time
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from asking import parser_of, question_of
from timing import write

from pcmodel.behaviour.hierarchy.design import INTERCEPT
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.posterior.diagnostics import Diagnostics
from pcmodel.behaviour.posterior.fitted_posterior import effect_labels
from pcmodel.behaviour.posterior.predictive import simulate_series
from pcmodel.behaviour.sampling.nuts import Nuts, fit_nuts
from pcmodel.behaviour.studies.simulate import make_up

FORMULA = "omega2 ~ drug + (drug | participant)"
EFFECT, EFFECT_SD, LEVEL, LEVEL_SD, CORRELATION = 1.0, 0.5, -3.0, 0.8, 0.3


def make_study(seed: int, people: int, trials: int):
    """The hierarchy, with data from people whose drug effects are known."""
    series = make_up("binary", num_participants=people, num_trials=trials, seed=seed)
    hierarchy = build_hierarchy(
        find_model("binary", "hgf2"), series, formulas=(FORMULA,)
    )
    rng = np.random.default_rng(seed)
    shared = CORRELATION * LEVEL_SD * EFFECT_SD
    covariance = [[LEVEL_SD**2, shared], [shared, EFFECT_SD**2]]
    level, effect = rng.multivariate_normal((LEVEL, EFFECT), covariance, people).T
    under_drug = series.covariates["drug"] == "drug"
    who = series.participant
    truth = {
        "omega2": jnp.asarray(level[who] + under_drug * effect[who]),
        "log_zeta": jnp.asarray((1.0 + 0.4 * rng.normal(size=people))[who]),
    }
    data = simulate_series(jax.random.key(seed), hierarchy, truth)
    return hierarchy._replace(data=data)


def run(seed: int, people: int, trials: int, options: Nuts) -> dict[str, Any]:
    """One study, fitted from scratch."""
    hierarchy = make_study(seed, people, trials)
    jax.clear_caches()
    ticks = []
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        fit = fit_nuts(
            jax.random.key(seed),
            hierarchy,
            options,
            advance=lambda: ticks.append(time.perf_counter()),
        )
    seconds = time.perf_counter() - begin
    # Signs follow the first condition, which the design takes as the base.
    (name,) = (
        label.name
        for label in effect_labels(fit.hierarchy)
        if label.parameter == "omega2"
        and label.column != INTERCEPT
        and not label.is_spread
    )
    sign = 1.0 if "drug[drug]" in name or "placebo" not in name else -1.0
    draws = sign * fit.effects[name].ravel()
    steps = fit.sample_stats["num_steps"]
    diagnostics = fit.diagnostics
    assert isinstance(diagnostics, Diagnostics)  # of chains
    case = {
        "seed": seed,
        "seconds": seconds,
        "seconds_to_the_first_chunk": ticks[0] - begin,
        "effect": name,
        "truth": EFFECT,
        "mean": float(draws.mean()),
        "interval_95": np.quantile(draws, (0.025, 0.975)).tolist(),
        "complaints": list(fit.complaints),
        "num_divergent": int(fit.sample_stats["diverging"].sum()),
        "max_rhat": float(diagnostics.rhat),
        "min_ess": float(diagnostics.ess),
        "at_depth_limit": float(np.mean(steps >= 2**options.max_tree_depth - 1)),
    }
    low, high = case["interval_95"]
    print(
        f"seed {seed}: {seconds:.0f} s whole ({case['seconds_to_the_first_chunk']:.0f} to the first chunk), "
        f"{case['num_divergent']} divergent, R-hat {case['max_rhat']:.3f}, ESS {case['min_ess']:.0f}, "
        f"effect {case['mean']:.2f} ({low:.2f} to {high:.2f}), truth {EFFECT}",
        flush=True,
    )
    return case


def main() -> None:
    """Several studies; the JSON after each."""
    parser = parser_of(__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    people, trials = (3, 20) if options.smoke else (15, 160)
    nuts = Nuts(num_warmup=20, num_samples=50) if options.smoke else Nuts()
    settings = {
        "people": people,
        "sessions": 2 * people,
        "trials": trials,
        "formula": FORMULA,
        "warmup": nuts.num_warmup,
        "samples": nuts.num_samples,
        "chains": nuts.num_chains,
    }
    jax.config.update("jax_enable_compilation_cache", False)
    cases = []
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        for seed in range(1 if options.smoke else options.seeds):
            cases.append(run(seed, people, trials, nuts))
            content = {"question": question_of(__doc__)}
            content |= {"settings": settings, "cases": cases}
            print(write("drug_effect", content, options.output), flush=True)


if __name__ == "__main__":
    main()

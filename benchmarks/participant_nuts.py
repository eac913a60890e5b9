"""How many effective samples a second does a hierarchical HGF give, over its group's parameters?

Twenty participants of a two-level binary filter, step size and response noise each varying over people. The rival
is the same model written by hand in plain NumPyro, non-centred, with NumPyro's own NUTS and warm-up. Fair: same
data, priors, numbers of chains and of draws; precision double for both; both vectorise chains; each is run once to
compile and then timed whole, warm-up (and, for the package, the search for the mode) included, taking turns.
Efficiency is the smallest bulk effective sample size (rank-normalised, split; Vehtari et al. 2021) over the
group's four numbers. That both sample the same posterior is shown by the difference of their means in standard
errors of Monte Carlo.
"""

import time
import warnings
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from asking import parser_of
from numpyro.diagnostics import effective_sample_size, split_gelman_rubin
from numpyro.infer import MCMC, NUTS
from timing import write

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.posterior.predictive import simulate_series
from pcmodel.behaviour.sampling.nuts import Nuts, build_sampler, fit_nuts
from pcmodel.behaviour.studies.simulate import draw_wins
from pcmodel.inference.rank_normalised import normal_scores, split

NAMES = ("omega2", "omega2_sd", "log_zeta", "log_zeta_sd")
MAX_DEPTH = 10


def make_study(seed: int, people: int, trials: int):
    """The hierarchy with data simulated from people around omega -3 and log zeta 1."""
    rng = np.random.default_rng(seed)
    outcome = draw_wins(rng, (people, trials), 2)[..., 0].astype(float)
    series = Series(
        {"outcome": outcome, "response": np.zeros(outcome.shape)},
        np.ones(outcome.shape, bool),
        np.arange(people),
        {},
        {},
    )
    hierarchy = build_hierarchy(find_model("binary", "hgf2"), series)
    truth = {
        "omega2": jnp.asarray(-3.0 + 0.8 * rng.normal(size=people)),
        "log_zeta": jnp.asarray(1.0 + 0.4 * rng.normal(size=people)),
    }
    data = simulate_series(jax.random.key(seed), hierarchy, truth)
    return hierarchy._replace(data=data)


def by_hand(outcome, response):
    """The same priors and likelihood, as one would write them."""
    people = outcome.shape[0]
    omega_mean = numpyro.sample("omega2", dist.Normal(-3.0, 2.0))
    omega_sd = numpyro.sample("omega2_sd", dist.HalfNormal(1.0))
    zeta_mean = numpyro.sample("log_zeta", dist.Normal(1.0, 1.0))
    zeta_sd = numpyro.sample("log_zeta_sd", dist.HalfNormal(0.7))
    with numpyro.plate("people", people):
        omega = omega_mean + omega_sd * numpyro.sample("a", dist.Normal())
        zeta = jnp.exp(zeta_mean + zeta_sd * numpyro.sample("b", dist.Normal()))

    def trial(belief, seen):
        mean, precision = belief
        u, y = seen
        log_odds = zeta * mean
        predicted = 1.0 / (1.0 / precision + jnp.exp(omega))
        p = jax.nn.sigmoid(mean)
        new = predicted + p * (1.0 - p)
        score = jax.nn.log_sigmoid(jnp.where(y > 0.5, log_odds, -log_odds))
        return (mean + (u - p) / new, new), score

    start = (jnp.zeros(people), jnp.ones(people))
    _, scores = jax.lax.scan(trial, start, (outcome.T, response.T))
    numpyro.factor("responses", scores.sum())


def bulk_ess(draws: np.ndarray) -> float:
    """Rank-normalised, split chains; (chains, draws)."""
    return float(effective_sample_size(normal_scores(split(draws))))


def package(hierarchy, options: Nuts):
    """A fit with everything compiled before, and what it took to compile."""
    sampler = build_sampler(hierarchy, options)

    def fit(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = fit_nuts(jax.random.key(seed), hierarchy, options, sampler=sampler)
        draws = {name: found.sites[name][..., 0] for name in NAMES}
        stats = found.sample_stats
        return draws, stats["diverging"], stats["num_steps"]

    return fit


def plain(hierarchy, options: Nuts):
    """NumPyro's own sampler on the model written by hand."""
    kernel = NUTS(by_hand, target_accept_prob=0.8, max_tree_depth=MAX_DEPTH)
    sampler = MCMC(
        kernel,
        num_warmup=options.num_warmup,
        num_samples=options.num_samples,
        num_chains=options.num_chains,
        chain_method="vectorized",
        progress_bar=False,
    )
    data = hierarchy.data

    def fit(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        sampler.run(
            jax.random.key(seed),
            data.inputs.outcome,
            data.response,
            extra_fields=("diverging", "num_steps"),
        )
        found = jax.device_get(sampler.get_samples(group_by_chain=True))
        extra = jax.device_get(sampler.get_extra_fields(group_by_chain=True))
        return found, extra["diverging"], extra["num_steps"]

    return fit


def measure(fit, seed: int, depth: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """One timed run."""
    start = time.perf_counter()
    draws, diverging, num_steps = fit(seed)
    seconds = time.perf_counter() - start
    ess = {name: bulk_ess(draws[name]) for name in NAMES}
    least = min(ess.values())
    return {
        "seconds": seconds,
        "bulk_ess": ess,
        "min_bulk_ess_per_second": least / seconds,
        "max_rhat": max(float(split_gelman_rubin(draws[name])) for name in NAMES),
        "num_divergent": int(np.sum(diverging)),
        "mean_steps": float(np.mean(num_steps)),
        "deepest_share": float(np.mean(num_steps >= 2**depth - 1)),
    }, draws


def disagreement(one, ess_one, two, ess_two) -> dict[str, float]:
    """Difference of the means in standard errors of Monte Carlo."""
    return {
        name: float(
            (one[name].mean() - two[name].mean())
            / np.sqrt(one[name].var() / ess_one[name] + two[name].var() / ess_two[name])
        )
        for name in NAMES
    }


def run(seed: int, people: int, trials: int, options: Nuts) -> list[dict[str, Any]]:
    """Both samplers on one study."""
    hierarchy = make_study(seed, people, trials)
    rivals = {
        "package": package(hierarchy, options),
        "plain": plain(hierarchy, options),
    }
    depths = {"package": options.max_tree_depth, "plain": MAX_DEPTH}
    first = {}
    for name, fit in rivals.items():
        start = time.perf_counter()
        fit(seed)
        first[name] = time.perf_counter() - start
    cases, draws = {}, {}
    for name, fit in rivals.items():
        case, draws[name] = measure(fit, seed + 1000, depths[name])
        compiling = first[name] - case["seconds"]
        cases[name] = {
            "sampler": name,
            "seed": seed,
            "compile_seconds": compiling,
        } | case
    gap = disagreement(
        draws["package"],
        cases["package"]["bulk_ess"],
        draws["plain"],
        cases["plain"]["bulk_ess"],
    )
    for name, case in cases.items():
        print(
            f"seed {seed} {name:<8} {case['min_bulk_ess_per_second']:7.1f} bulk ESS/s "
            f"({case['seconds']:.1f} s, compiling {case['compile_seconds']:.0f} s), "
            f"R-hat {case['max_rhat']:.3f}, {case['num_divergent']} divergent, "
            f"{case['mean_steps']:.0f} steps, at depth limit {case['deepest_share']:.1%}",
            flush=True,
        )
    print(
        "  means apart, in standard errors:", {k: round(v, 1) for k, v in gap.items()}
    )
    return [case | {"means_apart": gap} for case in cases.values()]


def main() -> None:
    """Several studies; write the result."""
    parser = parser_of(__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    people, trials, seeds = (3, 20, 1) if options.smoke else (20, 320, options.seeds)
    sizes = (20, 50) if options.smoke else (500, 1000)
    nuts = Nuts(num_warmup=sizes[0], num_samples=sizes[1], num_chains=4)
    settings = {
        "people": people,
        "trials": trials,
        "warmup": sizes[0],
        "samples": sizes[1],
        "chains": 4,
    }
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        one = partial(run, people=people, trials=trials, options=nuts)
        cases = []
        for seed in range(seeds):
            cases += one(seed)
            result = {"settings": settings, "cases": cases}
            print(write("participant_nuts", result, options.output), flush=True)


if __name__ == "__main__":
    main()

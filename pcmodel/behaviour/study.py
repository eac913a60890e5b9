"""The behaviour study: fit people, and find out what such fits can know.

One call, plain arrays out. Four agents are fitted to the embedded helicopter data
(change points or none, anchored on report or belief, sensory scale free or the task's)
and the preferred one again to data simulated from itself; three rivals are matched in
mean update; and simulated drug studies show how many people it takes to tell them
apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.behaviour.agent import Agent
from pcmodel.behaviour.attribution import Group, attribution_curve, build_profiles
from pcmodel.behaviour.experimenter import (
    SURPRISE_EDGES,
    learning_rate_curve,
    study_band,
    updates_of,
)
from pcmodel.behaviour.fit import (
    Fit,
    fit_agents,
    participant_sds,
    posterior_parameters,
    verdicts,
)
from pcmodel.behaviour.model import PARAMETER_NAMES, PRIORS
from pcmodel.behaviour.participant import ParticipantParameters
from pcmodel.behaviour.rivals import RIVALS, mean_confidence, simulate_rivals
from pcmodel.behaviour.sampler import num_chunks
from pcmodel.behaviour.task import REFERENCE_SD, TASK_SDS, Trials, make_trials
from pcmodel.behaviour.unroll import simulate_participant
from pcmodel.data.helicopter import load_helicopter

AGENTS = (
    Agent(),
    Agent(change_points=False),
    Agent(anchor="belief"),
    Agent(free_scale=False),
)
AGENT_NAMES = ("change point", "Kalman", "belief-anchored", "k = b = 1")
CHUNK = 10


@dataclass(frozen=True)
class BehaviourSettings:
    """How much of everything; `smoke()` finishes in seconds and proves nothing."""

    num_participants: int = 10
    num_trials: int = 200
    num_warmup: int = 60  # twice: before the pilot and before the samples
    num_pilot: int = 80
    num_samples: int = 120
    num_chains: int = 4
    max_tree_depth: int = 5
    num_simulated: int = 100
    prior_shift: float = 1.0  # left panel, log units
    drug_shift: float = 0.5  # right panel, log units
    trial_counts: tuple[int, ...] = (50, 100, 200)  # per session
    rated_trials: int = 200  # per session, with confidence ratings
    rating_sd: float = 1.0  # of one rating, log units
    pool_size: int = 64
    study_sizes: tuple[int, ...] = (1, 2, 5, 10, 20, 40, 80)
    num_studies: int = 400
    num_pools: int = 40

    @classmethod
    def smoke(cls) -> "BehaviourSettings":
        """Every part once, at toy size."""
        return cls(
            num_participants=3,
            num_trials=40,
            num_warmup=10,
            num_pilot=0,
            num_samples=20,
            num_chains=2,
            max_tree_depth=2,
            num_simulated=8,
            trial_counts=(20,),
            rated_trials=20,
            pool_size=4,
            study_sizes=(2, 4),
            num_studies=10,
            num_pools=4,
        )


class BehaviourResults(NamedTuple):
    """Everything the figures and the report need, as numpy arrays and plain values."""

    # left: three rivals matched in mean update
    rivals: tuple[str, ...]
    noise_sds: np.ndarray  # (noise levels,)
    surprise_edges: np.ndarray  # (bins,), last bin open
    learning_rate: np.ndarray  # (rivals, noise levels, 3, bins): mean, 2.5 %, 97.5 %
    human_learning_rate: np.ndarray  # (noise levels, 3, bins)
    rival_shift: np.ndarray  # (rivals,) log units
    mean_update: np.ndarray  # (rivals,) screen units
    human_mean_update: float
    confidence: np.ndarray  # (rivals, noise levels, 3): change from baseline
    # middle: group-level log-precisions, draws (prior, sensory)
    log_precision_draws: np.ndarray  # (change point | Kalman, draws, 2)
    log_precision_prior: np.ndarray  # (draws, 2), from the priors
    ridge_sd: np.ndarray  # (agents, 2): SD along the diagonal and across it
    # right: probability of the right attribution
    study_sizes: np.ndarray
    trial_counts: np.ndarray
    attribution: np.ndarray  # (trial counts, 3, study sizes)
    rated_attribution: np.ndarray  # (3, study sizes), with confidence ratings
    rated_trials: int
    drug_shifts: np.ndarray  # (prior, matched sensory), log units
    # fits
    agents: tuple[str, ...]
    parameters: tuple[str, ...]
    group_mean: np.ndarray  # (agents, parameters, 3): mean, 2.5 %, 97.5 %
    contraction: np.ndarray  # (agents, parameters)
    verdicts: tuple[dict[str, str], ...]
    loo_by_participant: np.ndarray  # (agents, participants) nats
    loo_untrusted: np.ndarray  # (agents,) reports with Pareto k > 0.7
    diagnostics: tuple[dict[str, float], ...]
    # recovery: the change-point agent on its own simulated data
    recovery_truth: np.ndarray  # (parameters, participants)
    recovery_mean: np.ndarray
    recovery_interval: np.ndarray  # (2, parameters, participants): 5 and 95 %
    recovery_coverage: np.ndarray  # (parameters,) share of truths inside
    recovery_correlation: np.ndarray  # (parameters,); NaN where all share one value


class _Silent:
    def advance(self) -> None:
        """Report nothing."""

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator["_Silent"]:
        yield self


def helicopter_trials(*, num_participants: int = 10, num_trials: int = 200) -> Trials:
    """The embedded data; fewer trials are taken evenly from both blocks."""
    data, half = load_helicopter(), num_trials // 2
    columns = np.concatenate([np.arange(half), 100 + np.arange(half)])

    def part(values: np.ndarray) -> np.ndarray:
        return values[:num_participants][:, columns]

    return make_trials(
        outcome=part(data.outcome),
        report=part(data.report),
        noise_sd=part(data.noise_sd),
        helicopter=part(data.helicopter),
        helicopter_seen=part(data.helicopter_seen),
        block_start=part(data.block_start),
    )


def run_behaviour_study(
    *, settings: BehaviourSettings, seed: int, progress: Any = None
) -> BehaviourResults:
    """Run everything in double precision; the caller's precision is left as it was."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return _run(settings, seed, progress or _Silent())


def _run(settings: BehaviourSettings, seed: int, progress: Any) -> BehaviourResults:
    keys = jax.random.split(jax.random.key(seed), 5)
    rng = np.random.default_rng(seed)
    trials = helicopter_trials(
        num_participants=settings.num_participants, num_trials=settings.num_trials
    )
    truth, simulated = _simulate_like(keys[0], trials)
    phases = (settings.num_samples, settings.num_pilot)
    total = sum(
        num_chunks(settings.num_warmup, CHUNK) + num_chunks(draws, CHUNK)
        for draws in phases
        if draws
    )
    with progress.stage("fit belief revision (NUTS)", total=total) as stage:
        *fits, recovery = fit_agents(
            keys[1],
            [trials] * len(AGENTS) + [simulated],
            [*AGENTS, AGENTS[0]],
            num_warmup=settings.num_warmup,
            num_samples=settings.num_samples,
            num_pilot=settings.num_pilot,
            num_chains=settings.num_chains,
            max_tree_depth=settings.max_tree_depth,
            chunk=CHUNK,
            advance=stage.advance,
        )
    with progress.stage("match three rivals", total=2) as stage:
        left = _left_panel(keys[2], settings, fits[0], trials, rng)
        stage.advance()
        shifts = _matched_drug(keys[3], settings, fits[0])
        stage.advance()
    with progress.stage(
        "simulate drug studies", total=len(settings.trial_counts) + 1
    ) as stage:
        right = _right_panel(keys[4], settings, fits[0], shifts, rng, stage)
    return BehaviourResults(
        **left,
        **_middle_panel(fits[:2], rng),
        **right,
        **_fit_table(fits),
        **_recovery(recovery, truth),
    )


def _simulate_like(key, trials: Trials) -> tuple[np.ndarray, Trials]:
    """Participants drawn around typical values, on the same outcomes."""
    person_key, report_key = jax.random.split(key)
    num = trials.outcome.shape[0]
    mean = jnp.asarray([-1.5, 0.0, 1.1, 4.3, 2.5, 1.4, -1.7, -0.4, -0.9])
    sd = jnp.asarray([0.6, 0.5, 0.0, 0.9, 0.0, 0.4, 0.5, 0.8, 0.0])
    rows = mean[:, None] + sd[:, None] * jax.random.normal(person_key, (len(mean), num))
    simulated, _ = jax.vmap(
        lambda k, p, t: simulate_participant(k, p, t, agent=AGENTS[0])
    )(jax.random.split(report_key, num), ParticipantParameters(*rows), trials)
    return np.asarray(rows), simulated


def _left_panel(
    key, settings: BehaviourSettings, fit: Fit, trials: Trials, rng
) -> dict:
    rivals = simulate_rivals(
        key,
        posterior_parameters(fit),
        agent=AGENTS[0],
        shift=settings.prior_shift,
        num_participants=settings.num_simulated,
        num_trials=settings.num_trials,
    )
    size = trials.outcome.shape[0]

    def band(updates, noise_sd: float) -> np.ndarray:
        product, square = learning_rate_curve(updates, noise_sd=noise_sd)
        return study_band(product, square, study_size=size, num_studies=500, rng=rng)

    def bands(each) -> np.ndarray:
        return np.stack([band(updates_of(each), noise_sd) for noise_sd in TASK_SDS])

    def change(name: str, noise_sd: float) -> np.ndarray:
        own, base = (
            mean_confidence(rivals[n], noise_sd=noise_sd) for n in (name, "baseline")
        )
        picks = rng.integers(len(own), size=(500, size))
        spread = np.quantile((own - base)[picks].mean(axis=1), (0.025, 0.975))
        return np.array([(own - base).mean(), *spread])

    return dict(
        rivals=RIVALS,
        noise_sds=np.asarray(TASK_SDS),
        surprise_edges=np.asarray(SURPRISE_EDGES),
        learning_rate=np.stack([bands(rivals[n].trials) for n in RIVALS]),
        human_learning_rate=bands(trials),
        rival_shift=np.asarray([rivals[n].shift for n in RIVALS]),
        mean_update=np.asarray([rivals[n].mean_update for n in RIVALS]),
        human_mean_update=updates_of(trials).mean_size,
        confidence=np.stack(
            [np.stack([change(n, s) for s in TASK_SDS]) for n in RIVALS]
        ),
    )


def _middle_panel(fits: list[Fit], rng) -> dict:
    process, scale = (PARAMETER_NAMES.index(n) for n in ("log_process", "log_scale"))

    def precisions(log_process, log_scale) -> np.ndarray:
        sensory = -log_scale - 2.0 * np.log(REFERENCE_SD)
        return np.stack([-log_process, sensory], axis=-1)

    draws = []
    for fit in fits:
        flat = fit.group_mean.reshape(-1, len(PARAMETER_NAMES))
        draws.append(precisions(flat[:, process], flat[:, scale]))
    prior = [
        rng.normal(PRIORS[n].mean, PRIORS[n].sd, size=4000)
        for n in ("log_process", "log_scale")
    ]
    draws = np.stack(draws)
    along = draws.sum(axis=-1).std(axis=-1) / np.sqrt(2.0)
    across = (draws[..., 0] - draws[..., 1]).std(axis=-1) / np.sqrt(2.0)
    return dict(
        log_precision_draws=draws,
        log_precision_prior=precisions(*prior),
        ridge_sd=np.stack([along, across], axis=-1),
    )


def _matched_drug(key, settings: BehaviourSettings, fit: Fit) -> np.ndarray:
    rivals = simulate_rivals(
        key,
        posterior_parameters(fit),
        agent=AGENTS[0],
        shift=settings.drug_shift,
        num_participants=settings.num_simulated,
        num_trials=settings.num_trials,
    )
    return np.asarray([rivals[n].shift for n in ("prior relaxed", "senses raised")])


def _right_panel(
    key, settings: BehaviourSettings, fit: Fit, shifts: np.ndarray, rng, stage
) -> dict:
    group = Group(
        jnp.stack(posterior_parameters(fit)), jnp.asarray(participant_sds(fit))
    )
    grids = tuple(jnp.linspace(0.0, 2.0 * shift, 5) for shift in shifts)
    designs = [(count, 0.0) for count in settings.trial_counts]
    designs.append((settings.rated_trials, settings.rating_sd))
    curves = []
    for design_key, (count, rating_sd) in zip(
        jax.random.split(key, len(designs)), designs, strict=True
    ):
        profiles = build_profiles(
            group, agent=AGENTS[0], num_trials=count, rating_sd=rating_sd
        )
        keys = jax.random.split(design_key, settings.pool_size)
        pools = tuple(
            np.asarray(profiles(keys, jnp.asarray(effects), grids))
            for effects in np.diag(shifts)
        )
        curves.append(
            attribution_curve(
                pools,
                study_sizes=settings.study_sizes,
                num_studies=settings.num_studies,
                num_pools=settings.num_pools,
                rng=rng,
            )
        )
        stage.advance()
    return dict(
        study_sizes=np.asarray(settings.study_sizes),
        trial_counts=np.asarray(settings.trial_counts),
        attribution=np.stack(curves[:-1]),
        rated_attribution=curves[-1],
        rated_trials=settings.rated_trials,
        drug_shifts=shifts,
    )


def _fit_table(fits: list[Fit]) -> dict:
    means = [fit.group_mean.reshape(-1, len(PARAMETER_NAMES)) for fit in fits]
    quantiles = [np.quantile(m, (0.025, 0.975), axis=0) for m in means]
    return dict(
        agents=AGENT_NAMES,
        parameters=PARAMETER_NAMES,
        group_mean=np.stack(
            [
                np.stack([m.mean(axis=0), *q], axis=-1)
                for m, q in zip(means, quantiles, strict=True)
            ]
        ),
        contraction=np.stack([fit.contraction for fit in fits]),
        verdicts=tuple(verdicts(fit) for fit in fits),
        loo_by_participant=np.stack([fit.loo_by_participant for fit in fits]),
        loo_untrusted=np.asarray([fit.loo.num_untrusted for fit in fits]),
        diagnostics=tuple(fit.diagnostics._asdict() for fit in fits),
    )


def _recovery(fit: Fit, truth: np.ndarray) -> dict:
    draws = fit.participants.reshape(-1, *fit.participants.shape[2:])
    low, high = np.quantile(draws, (0.05, 0.95), axis=0)
    mean = draws.mean(axis=0)
    varying = truth.std(axis=1) > 0.0
    correlation = np.full(len(truth), np.nan)
    for j in np.flatnonzero(varying):
        correlation[j] = np.corrcoef(truth[j], mean[j])[0, 1]
    return dict(
        recovery_truth=truth,
        recovery_mean=mean,
        recovery_interval=np.stack([low, high]),
        recovery_coverage=((truth >= low) & (truth <= high)).mean(axis=1),
        recovery_correlation=correlation,
    )

"""The part of the main job that is about people: fit them, and find what such fits can know.

Four agents are fitted to the embedded helicopter data (change points or none, anchored on report
or belief, sensory scale free or the task's; on request two more that hold q = 0) and the first one
again to data simulated from itself; three rivals are matched in mean update; and simulated drug
studies show how many people it takes to tell them apart.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models import HelicopterModel
from pcmodel.behaviour.posterior.fitted_posterior import summarise
from pcmodel.behaviour.posterior.identifiability import verdicts
from pcmodel.behaviour.sampling.nuts import Nuts, num_advances

from .config import BehaviourSettings
from .panels import left_panel, matched_drug, middle_panel, right_panel
from .people import (
    AGENTS,
    WITHOUT_DRIFT,
    AgentFit,
    agent_hierarchy,
    fit_agents,
    helicopter_series,
    parameter_names,
    predicts,
    simulated_series,
)

# Simulated people: the mean and the SD over people of each of `ParticipantParameters`.
TYPICAL = (-1.5, 0.0, 1.1, 4.3, 2.5, 1.4, -1.7, -0.4, -0.9)
SPREAD = (0.6, 0.5, 0.0, 0.9, 0.0, 0.4, 0.5, 0.8, 0.0)


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
    group_mean: (
        np.ndarray
    )  # (agents, parameters, 3): mean, 2.5 %, 97.5 %; NaN: it has none
    contraction: np.ndarray  # (agents, parameters)
    verdicts: tuple[dict[str, str], ...]
    loo_by_participant: np.ndarray  # (agents, participants) nats
    loo_untrusted: np.ndarray  # (agents,) reports with Pareto k > 0.7
    loo_verdicts: tuple[str, ...]  # against the first agent; see `people.predicts`
    diagnostics: tuple[dict[str, float], ...]  # rhat, ess, num_divergent and more
    # recovery: the change-point agent on its own simulated data
    recovery_truth: np.ndarray  # (parameters, participants)
    recovery_mean: np.ndarray
    recovery_interval: np.ndarray  # (2, parameters, participants): 5 and 95 %
    recovery_coverage: np.ndarray  # (parameters,) share of truths inside
    recovery_correlation: np.ndarray  # (parameters,); NaN where all share one value
    recovery_diagnostics: dict[str, float]  # of that fit, named as in `diagnostics`


def simulate_behaviour(
    *, settings: BehaviourSettings, seed: int, progress: Any
) -> BehaviourResults:
    """Run everything in double precision; the caller's precision is left as it was."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return _simulate(settings, seed, progress)


def _simulate(
    settings: BehaviourSettings, seed: int, progress: Any
) -> BehaviourResults:
    keys = jax.random.split(jax.random.key(seed), 5)
    rng = np.random.default_rng(seed)
    series = helicopter_series(
        num_participants=settings.num_participants, num_trials=settings.num_trials
    )
    trials = HelicopterModel().prepare(series)
    truth, simulated = _simulate_people(keys[0], series)
    agents = AGENTS | (WITHOUT_DRIFT if settings.without_drift else {})
    options = nuts_of(settings)

    def panels(first: AgentFit, advance: Callable[[], None]) -> tuple[dict, dict]:
        left = left_panel(keys[2], settings, first, trials, rng)
        advance()
        shifts = matched_drug(keys[3], settings, first)
        advance()
        return left, right_panel(keys[4], settings, first, shifts, rng, advance)

    total = (len(agents) + 1) * num_advances(options)
    total += 2 + len(settings.trial_counts) + 1
    hierarchies = [agent_hierarchy(agent, series) for agent in agents.values()]
    hierarchies.append(agent_hierarchy(AGENTS["change point"], simulated))
    with progress.stage("fit people, match rivals, simulate studies", total) as stage:
        (*fits, recovery), (left, right) = fit_agents(
            keys[1],
            hierarchies,
            options,
            advance=stage.advance,
            meanwhile=panels,
        )
    return BehaviourResults(
        **left,
        **middle_panel(fits[:2], rng),
        **right,
        agents=tuple(agents),
        **fit_table(fits),
        **recovery_table(recovery, truth),
    )


def nuts_of(settings: BehaviourSettings) -> Nuts:
    """The sampler's options."""
    return Nuts(
        num_warmup=settings.num_warmup,
        num_samples=settings.num_samples,
        num_chains=settings.num_chains,
        max_tree_depth=settings.max_tree_depth,
        target_accept=settings.target_accept,
    )


def _simulate_people(
    key: jax.Array, series: Series
) -> tuple[dict[str, np.ndarray], Series]:
    """Participants drawn around typical values, on the same outcomes; their parameters by name."""
    person_key, report_key = jax.random.split(key)
    shape = (len(TYPICAL), len(series.participant))
    mean, sd = (jnp.asarray(each)[:, None] for each in (TYPICAL, SPREAD))
    rows = mean + sd * jax.random.normal(person_key, shape)
    people, agent = ParticipantParameters(*rows), AGENTS["change point"]
    drawn = simulated_series(report_key, people, series, agent)
    return jax.device_get(HelicopterModel().values_of(people)), drawn


def fit_table(fits: list[AgentFit]) -> dict:
    """Group means, contraction, verdicts, LOO and diagnostics of every fit; NaN for what one has not."""
    names = parameter_names(fits[0])
    shape = (len(fits), len(names))
    means, contraction = np.full((*shape, 3), np.nan), np.full(shape, np.nan)
    for i, fit in enumerate(fits):
        for name, effect in _group_means(fit).items():
            j = names.index(name)
            means[i, j] = effect.mean, effect.low, effect.high
            contraction[i, j] = effect.contraction
    return dict(
        parameters=names,
        group_mean=means,
        contraction=contraction,
        verdicts=tuple(_verdicts(fit) for fit in fits),
        loo_by_participant=np.stack([fit.loo_by_participant for fit in fits]),
        loo_untrusted=np.asarray([fit.num_untrusted for fit in fits]),
        loo_verdicts=tuple(predicts(fit, fits[0]) for fit in fits),
        diagnostics=tuple(_numbers(fit) for fit in fits),
    )


def _group_means(fit: AgentFit) -> dict[str, Any]:
    """The `Effect` of each parameter's mean over people."""
    effects = summarise(fit.posterior, accept_unconverged=True)
    return {e.parameter: e for e in effects if not e.is_spread}


def _verdicts(fit: AgentFit) -> dict[str, str]:
    """What the data say about each mean over people: identified, ratio only, prior."""
    means = _group_means(fit)
    found = verdicts(fit.posterior, tuple(means.values()))
    return {name: v.word for name, v in zip(means, found, strict=True)}


def _numbers(fit: AgentFit) -> dict[str, float]:
    found = fit.diagnostics._asdict()
    del found["limits"]
    return found


def recovery_table(fit: AgentFit, truth: dict[str, np.ndarray]) -> dict:
    """How well the change-point fit found simulated participants again."""
    names = parameter_names(fit)
    draws = np.stack([fit.posterior.parameter(n) for n in names], axis=2)
    draws = draws.reshape(-1, *draws.shape[2:])
    low, high = np.quantile(draws, (0.05, 0.95), axis=0)
    mean, true = draws.mean(axis=0), np.stack([truth[n] for n in names])
    correlation = np.full(len(names), np.nan)
    for j in np.flatnonzero(np.ptp(true, axis=1) > 0.0):
        correlation[j] = np.corrcoef(true[j], mean[j])[0, 1]
    return dict(
        recovery_truth=true,
        recovery_mean=mean,
        recovery_interval=np.stack([low, high]),
        recovery_coverage=((true >= low) & (true <= high)).mean(axis=1),
        recovery_correlation=correlation,
        recovery_diagnostics=_numbers(fit),
    )

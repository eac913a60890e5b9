"""The numbers behind the study's figure: rivals, ridge, attribution."""

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.behaviour.change_point.agent import Agent
from pcmodel.behaviour.change_point.model_free import (
    SURPRISE_EDGES,
    learning_rate_curve,
    study_band,
    updates_of,
)
from pcmodel.behaviour.change_point.rivals import (
    RIVALS,
    mean_confidence,
    simulate_rivals,
)
from pcmodel.behaviour.change_point.task import TASK_SDS, Trials

from .attribution import Design, Group, attribution_curve, build_profiles
from .config import BehaviourSettings
from .people import AgentFit, spreads_of_people, typical_person


def left_panel(
    key, settings: BehaviourSettings, fit: AgentFit, trials: Trials, rng
) -> dict:
    """Three rivals matched in mean update: learning rates, confidence, and people."""
    rivals = simulate_rivals(
        key,
        typical_person(fit),
        agent=Agent(),
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


PRECISIONS = ("prior_log_precision", "sensory_log_precision")


def middle_panel(fits: list[AgentFit], rng) -> dict:
    """Group-level prior and sensory log-precision, two agents, and the prior."""
    draws = np.stack(
        [
            np.stack([fit.group_mean(name).ravel() for name in PRECISIONS], axis=-1)
            for fit in fits
        ]
    )
    priors = {p.name: p for p in fits[0].posterior.hierarchy.model.parameters}
    prior = [rng.normal(priors[n].mean, priors[n].sd, size=4000) for n in PRECISIONS]
    along = draws.sum(axis=-1).std(axis=-1) / np.sqrt(2.0)
    across = (draws[..., 0] - draws[..., 1]).std(axis=-1) / np.sqrt(2.0)
    return dict(
        log_precision_draws=draws,
        log_precision_prior=np.stack(prior, axis=-1),
        ridge_sd=np.stack([along, across], axis=-1),
    )


def matched_drug(key, settings: BehaviourSettings, fit: AgentFit) -> np.ndarray:
    """Shifts (prior, senses) in log units that change the mean update alike."""
    rivals = simulate_rivals(
        key,
        typical_person(fit),
        agent=Agent(),
        shift=settings.drug_shift,
        num_participants=settings.num_simulated,
        num_trials=settings.num_trials,
    )
    return np.asarray([rivals[n].shift for n in ("prior relaxed", "senses raised")])


def right_panel(
    key, settings: BehaviourSettings, fit: AgentFit, shifts: np.ndarray, rng, advance
) -> dict:
    """Probability of naming the right account, by people and trials."""
    group = Group(jnp.stack(typical_person(fit)), jnp.stack(spreads_of_people(fit)))
    grids = jnp.stack([jnp.linspace(0.0, 2.0 * shift, 5) for shift in shifts])
    counts = [*settings.trial_counts, settings.rated_trials]
    profiles = build_profiles(group, agent=Agent(), longest=max(counts))
    curves = []
    for place, (design_key, count) in enumerate(
        zip(jax.random.split(key, len(counts)), counts, strict=True)
    ):
        rated = place == len(counts) - 1
        design = Design(
            jnp.asarray(count), jnp.asarray(rated), jnp.asarray(settings.rating_sd)
        )
        keys = jax.random.split(design_key, settings.pool_size)
        pools = tuple(
            np.asarray(profiles(keys, design, jnp.asarray(effects), grids))
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
        advance()
    return dict(
        study_sizes=np.asarray(settings.study_sizes),
        trial_counts=np.asarray(settings.trial_counts),
        attribution=np.stack(curves[:-1]),
        rated_attribution=curves[-1],
        rated_trials=settings.rated_trials,
        drug_shifts=shifts,
    )

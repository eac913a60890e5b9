"""What the behaviour study is told and what it gives back."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class BehaviourSettings:
    """How much of everything; `smoke()` finishes in seconds and proves nothing."""

    num_participants: int = 10
    num_trials: int = 200
    num_warmup: int = 90  # twice: before the pilot and before the samples
    num_pilot: int = 80
    num_samples: int = 160
    num_chains: int = 4
    max_tree_depth: int = 4
    without_drift: bool = False  # fit two more agents, which hold q = 0
    num_simulated: int = 100
    prior_shift: float = 1.0  # left panel, log units
    drug_shift: float = 0.5  # right panel, log units
    trial_counts: tuple[int, ...] = (50, 200)  # per session
    rated_trials: int = 200  # per session, with confidence ratings
    rating_sd: float = 1.0  # of one rating, log units
    pool_size: int = 48
    study_sizes: tuple[int, ...] = (1, 2, 5, 10, 20, 40, 80)
    num_studies: int = 400
    num_pools: int = 40

    @classmethod
    def smoke(cls) -> "BehaviourSettings":
        """Every part once, at toy size."""
        return cls(
            num_participants=2,
            num_trials=20,
            num_warmup=5,
            num_pilot=0,
            num_samples=30,
            num_chains=2,
            max_tree_depth=1,
            num_simulated=4,
            trial_counts=(20,),
            rated_trials=20,
            pool_size=2,
            study_sizes=(2, 4),
            num_studies=5,
            num_pools=2,
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
    loo_verdicts: tuple[str, ...]  # against the first agent; see `fit.loo_verdict`
    diagnostics: tuple[dict[str, float], ...]  # rhat, ess, num_divergent and more
    # recovery: the change-point agent on its own simulated data
    recovery_truth: np.ndarray  # (parameters, participants)
    recovery_mean: np.ndarray
    recovery_interval: np.ndarray  # (2, parameters, participants): 5 and 95 %
    recovery_coverage: np.ndarray  # (parameters,) share of truths inside
    recovery_correlation: np.ndarray  # (parameters,); NaN where all share one value
    recovery_diagnostics: dict[str, float]  # of that fit, named as in `diagnostics`

"""The numbers behind the study's tables: every fit, and the recovery."""

import numpy as np

from pcmodel.behaviour.change_point.agent import Agent
from pcmodel.behaviour.change_point.study.fit import Fit, loo_verdict, verdicts
from pcmodel.behaviour.change_point.study.model import PARAMETER_NAMES
from pcmodel.behaviour.posterior.diagnostics import Diagnostics

AGENTS = (
    Agent(),
    Agent(change_points=False),
    Agent(anchor="belief"),
    Agent(free_scale=False),
)
AGENT_NAMES = ("change point", "Kalman", "belief-anchored", "k = b = 1")
WITHOUT_DRIFT = (Agent(drift=False), Agent(drift=False, free_scale=False))
WITHOUT_DRIFT_NAMES = ("q = 0", "q = 0, k = b = 1")


def fit_table(fits: list[Fit]) -> dict:
    """Group means, contraction, verdicts, LOO and diagnostics of every fit."""
    means = [fit.group_mean.reshape(-1, len(PARAMETER_NAMES)) for fit in fits]
    quantiles = [np.quantile(m, (0.025, 0.975), axis=0) for m in means]
    return dict(
        agents=(*AGENT_NAMES, *WITHOUT_DRIFT_NAMES)[: len(fits)],
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
        loo_verdicts=tuple(loo_verdict(fit, fits[0]) for fit in fits),
        diagnostics=tuple(_numbers(fit.diagnostics) for fit in fits),
    )


def _numbers(diagnostics: Diagnostics) -> dict[str, float]:
    found = diagnostics._asdict()
    del found["limits"]
    return found


def recovery_table(fit: Fit, truth: np.ndarray) -> dict:
    """How well the change-point fit found simulated participants again."""
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
        recovery_diagnostics=_numbers(fit.diagnostics),
    )

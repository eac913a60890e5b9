"""Fit several agents at once, and say how far each answer can be trusted.

One call runs NUTS for every agent (or data set) through one compiled program; each
comes back with diagnostics, PSIS-LOO, contraction from prior to posterior, and a
verdict per parameter.
"""

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from pcmodel.behaviour.change_point.agent import Agent
from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.change_point.study.model import (
    PARAMETER_NAMES,
    PRIORS,
    VARYING,
    initial_values,
    participant_model,
    participants_log_likelihood,
)
from pcmodel.behaviour.change_point.study.sampler import (
    Draws,
    build_sampler,
    run_sampler,
)
from pcmodel.behaviour.change_point.task import Trials
from pcmodel.behaviour.change_point.unroll import scored
from pcmodel.behaviour.posterior.diagnostics import BRIEF, Diagnostics, diagnose
from pcmodel.inference.importance.psis import Loo, psis_loo
from pcmodel.runtime.threads import run_together

NUM_WORKERS = 2  # a fit is a sequence of small operations: it keeps one core busy


class Fit(NamedTuple):
    """The posterior of one agent on one data set; draws are (chains, draws, ...)."""

    agent: Agent
    group_mean: Float[np.ndarray, "chains draws parameters"]
    group_spread: Float[np.ndarray, "chains draws varying"]
    participants: Float[np.ndarray, "chains draws parameters participants"]
    diagnostics: Diagnostics
    loo: Loo  # of every scored report
    loo_by_participant: Float[np.ndarray, " participants"]
    loo_by_chain: Float[np.ndarray, "chains participants"]  # each chain by itself

    @property
    def contraction(self) -> Float[np.ndarray, " parameters"]:
        """1 - posterior / prior variance of each group mean: 0 = nothing learned."""
        prior = np.asarray([PRIORS[name].sd ** 2 for name in PARAMETER_NAMES])
        return 1.0 - self.group_mean.var(axis=(0, 1)) / prior


def fit_agents(
    key: Key[Array, ""],
    trials: Sequence[Trials],
    agents: Sequence[Agent],
    *,
    num_warmup: int,
    num_samples: int,
    num_pilot: int = 0,
    num_chains: int = 2,
    max_tree_depth: int = 6,
    chunk: int = 10,
    advance: Callable[[], None] = lambda: None,
    meanwhile: Callable[[Fit, Callable[[], None]], Any] | None = None,
) -> tuple[list[Fit], Any]:
    """Fit `agents[i]` to `trials[i]` (all of one shape), `NUM_WORKERS` at a time.

    `meanwhile(first fit, advance)`, if given, is run beside the later fits; what it returns comes
    second. Warns, naming the agent, when the chains cannot be trusted. The numbers depend on
    neither the order nor the number of workers.
    """
    problems = [(t, a.switches()) for t, a in zip(trials, agents, strict=True)]
    sampler = build_sampler(
        participant_model,
        problems[0],
        initial_values(trials[0].outcome.shape[0]),
        held=("spread",),
        num_warmup=num_warmup,
        max_tree_depth=max_tree_depth,
    )
    likelihood = jax.jit(
        lambda rows, trials, switches: jax.lax.map(
            lambda p: participants_log_likelihood(
                ParticipantParameters(*p), trials, switches
            ),
            rows,
            batch_size=64,
        )
    )

    def fit(agent, problem, fit_key, advance):
        draws = run_sampler(
            sampler,
            problem,
            fit_key,
            num_chains=num_chains,
            num_samples=num_samples,
            num_pilot=num_pilot,
            chunk=chunk,
            advance=advance,
        )
        people = draws.sites["participants"]
        rows = jnp.asarray(people.reshape(-1, *people.shape[2:]))
        values = np.asarray(likelihood(rows, *problem))
        return _summarise(agent, problem[0], draws, values, max_tree_depth)

    keys = jax.random.split(key, len(agents))
    each = zip(agents, problems, keys, strict=True)
    fits, beside = _with_first(
        [partial(fit, *arguments) for arguments in each], meanwhile, advance
    )
    for found in fits:
        if found.diagnostics.complaints:
            words = "; ".join(found.diagnostics.complaints)
            warnings.warn(f"{describe(found.agent)}: {words}", stacklevel=2)
    return fits, beside


def _with_first(
    tasks: list[Callable], meanwhile: Callable | None, advance: Callable[[], None]
) -> tuple[list[Fit], Any]:
    """Run all tasks, and `meanwhile` as soon as the first is done and a worker free."""
    if meanwhile is None:
        return run_together(tasks, advance=advance, num_workers=NUM_WORKERS), None
    first: Future[Fit] = Future()

    def lead(step: Callable[[], None]) -> Fit:
        try:
            first.set_result(tasks[0](step))
        except BaseException as error:
            first.set_exception(error)
            raise
        return first.result()

    def follow(step: Callable[[], None]) -> Any:
        return meanwhile(first.result(), step)

    # The last fit comes after it, so that neither worker is left without work at the end.
    *middle, last = tasks[1:]
    *fits, beside, final = run_together(
        [lead, *middle, follow, last], advance=advance, num_workers=NUM_WORKERS
    )
    return [*fits, final], beside


def _summarise(
    agent: Agent,
    trials: Trials,
    draws: Draws,
    values: Float[np.ndarray, "draws participants trials"],
    max_tree_depth: int,
) -> Fit:
    mask = np.asarray(scored(trials))
    loo = psis_loo(values[:, mask])
    sites = draws.sites

    def by_participant(pointwise: np.ndarray) -> np.ndarray:
        table = np.zeros(mask.shape)
        table[mask] = pointwise
        return table.sum(axis=1)

    chains = np.split(values[:, mask], len(sites["participants"]))
    return Fit(
        agent=agent,
        group_mean=sites["group_mean"],
        group_spread=sites["group_spread"],
        participants=sites["participants"],
        diagnostics=_diagnose(draws, max_tree_depth),
        loo=loo,
        loo_by_participant=by_participant(loo.pointwise),
        loo_by_chain=np.stack([by_participant(psis_loo(c).pointwise) for c in chains]),
    )


def _diagnose(draws: Draws, max_tree_depth: int) -> Diagnostics:
    group = [draws.sites["group_mean"], draws.sites["group_spread"]]
    return diagnose(
        np.concatenate(group, axis=-1),
        diverging=draws.diverging,
        num_steps=draws.num_steps,
        accept_prob=draws.accept_prob,
        max_tree_depth=max_tree_depth,
        limits=BRIEF,
    )


def describe(agent: Agent) -> str:
    """The agent in words."""
    words = "change-point" if agent.change_points else "Kalman"
    held = ["k = b = 1"] * (not agent.free_scale) + ["q = 0"] * (not agent.drift)
    return ", ".join([f"{words} agent anchored on the last {agent.anchor}", *held])


def verdicts(fit: Fit, *, known: float = 0.5) -> dict[str, str]:
    """What the data say about each group mean: identified, ratio only, or prior.

    "ratio only": the prior and sensory log-precisions of the Kalman agent, whose
    likelihood depends on their difference alone (a theorem, not a threshold). Else
    "identified" when the data removed at least the share `known` of the prior variance,
    and "unconverged" where the chains disagree (by `BRIEF`: a study of minutes has too
    few draws for the usual limits).
    """
    words = {}
    for name, share in zip(PARAMETER_NAMES, fit.contraction, strict=True):
        words[name] = "identified" if share >= known else "prior"
        if not fit.diagnostics.converged:
            words[name] = "unconverged"
    if not fit.agent.drift:
        words["log_process"] = "prior"
    if not fit.agent.change_points:  # exact invariance, tested
        words["hazard_logit"] = "prior"
        words["log_scale"] = words["log_process"] = "ratio only"
    return words


def loo_verdict(fit: Fit, reference: Fit) -> str:
    """How `fit` predicts reports against `reference`, two standard errors deciding.

    "worse", "better" or "inconclusive". Where a fit's chains disagree on parameters,
    each of them is asked by itself, and the answer is "unconverged" unless all agree.
    """
    answers = {
        _compare(own - other) for own in _views(fit) for other in _views(reference)
    }
    return answers.pop() if len(answers) == 1 else "unconverged"


def _views(fit: Fit) -> np.ndarray:
    """LOO by participant: of all draws, or of each chain if they disagree."""
    if fit.diagnostics.converged:
        return fit.loo_by_participant[None]
    return fit.loo_by_chain


def _compare(gap: Float[np.ndarray, " participants"]) -> str:
    error = gap.std(ddof=1) / np.sqrt(len(gap))
    if abs(gap.mean()) <= 2.0 * error:
        return "inconclusive"
    return "better" if gap.mean() > 0.0 else "worse"


def posterior_parameters(fit: Fit) -> ParticipantParameters:
    """The group means' posterior mean, as one participant."""
    return ParticipantParameters(*jnp.asarray(fit.group_mean.mean(axis=(0, 1))))


def participant_sds(fit: Fit) -> Float[np.ndarray, " parameters"]:
    """Posterior mean spread of each parameter over participants; 0 where shared."""
    spread = np.zeros(len(PARAMETER_NAMES))
    spread[list(VARYING)] = fit.group_spread.mean(axis=(0, 1))
    return spread

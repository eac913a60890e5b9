"""Ten people in the helicopter task, and the agents that are fitted to them by `fit_nuts`."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from pcmodel.behaviour.change_point.agent import Agent, Switches
from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.change_point.task import Trials
from pcmodel.behaviour.change_point.unroll import log_likelihood, simulate_participant
from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import (
    Hierarchy,
    build_hierarchy,
    series_log_likelihood,
)
from pcmodel.behaviour.models import HelicopterModel, Parameter
from pcmodel.behaviour.models.interface import Values
from pcmodel.behaviour.posterior.diagnostics import BRIEF, Diagnostics
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import (
    Comparison,
    scored_mask,
    series_values,
)
from pcmodel.behaviour.sampling.nuts import Nuts, Sampler, build_sampler, fit_nuts
from pcmodel.data.helicopter import load_helicopter
from pcmodel.inference.importance.psis import psis_loo
from pcmodel.runtime.threads import run_together

NUM_WORKERS = 2  # a fit is a sequence of small operations: it keeps one core busy

AGENTS = {
    "change point": Agent(),
    "Kalman": Agent(change_points=False),
    "belief-anchored": Agent(anchor="belief"),
    "k = b = 1": Agent(free_scale=False),
}
WITHOUT_DRIFT = {
    "q = 0": Agent(drift=False),
    "q = 0, k = b = 1": Agent(drift=False, free_scale=False),
}


class AgentTrials(NamedTuple):
    """One person's trials, and which agent meets them."""

    trials: Trials
    switches: Switches


@dataclass(frozen=True)
class AnyAgentModel(HelicopterModel):
    """The helicopter model with its agent among the data: agents share a compiled sampler.

    So that they have the same parameters too, those that an agent does not use are estimated: they
    keep their prior.
    """

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        *own, start = super().parameters
        return (*(replace(parameter, free=True) for parameter in own), start)

    def prepare(self, series: Series) -> AgentTrials:
        def every(flag: Array) -> Array:
            return jnp.broadcast_to(flag, len(series.participant))

        trials = super().prepare(series)
        return AgentTrials(trials, jax.tree.map(every, self.agent.switches()))

    def log_likelihood(
        self, values: Values, data: AgentTrials
    ) -> Float[Array, " trials"]:
        person, free = self.person(values), data.switches.free_scale
        person = person._replace(
            log_scale=jnp.where(free, person.log_scale, 0.0),
            noise_exponent=jnp.where(free, person.noise_exponent, 1.0),
        )
        return log_likelihood(person, data.trials, agent=data.switches)

    def responses(self, data: AgentTrials) -> Float[Array, "*shape"]:
        return super().responses(data.trials)


class AgentFit(NamedTuple):
    """The posterior of one agent, and how it predicts each person.

    posterior: as `fit_nuts` gives it.
    loo_by_participant: leave-one-out log predictive density, nats, (participants,).
    loo_by_chain: the same from the draws of each chain alone, (chains, participants).
    num_untrusted: reports whose importance ratios have a Pareto shape above 0.7.
    """

    posterior: Posterior
    loo_by_participant: Float[np.ndarray, " participants"]
    loo_by_chain: Float[np.ndarray, "chains participants"]
    num_untrusted: int

    def group_mean(self, name: str) -> Float[np.ndarray, "chains draws"]:
        """Draws of a parameter's mean over people."""
        return self.posterior.sites[name][..., 0]

    @property
    def diagnostics(self) -> Diagnostics:
        """Of the chains; a posterior may have none, one of `fit_nuts` has them."""
        found = self.posterior.diagnostics
        assert isinstance(found, Diagnostics)
        return found


def helicopter_series(*, num_participants: int = 10, num_trials: int = 200) -> Series:
    """The embedded data; fewer trials are taken evenly from both blocks."""
    data, half = load_helicopter(), num_trials // 2
    columns = np.concatenate([np.arange(half), 100 + np.arange(half)])
    names = (
        "outcome",
        "report",
        "noise_sd",
        "helicopter",
        "helicopter_seen",
        "block_start",
    )
    values = {
        name: np.asarray(getattr(data, name), float)[:num_participants][:, columns]
        for name in names
    }
    return Series(
        values,
        np.ones(values["outcome"].shape, bool),
        np.arange(len(values["outcome"])),
        covariates={},
        num_missing={},
    )


def simulated_series(
    key: Key[Array, ""], people: ParticipantParameters, series: Series, agent: Agent
) -> Series:
    """The same series with the reports of simulated people, (participants,) each field."""
    each = jax.jit(jax.vmap(partial(simulate_participant, agent=agent)))
    keys = jax.random.split(key, len(series.participant))
    drawn, _ = each(keys, people, HelicopterModel(agent).prepare(series))
    return series._replace(values=series.values | {"report": np.asarray(drawn.report)})


def typical_person(fit: AgentFit) -> ParticipantParameters:
    """The posterior mean of the group's means, as one participant."""
    return HelicopterModel().person(
        {
            name: jnp.asarray(fit.group_mean(name).mean())
            for name in parameter_names(fit)
        }
    )


def spreads_of_people(fit: AgentFit) -> ParticipantParameters:
    """The posterior mean SD over people of each parameter; 0 where all share it."""
    sites = fit.posterior.sites
    named = {
        name: jnp.asarray(sites[f"{name}_sd"].mean() if f"{name}_sd" in sites else 0.0)
        for name in parameter_names(fit)
    }
    # A difference from a constant has the SD of what it is taken from.
    process, scale = (named.pop(f"{n}_log_precision") for n in ("prior", "sensory"))
    return ParticipantParameters(log_process=process, log_scale=scale, **named)


def parameter_names(fit: AgentFit) -> tuple[str, ...]:
    """Of what is estimated, in the order of the tables."""
    return tuple(term.parameter.name for term in fit.posterior.hierarchy.terms)


def agent_hierarchy(agent: Agent, series: Series) -> Hierarchy:
    """What is fitted of an agent.

    The Kalman agent has both precisions free, though the reports tell their ratio only, and people
    differ in one of them: their two spreads would be known in one combination too, which bends the
    posterior so much that chains do not get round it.
    """
    if agent.change_points:
        return build_hierarchy(AnyAgentModel(agent), series)
    formula = "sensory_log_precision ~ 1 + (0 | participant)"
    return build_hierarchy(HelicopterModel(agent), series, formulas=[formula])


class _Program(NamedTuple):
    """Compiled once for all fits whose model has the same parameters."""

    sampler: Sampler
    likelihood: Callable  # (values by name, data) -> (draws, series, trials)

    @classmethod
    def build(cls, hierarchy: Hierarchy, options: Nuts) -> "_Program":
        """For hierarchies like this one."""
        likelihood = jax.jit(partial(_log_likelihoods, hierarchy))
        return cls(build_sampler(hierarchy, options), likelihood)


def fit_agents(
    key: Key[Array, ""],
    hierarchies: Sequence[Hierarchy],
    options: Nuts,
    *,
    advance: Callable[[], None] = lambda: None,
    meanwhile: Callable[[AgentFit, Callable[[], None]], Any],
) -> tuple[list[AgentFit], Any]:
    """Fit each to its data (all of one shape), `NUM_WORKERS` at a time.

    `meanwhile(first fit, advance)` is run beside the later fits; what it returns comes second. The
    numbers depend on neither the order nor the number of workers.
    """
    options = replace(options, limits=BRIEF)
    programs: dict[type, _Program] = {}
    for hierarchy in hierarchies:
        kind = type(hierarchy.model)
        programs.setdefault(kind, _Program.build(hierarchy, options))

    def fit(key: Array, hierarchy: Hierarchy, step: Callable[[], None]) -> AgentFit:
        sampler, likelihood = programs[type(hierarchy.model)]
        posterior = fit_nuts(key, hierarchy, options, advance=step, sampler=sampler)
        return _predict(posterior, likelihood)

    keys = jax.random.split(key, len(hierarchies))
    tasks = [partial(fit, *each) for each in zip(keys, hierarchies, strict=True)]
    return _with_first(tasks, meanwhile, advance)


def _log_likelihoods(
    hierarchy: Hierarchy, values: dict[str, Array], data: AgentTrials
) -> Float[Array, "draws series trials"]:
    def one(own: dict[str, Array]) -> Array:
        return series_log_likelihood(hierarchy, own, data)

    return jax.lax.map(one, values, batch_size=64)


def _predict(posterior: Posterior, likelihood: Callable) -> AgentFit:
    """Leave-one-out by person, of all draws and of each chain."""
    hierarchy, sites = posterior.hierarchy, posterior.sites
    num_chains = len(next(iter(sites.values())))
    flat = {name: v.reshape(-1, *v.shape[2:]) for name, v in sites.items()}
    mask = scored_mask(hierarchy)
    drawn = np.asarray(likelihood(series_values(hierarchy, flat), hierarchy.data))

    def by_participant(pointwise: np.ndarray) -> np.ndarray:
        table = np.zeros(mask.shape)
        table[mask] = pointwise
        return table.sum(axis=1)

    every = psis_loo(drawn[:, mask])
    chains = np.split(drawn[:, mask], num_chains)
    return AgentFit(
        posterior,
        by_participant(every.pointwise),
        np.stack([by_participant(psis_loo(chain).pointwise) for chain in chains]),
        every.num_untrusted,
    )


def _with_first(
    tasks: list[Callable], meanwhile: Callable, advance: Callable[[], None]
) -> tuple[list[AgentFit], Any]:
    """Run all tasks, and `meanwhile` as soon as the first is done and a worker free."""
    first: Future[AgentFit] = Future()

    def lead(step: Callable[[], None]) -> AgentFit:
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


def predicts(fit: AgentFit, reference: AgentFit) -> str:
    """How `fit` predicts reports against `reference`, two standard errors deciding.

    "worse", "better" or "inconclusive". Where a fit's chains disagree on parameters,
    each of them is asked by itself, and the answer is "unconverged" unless all agree.
    """
    answers = {
        _compare(own - other) for own in _views(fit) for other in _views(reference)
    }
    return answers.pop() if len(answers) == 1 else "unconverged"


def _views(fit: AgentFit) -> np.ndarray:
    """LOO by participant: of all draws, or of each chain if they disagree."""
    return (
        fit.loo_by_participant[None] if fit.diagnostics.converged else fit.loo_by_chain
    )


def _compare(gap: Float[np.ndarray, " participants"]) -> str:
    error = np.sqrt(len(gap)) * gap.std(ddof=1)
    return Comparison(float(gap.sum()), float(error)).verdict

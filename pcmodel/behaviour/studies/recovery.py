"""Are a model's parameters, and the model itself, recovered from data that it simulated?

`run_recovery` is the computation of `pcmodel recover`. In each replication people are drawn from
the prior of one model, simulated, and fitted with every model, each person on their own
(`pcmodel.behaviour.sampling.map_estimates`). The model with the highest evidence, summed over a study's
people, wins the study.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from pcmodel.behaviour.dataset import kind_of
from pcmodel.behaviour.hierarchy.priors.prior_model import with_priors
from pcmodel.behaviour.hierarchy.priors.written import (
    has_target,
    parse_priors,
    split_target,
)
from pcmodel.behaviour.models import ParticipantModel, find_model
from pcmodel.behaviour.sampling.map_estimates import (
    QUICK,
    fit_modes,
    free_parameters,
    person_scale,
    place_values,
)
from pcmodel.behaviour.studies.possible import (
    IMPOSSIBLE,
    Pool,
    check_possible,
    first_possible,
)
from pcmodel.behaviour.studies.simulate import facts_of, made_up_series, with_wins
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import Count, Range
from pcmodel.runtime.progress import Progress

COVERED = 1.96  # SDs: 95 % of a normal


@checked_options()
@dataclass(frozen=True)
class RecoverPlan:
    """A recovery study: which models, in which study; every field is recorded with the run."""

    task: str
    models: tuple[str, ...]
    participants: Annotated[int, Range(2)] = 10
    trials: Annotated[int, Range(4)] = 100
    replications: Count = 20  # studies simulated from each model
    options: Annotated[int, Range(2)] = 2  # of a bandit
    scale: tuple[float, float] = (0.0, 10.0)  # of a rating
    own_sha256: tuple[str, ...] = ()  # of the user's own task and models
    priors: tuple[
        str, ...
    ] = ()  # "omega2 ~ Normal(-3, 4)", of every model that has the parameter

    def __post_init__(self) -> None:
        if len(set(self.models)) < len(self.models):
            raise UserError("a model is named twice", where="models")


class RecoveryReplication(NamedTuple):
    """One study simulated from one model, with the fit of that model.

    truth: true parameters.
    value: estimates.
    sd: Laplace standard errors of the estimates.
    settled: whether each model's fit converged.
    log_evidence: of every model, nats.
    """

    truth: Float[np.ndarray, "people parameters"]
    value: Float[np.ndarray, "people parameters"]
    sd: Float[np.ndarray, "people parameters"]
    settled: Bool[np.ndarray, "people models"]
    log_evidence: Float[np.ndarray, "people models"]


class Parameters(NamedTuple):
    """Recovery of one model's parameters, over all people and studies.

    model: its name.
    names: of the parameters.
    truth: true parameters.
    value: estimates.
    settled: whether the person's fit converged.
    correlation: of truths and estimates.
    bias: mean of estimate minus truth.
    coverage: of 95 % intervals.
    contraction: 1 - posterior / prior variance.
    """

    model: str
    names: tuple[str, ...]
    truth: Float[np.ndarray, "people parameters"]
    value: Float[np.ndarray, "people parameters"]
    settled: Bool[np.ndarray, " people"]
    correlation: Float[np.ndarray, " parameters"]
    bias: Float[np.ndarray, " parameters"]
    coverage: Float[np.ndarray, " parameters"]
    contraction: Float[np.ndarray, " parameters"]


class Recovery(NamedTuple):
    """Parameters of every model, and which model won which data.

    models: their names.
    parameters: recovery of each model's parameters.
    won: number of studies simulated from one model (rows) and won by another (columns).
    people: share of people, likewise.
    """

    models: tuple[str, ...]
    parameters: tuple[Parameters, ...]
    won: Int[np.ndarray, "truths fitted"]
    people: Float[np.ndarray, "truths fitted"]


def plan_models(plan: RecoverPlan) -> tuple[ParticipantModel, ...]:
    """The models of a plan with its priors; UserError for names that do not exist."""
    found = [find_model(plan.task, name, facts_of(plan)) for name in plan.models]
    priors = parse_priors(plan.priors)
    every = [p for model in found for p in model.parameters]
    for prior in priors:
        split_target(prior.target, every)
    own = [[p for p in priors if has_target(p, model.parameters)] for model in found]
    return tuple(with_priors(*pair) for pair in zip(found, own, strict=True))


def run_recovery(
    plan: RecoverPlan,
    *,
    seed: int,
    progress: Any = None,
    stored: MutableMapping[int, RecoveryReplication] | None = None,
) -> Recovery:
    """Simulate and fit every study; those found in `stored`, by number, are used."""
    store: MutableMapping[int, RecoveryReplication] = {} if stored is None else stored
    models, size = plan_models(plan), plan.replications
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        series = made_up_series(
            plan,
            num_participants=-(-plan.participants // 2),
            num_trials=plan.trials,
            seed=seed,
        )
        data = models[0].prepare(series)
        data = with_wins(data, seed) if kind_of(plan.task) == "bandit" else data
        data = jax.tree.map(lambda leaf: leaf[: plan.participants], data)
        total = len(models) * size
        with (progress or Progress(silent=True)).stage(
            "simulate and fit", total
        ) as stage:
            for number in range(total):
                if number not in store:
                    key = jax.random.fold_in(jax.random.key(seed), number)
                    store[number] = _study(key, models, number // size, data)
                stage.advance()
    rows = [[store[i * size + j] for j in range(size)] for i in range(len(models))]
    return summarise_studies(plan.models, models, rows)


def _study(
    key: Key[Array, ""], models: tuple[ParticipantModel, ...], own: int, data: Any
) -> RecoveryReplication:
    pool = _draw(models[own], key, data)
    check_possible(pool, expected="an enhanced filter (ehgf3)")
    fits = [fit_modes(model, pool.data) for model in models]
    free = free_parameters(models[own])
    mean = np.asarray([p.mean for p in free])
    return RecoveryReplication(
        mean + person_scale(free) * np.asarray(pool.place),
        fits[own].value,
        fits[own].sd,
        np.stack([fit.settled for fit in fits], axis=1),
        np.stack([fit.log_evidence for fit in fits], axis=1),
    )


@partial(jax.jit, static_argnums=0, compiler_options=QUICK)
def _draw(model: ParticipantModel, key: Key[Array, ""], data: Any) -> Pool:
    """People from the prior whom the model itself does not exclude, with their responses."""
    free = len(free_parameters(model))

    def attempt(key: Array, own: Any) -> Pool:
        place_key, draw_key = jax.random.split(key)
        place = jax.random.normal(place_key, (free,))
        values = place_values(model, place)
        drawn = model.simulate(draw_key, values, own)
        possible = jnp.all(model.log_likelihood(values, drawn) > IMPOSSIBLE)
        return Pool(place, drawn, possible)

    return first_possible(attempt, key, data)


def summarise_studies(
    names: tuple[str, ...],
    models: tuple[ParticipantModel, ...],
    rows: list[list[RecoveryReplication]],
) -> Recovery:
    """Recovery of parameters, and wins, from the studies of each model."""
    found, won, people = [], [], []
    for own, (name, model) in enumerate(zip(names, models, strict=True)):
        studies = rows[own]
        found.append(_parameters(name, model, studies, own))
        totals = np.stack([usable_evidence(s).sum(axis=0) for s in studies])
        won.append(np.bincount(totals.argmax(axis=1), minlength=len(names)))
        single = np.concatenate([usable_evidence(s) for s in studies]).argmax(axis=1)
        people.append(np.bincount(single, minlength=len(names)) / len(single))
    return Recovery(names, tuple(found), np.stack(won), np.stack(people))


def usable_evidence(study: RecoveryReplication) -> Float[np.ndarray, "people models"]:
    """Evidence of the people for whom every model's fit converged; of all where there are none."""
    use = study.settled.all(axis=1)
    values = np.nan_to_num(study.log_evidence, nan=-np.inf, neginf=-1e12)
    return values[use] if use.any() else np.maximum(values, -1e12)


def _parameters(
    name: str, model: ParticipantModel, studies: list[RecoveryReplication], own: int
) -> Parameters:
    free = free_parameters(model)
    truth, value, sd = (
        np.concatenate([getattr(s, part) for s in studies])
        for part in ("truth", "value", "sd")
    )
    settled = np.concatenate([s.settled[:, own] for s in studies])
    error = (value - truth)[settled]
    inside = np.abs(error) <= COVERED * sd[settled]
    pairs = zip(truth[settled].T, value[settled].T, strict=True)
    return Parameters(
        name,
        tuple(p.name for p in free),
        truth,
        value,
        settled,
        np.asarray([np.corrcoef(a, b)[0, 1] for a, b in pairs]),
        error.mean(axis=0),
        inside.mean(axis=0),
        1.0 - (sd[settled] ** 2).mean(axis=0) / person_scale(free) ** 2,
    )

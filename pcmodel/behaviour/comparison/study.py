"""Several models fitted to the same trials and compared: `run_comparison` is the computation of `pcmodel compare`."""

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pcmodel.behaviour.comparison.frequencies import (
    FrequencyPosterior,
    sample_frequencies,
)
from pcmodel.behaviour.comparison.left_out_people import leave_people_out
from pcmodel.behaviour.comparison.out_of_time import early_trials, predict_later
from pcmodel.behaviour.comparison.people import PersonChoice, choose_for_people
from pcmodel.behaviour.comparison.random_effects import ModelSelection, select_models
from pcmodel.behaviour.comparison.weights import pseudo_bma, stack_models
from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import leave_one_out, scored_mask
from pcmodel.behaviour.sampling.chains import DrawBatch
from pcmodel.behaviour.sampling.nuts import fit_nuts, num_advances
from pcmodel.behaviour.sampling.variational import Variational, fit_svi
from pcmodel.behaviour.studies.fit import Plan, plan_hierarchy, read_data
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.hashes import hash_parts
from pcmodel.inputs.ranges import Range

OpenStore = Callable[[int, str], MutableMapping[int, DrawBatch]]


@checked_options()
@dataclass(frozen=True)
class ComparePlan:
    """A comparison: one fit a model; every field is recorded with the run."""

    labels: tuple[str, ...]
    fits: tuple[Plan, ...]
    seeds: tuple[int, ...]
    share: Annotated[float, Range(0.0, 1.0)] = 0.5  # of trials that come first; 0: none

    def __post_init__(self) -> None:
        if len(self.labels) < 2 or len(set(self.labels)) < len(self.labels):
            raise UserError(
                f"are {', '.join(self.labels) or 'none'}",
                where="models",
                expected="two models or more, each once",
            )
        tasks = {plan.task for plan in self.fits}
        if len(tasks) > 1:
            raise UserError(
                f"are of the tasks {', '.join(sorted(tasks))}",
                where="models",
                expected="models of one task",
            )


class ComparedModels(NamedTuple):
    """Models compared by what each says of responses that it has not seen.

    models: labels of the models.
    people: names of the people.
    num_responses: scored responses of each person.
    participant: of each scored response, from 0.
    series: of each scored response, from 0.
    trial: of each scored response, from 0.
    pointwise: leave-one-out log density of each scored response under each model, nats.
    num_untrusted: responses whose leave-one-out density is unreliable, by model.
    left_out: log density of all responses of each person who is left out, nats.
    trusted: whether each of these is reliable.
    later: log density of each person's later responses, parameters from the earlier ones, nats; empty where none was asked for.
    num_later: later responses.
    selection: random-effects model selection from `left_out`, as published.
    frequencies: the same without its approximation.
    stacking: weights of the mixture that predicts left-out people best.
    pseudo_bma: pseudo-BMA+ weights from left-out people.
    choices: the line of each person, by leave-one-out.
    complaints: of each model's fit, reasons not to trust its draws.
    trials_sha256: of the trials that all models were fitted to.
    """

    models: tuple[str, ...]
    people: tuple[str, ...]
    num_responses: Int[np.ndarray, " people"]
    participant: Int[np.ndarray, " responses"]
    series: Int[np.ndarray, " responses"]
    trial: Int[np.ndarray, " responses"]
    pointwise: Float[np.ndarray, "responses models"]
    num_untrusted: Int[np.ndarray, " models"]
    left_out: Float[np.ndarray, "people models"]
    trusted: Bool[np.ndarray, "people models"]
    later: Float[np.ndarray, "people models"]
    num_later: int
    selection: ModelSelection
    frequencies: FrequencyPosterior
    stacking: Float[np.ndarray, " models"]
    pseudo_bma: Float[np.ndarray, " models"]
    choices: tuple[PersonChoice, ...]
    complaints: tuple[str, ...]
    trials_sha256: str


class _Fitted(NamedTuple):
    """What is kept of one model's fits."""

    pointwise: np.ndarray
    num_untrusted: int
    left_out: np.ndarray
    trusted: np.ndarray
    later: np.ndarray | None
    num_later: int
    complaints: str


def hash_trials(series: Series) -> str:
    """A hash of the trials, of whose they are and of what is scored; formulas do not matter to it."""

    def parts() -> Iterator[bytes]:
        for name in sorted(series.values):
            yield name.encode() + b"\0"
            yield np.ascontiguousarray(series.values[name]).tobytes()
        yield np.ascontiguousarray(series.present).tobytes()
        yield np.ascontiguousarray(series.participant).tobytes()

    return hash_parts(parts())


def fit_key(plan: Plan, seed: int) -> Array:
    """The key of the first model of `run_workflow`, so that its stored chains are those of a comparison."""
    return jax.random.split(jax.random.key(seed), 4 + len(plan.compare_with))[2]


def run_comparison(
    plan: ComparePlan,
    *,
    progress: Any,
    open_store: OpenStore = lambda number, name: {},
) -> ComparedModels:
    """Fit every model, and compare them.

    open_store: the store of NUTS chunks of a model, by its number and the name of the fit.
    UserError for models that are fitted to different trials.
    """
    hierarchies, trials_sha256 = _hierarchies(plan)
    numbers = range(len(plan.fits))
    fits = _fit_all(plan, numbers, hierarchies, progress, open_store)
    mask = scored_mask(hierarchies[0])
    return _compared(plan, hierarchies[0], mask, fits, trials_sha256)


def fit_models(
    plan: ComparePlan, numbers: Sequence[int], *, progress: Any, open_store: OpenStore
) -> None:
    """Fit some of the models into their stores, from which a comparison then takes the chains; by NUTS only."""
    hierarchies, _ = _hierarchies(plan)
    _fit_all(plan, numbers, hierarchies, progress, open_store)


def _hierarchies(plan: ComparePlan) -> tuple[list[Hierarchy], str]:
    """The statistical models, and the hash of the trials; UserError for models of different trials."""
    every = [read_data(own) for own in plan.fits]
    hashes = [hash_trials(series) for series in every]
    for label, found in zip(plan.labels, hashes, strict=True):
        if found != hashes[0]:
            raise UserError(
                f"was fitted to other trials than {plan.labels[0]}",
                where=label,
                expected="fits to the same trials",
            )
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        hierarchies = [
            plan_hierarchy(own, series)
            for own, series in zip(plan.fits, every, strict=True)
        ]
        masks = [scored_mask(hierarchy) for hierarchy in hierarchies]
    if not all(np.array_equal(mask, masks[0]) for mask in masks):
        raise UserError("the models score different responses", where="models")
    return hierarchies, hashes[0]


def _fit_all(
    plan: ComparePlan,
    numbers: Sequence[int],
    hierarchies: list[Hierarchy],
    progress: Any,
    open_store: OpenStore,
) -> list[_Fitted]:
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return [
            _fit_both(plan, i, hierarchies[i], progress, open_store) for i in numbers
        ]


def _fit_both(
    plan: ComparePlan,
    number: int,
    hierarchy: Hierarchy,
    progress: Any,
    open_store: OpenStore,
) -> _Fitted:
    """The fit of one model to all trials, and that to the earlier ones."""
    own, label = plan.fits[number], plan.labels[number]
    key = fit_key(own, plan.seeds[number])
    stored = open_store(number, own.model)
    posterior = _sample(own, key, hierarchy, progress, stored, label)
    with progress.stage(f"left-out responses and people of {label}"):
        loo = leave_one_out(posterior)
        people = leave_people_out(posterior)
    later, count, complaints = None, 0, posterior.complaints
    if plan.share > 0.0:
        early = early_trials(hierarchy, share=plan.share)
        key = jax.random.fold_in(key, 1)
        stored = open_store(number, f"{own.model}-early")
        first = _sample(own, key, early, progress, stored, f"{label}, earlier trials")
        found = predict_later(first)
        later = _by_person(np.nansum(found.pointwise, axis=1), hierarchy)
        count = found.num_later
        complaints += tuple(f"earlier trials: {c}" for c in first.complaints)
    return _Fitted(
        loo.pointwise,
        loo.num_untrusted,
        people.log_density,
        people.trusted,
        later,
        count,
        "; ".join(complaints),
    )


def _sample(
    plan: Plan,
    key: Array,
    hierarchy: Hierarchy,
    progress: Any,
    stored: MutableMapping[int, DrawBatch],
    label: str,
) -> Posterior:
    if plan.method == "svi":
        with progress.stage(f"fit {label} (SVI)"):
            return fit_svi(
                key, hierarchy, Variational(num_steps=plan.num_steps)
            ).posterior
    with progress.stage(f"fit {label} (NUTS)", num_advances(plan.nuts)) as stage:
        return fit_nuts(key, hierarchy, plan.nuts, advance=stage.advance, stored=stored)


def _by_person(each: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """Sums over the series of each person."""
    return np.bincount(
        hierarchy.participant, each, minlength=hierarchy.num_participants
    )


def _compared(
    plan: ComparePlan,
    hierarchy: Hierarchy,
    mask: np.ndarray,
    fits: list[_Fitted],
    trials_sha256: str,
) -> ComparedModels:
    series, trial = np.nonzero(mask)
    pointwise = np.stack([fit.pointwise for fit in fits], axis=1)
    left_out = np.stack([fit.left_out for fit in fits], axis=1)
    own = hierarchy.participant[series]
    responses = [pointwise[own == i] for i in range(hierarchy.num_participants)]
    later = [fit.later for fit in fits if fit.later is not None]
    return ComparedModels(
        models=plan.labels,
        people=hierarchy.origin.people,
        num_responses=_by_person(mask.sum(axis=1), hierarchy).astype(int),
        participant=own,
        series=series,
        trial=trial,
        pointwise=pointwise,
        num_untrusted=np.asarray([fit.num_untrusted for fit in fits]),
        left_out=left_out,
        trusted=np.stack([fit.trusted for fit in fits], axis=1),
        later=np.stack(later, axis=1) if later else np.zeros((0, len(fits))),
        num_later=fits[0].num_later,
        selection=select_models(left_out),
        frequencies=sample_frequencies(left_out),
        stacking=stack_models(left_out).weights,
        pseudo_bma=pseudo_bma(left_out),
        choices=choose_for_people(
            np.stack([part.sum(axis=0) for part in responses]),
            plan.labels,
            people=hierarchy.origin.people,
            pointwise=responses,
        ),
        complaints=tuple(fit.complaints for fit in fits),
        trials_sha256=trials_sha256,
    )

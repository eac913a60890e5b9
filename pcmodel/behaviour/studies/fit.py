"""From a data set to a report: check, simulate, fit, check again, compare.

`run_workflow` is the computation of `pcmodel fit`. Nothing here draws or writes.
"""

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from pcmodel.behaviour.dataset import (
    Reading,
    Series,
    check_file,
    files_read,
    find_task,
    kind_of,
    load_series,
    understood,
    with_judgements,
)
from pcmodel.behaviour.dataset.reading import pairs_of
from pcmodel.behaviour.hierarchy.formula import parse_formula, variables_of
from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy, build_hierarchy
from pcmodel.behaviour.hierarchy.priors.written import has_target, parse_priors
from pcmodel.behaviour.models.catalogue import check_names, find_model, setting_of
from pcmodel.behaviour.models.interface import Course, ParticipantModel
from pcmodel.behaviour.models.judged import judged, shown_outcomes
from pcmodel.behaviour.outputs.told import Told, tell
from pcmodel.behaviour.pictures.of_a_fit import Pictures, picture_fit
from pcmodel.behaviour.posterior.caveats import ROUGH, notes_of, takes, varies_in_words
from pcmodel.behaviour.posterior.diagnostics import Diagnostics, Settling
from pcmodel.behaviour.posterior.fitted_posterior import Effect, Posterior, summarise
from pcmodel.behaviour.posterior.identifiability import Verdict, verdicts
from pcmodel.behaviour.posterior.predictive import (
    Check,
    draw_prior,
    leave_one_out,
    mean_course,
    predictive_checks,
    replicate,
    thin,
)
from pcmodel.behaviour.responses import Scale, read_scale
from pcmodel.behaviour.sampling.chains import DrawBatch, num_chunks
from pcmodel.behaviour.sampling.nuts import Nuts, fit_nuts, num_advances
from pcmodel.behaviour.sampling.variational import Variational, fit_svi
from pcmodel.behaviour.studies.bare_names import check_bare_names
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.hashes import hash_parts
from pcmodel.inputs.ranges import Count, InnerShare
from pcmodel.runtime.memory import check_fits
from pcmodel.runtime.progress import Progress

SHOWN = 3  # series whose beliefs are drawn
REPLICATIONS = 200


@checked_options()
@dataclass(frozen=True)
class Plan:
    """A fit: which data, which model, which method; every field is recorded with the run."""

    data: str
    task: str
    model: str
    formulas: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()  # "report=b_t"
    series_by: tuple[str, ...] = ()
    scale: tuple[float, ...] = ()  # low, high and, if not 1, step
    after_outcome: bool = False
    judgements: tuple[str, ...] = ()  # confidence, reaction_time
    bids_task: str | None = None
    bids_suffix: str | None = None
    where: str = ""  # rows to use
    missing: tuple[str, ...] = ()  # cells that stand for missing values
    units: tuple[str, ...] = ()  # "reaction_time=ms"
    codes: tuple[str, ...] = ()  # "response=left,right"
    pooled: bool = False
    method: Literal["nuts", "svi"] = "nuts"
    num_warmup: Count = 400
    num_samples: Count = 500
    num_chains: Count = 4
    target_accept: InnerShare = 0.9
    max_tree_depth: Count = 8
    num_steps: Count = 3000  # of SVI
    compare_with: tuple[str, ...] = ()
    priors: tuple[str, ...] = ()  # "omega2 ~ Normal(-3, 4)"
    sensitivity: Literal["reweight", "refit"] = "reweight"  # where draws do not tell
    data_sha256: str = ""  # set by the program: other data are another run
    own_sha256: tuple[str, ...] = ()  # likewise, of the user's own task and models

    @property
    def nuts(self) -> Nuts:
        """The sampler's options."""
        return Nuts(
            num_warmup=self.num_warmup,
            num_samples=self.num_samples,
            num_chains=self.num_chains,
            target_accept=self.target_accept,
            max_tree_depth=self.max_tree_depth,
        )


class Compared(NamedTuple):
    """A model's leave-one-out accuracy compared with the first model's."""

    model: str
    total: float  # nats
    difference: float  # from the first model; positive: better
    standard_error: float
    num_untrusted: int  # cases with Pareto k above its limit
    complaints: tuple[str, ...]


class WorkflowResults(NamedTuple):
    """The content of the report."""

    num_participants: int
    num_series: int
    num_scored: int  # responses
    num_missing: dict[str, int]  # missing cells by name
    effects: tuple[Effect, ...]  # the report may refuse them
    verdicts: tuple[Verdict, ...]
    diagnostics: Diagnostics | Settling | None
    complaints: tuple[str, ...]
    prior_checks: tuple[Check, ...]
    posterior_checks: tuple[Check, ...]
    compared: tuple[Compared, ...]
    responses: np.ndarray  # (shown, trials)
    outcomes: np.ndarray
    courses: tuple[Course, ...]  # at the posterior mean, of the shown series
    varies: str  # the parameters that differ between people
    notes: tuple[str, ...]  # limitations of this fit
    posterior: dict[str, np.ndarray]  # (chains, draws, ...)
    sample_stats: dict[str, np.ndarray]
    understood: tuple[tuple[str, str], ...] = ()  # how the data were read
    told: Told | None = None  # effects in natural units, priors, sensitivity to them
    pictures: Pictures | None = None  # None: saved by an older version


def run_workflow(
    plan: Plan,
    *,
    seed: int,
    progress: Any = None,
    keep: Callable[[Posterior], None] = lambda posterior: None,
    open_store: Callable[[str], MutableMapping[int, DrawBatch]] = lambda model: {},
) -> WorkflowResults:
    """Run a plan in double precision; the caller's precision is restored.

    keep: called with the posterior of the plan's own model.
    open_store: the store of a model's NUTS chunks, by its name; an interrupted run continues from them.
    """
    check_names(
        plan.task,
        (plan.model, *plan.compare_with),
        judgements=plan.judgements,
        formulas=plan.formulas,
        priors=plan.priors,
    )
    series = read_data(plan)
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return _run(
            plan, series, seed, progress or Progress(silent=True), keep, open_store
        )


def read_data(plan: Plan) -> Series:
    """The data of a plan; UserError with every error in them."""
    try:
        return _read(plan)
    except UserError:
        check_bare_names(
            plan.formulas,
            Path(plan.data),
            bids_task=plan.bids_task,
            reading=reading_of(plan),
        )
        raise


def _read(plan: Plan) -> Series:
    formulas = [parse_formula(text) for text in plan.formulas]
    covariates = [name for f in formulas for name in variables_of(f)]
    scale = _scale(plan)
    if plan.after_outcome and kind_of(plan.task) != "rating":
        raise UserError(
            f"is said of ratings, and the {plan.task} task has none",
            where="after_outcome",
            expected="it to be left out",
        )
    return load_series(
        Path(plan.data),
        with_judgements(find_task(plan.task), plan.judgements),
        columns=pairs_of(plan.columns, where="columns"),
        covariates=tuple(dict.fromkeys(covariates)),
        series_by=plan.series_by,
        scale=None if scale is None else (scale.low, scale.high, scale.step),
        bids_task=plan.bids_task,
        reading=reading_of(plan),
    )


def reading_of(plan: Plan) -> Reading:
    """How the plan's table is to be read; UserError for invalid options."""
    codes = pairs_of(plan.codes, where="codes")
    return Reading(
        where=plan.where,
        missing=plan.missing,
        units=pairs_of(plan.units, where="units"),
        codes={
            name: tuple(word.strip() for word in words.split(","))
            for name, words in codes.items()
        },
        bids_suffix=plan.bids_suffix,
    )


def digest(
    path: Path,
    *,
    bids_task: str | None = None,
    bids_suffix: str | None = None,
    where: str = "",
) -> str:
    """A hash of the files that are read, and of a BIDS folder also of their names."""
    files = files_read(path, task_label=bids_task, suffix=bids_suffix, where=where)

    def parts() -> Iterator[bytes]:
        for file in files:
            if file != path:
                yield file.relative_to(path).as_posix().encode() + b"\0"
            check_file(file)
            yield file.read_bytes()

    return hash_parts(parts())


def plan_model(plan: Plan, series: Series, name: str) -> ParticipantModel:
    """A model of the plan's task by its name, with the judgements as further responses."""
    setting = setting_of(series, scale=_scale(plan), after_outcome=plan.after_outcome)
    return judged(find_model(plan.task, name, setting), plan.judgements)


def plan_hierarchy(plan: Plan, series: Series, model: str | None = None) -> Hierarchy:
    """The statistical model of a plan; formulas and priors a rival model cannot take are left out."""
    found = plan_model(plan, series, model or plan.model)
    formulas, priors = plan.formulas, parse_priors(plan.priors)
    if model is not None:
        formulas = tuple(text for text in formulas if takes(found, text))
        priors = tuple(own for own in priors if has_target(own, found.parameters))
    texts = tuple(own.text for own in priors)
    return build_hierarchy(
        found, series, formulas=formulas, pooled=plan.pooled, priors=texts
    )


def _run(
    plan: Plan,
    series: Series,
    seed: int,
    progress: Any,
    keep: Callable[[Posterior], None],
    open_store: Callable[[str], MutableMapping[int, DrawBatch]],
) -> WorkflowResults:
    hierarchy = plan_hierarchy(plan, series)
    _check_draws(plan, hierarchy)
    if len({plan.model, *plan.compare_with}) < 1 + len(plan.compare_with):
        raise UserError(
            "names a model twice, or the one that is fitted",
            where="compare",
            expected="other models, each once",
        )
    rivals = [plan_hierarchy(plan, series, name) for name in plan.compare_with]
    keys = jax.random.split(jax.random.key(seed), 4 + len(rivals))
    with progress.stage("prior predictive check"):
        before = draw_prior(keys[0], hierarchy, REPLICATIONS)
        prior_checks = predictive_checks(
            hierarchy, replicate(keys[1], hierarchy, before)
        )
    fit = partial(_fit, plan, progress, open_store)
    posterior = fit(keys[2], hierarchy, plan.model)
    keep(posterior)
    with progress.stage("posterior predictive check and leave-one-out"):
        after = replicate(keys[3], hierarchy, thin(posterior, REPLICATIONS))
        posterior_checks = predictive_checks(hierarchy, after)
        loo = leave_one_out(posterior)
    anew = partial(_fit, plan, progress, lambda name: {}, keys[2], name="again")
    told = tell(posterior, refit=anew if plan.sensitivity == "refit" else None)
    fits = [
        fit(key, rival, name)
        for key, rival, name in zip(keys[4:], rivals, plan.compare_with, strict=True)
    ]
    names = (plan.model, *plan.compare_with)
    compared = _compare(names, [posterior, *fits], loo)
    effects = summarise(posterior, accept_unconverged=True)
    standard = {*hierarchy.group_sites(), *hierarchy.people_sites()}
    shown = np.arange(min(SHOWN, hierarchy.num_series))
    observed = np.asarray(hierarchy.model.responses(hierarchy.data))
    return WorkflowResults(
        num_participants=series.num_participants,
        num_series=hierarchy.num_series,
        num_scored=int(np.isfinite(observed).sum()),
        num_missing=series.num_missing,
        effects=effects,
        verdicts=verdicts(posterior, effects),
        diagnostics=posterior.diagnostics,
        complaints=posterior.complaints,
        prior_checks=prior_checks,
        posterior_checks=posterior_checks,
        compared=compared,
        responses=observed[shown],
        outcomes=shown_outcomes(hierarchy.model, hierarchy.data, series)[shown],
        courses=tuple(mean_course(posterior, int(s)) for s in shown),
        varies=varies_in_words(hierarchy),
        notes=notes_of(
            plan.formulas,
            hierarchy,
            dict(zip(plan.compare_with, rivals, strict=True)),
            is_bandit=kind_of(plan.task) in ROUGH,
        ),
        posterior={k: v for k, v in posterior.sites.items() if k not in standard},
        sample_stats=posterior.sample_stats,
        understood=understood(
            series, with_judgements(find_task(plan.task), plan.judgements)
        ),
        told=told,
        pictures=picture_fit(posterior, series, plan.formulas, after),
    )


def _check_draws(plan: Plan, hierarchy: Hierarchy) -> None:
    """Refuse draws that would not fit in memory, before the sampling."""
    each = 2 * hierarchy.num_series * len(hierarchy.terms)
    draws = 1 if plan.method == "svi" else plan.num_chains * plan.num_samples
    check_fits(draws, each, what="--samples in so many --chains", size=8)


def _fit(
    plan: Plan,
    progress: Any,
    open_store: Callable[[str], MutableMapping[int, DrawBatch]],
    key: Array,
    hierarchy: Hierarchy,
    name: str,
) -> Posterior:
    if plan.method == "svi":
        options = Variational(num_steps=plan.num_steps)
        with progress.stage(f"fit {name} (SVI)", num_chunks(plan.num_steps, 250)) as s:
            return fit_svi(key, hierarchy, options, advance=s.advance).posterior
    options = plan.nuts
    with progress.stage(f"fit {name} (NUTS)", num_advances(options)) as s:
        return fit_nuts(
            key, hierarchy, options, advance=s.advance, stored=open_store(name)
        )


def _compare(names, posteriors: list[Posterior], first) -> tuple[Compared, ...]:
    participant = posteriors[0].hierarchy.participant
    mask = np.isfinite(
        np.asarray(
            posteriors[0].hierarchy.model.responses(posteriors[0].hierarchy.data)
        )
    )
    rows = []
    for name, posterior in zip(names, posteriors, strict=True):
        loo = first if posterior is posteriors[0] else leave_one_out(posterior)
        gap = np.zeros(mask.shape)
        gap[mask] = loo.pointwise - first.pointwise
        people = np.bincount(participant, gap.sum(axis=1))
        error = np.sqrt(len(people)) * people.std(ddof=1) if len(people) > 1 else np.nan
        rows.append(
            Compared(
                name,
                loo.total,
                float(people.sum()),
                float(error),
                loo.num_untrusted,
                posterior.complaints,
            )
        )
    return tuple(rows)


def _scale(plan: Plan) -> Scale | None:
    return read_scale(plan.scale or find_task(plan.task).scale)

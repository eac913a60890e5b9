"""The models of each task, by their names on the command line."""

from collections.abc import Callable, Sequence

import numpy as np

from pcmodel.behaviour.change_point.agent import Agent
from pcmodel.behaviour.dataset import Series, find_task, kind_of, with_judgements
from pcmodel.behaviour.hierarchy.formula import parse_formula
from pcmodel.behaviour.hierarchy.priors.written import parse_priors, split_target
from pcmodel.behaviour.models import adaptive_rates, filters
from pcmodel.behaviour.models.bandit import BanditModel
from pcmodel.behaviour.models.binary import BinaryModel
from pcmodel.behaviour.models.conditioning import ConditioningModel
from pcmodel.behaviour.models.continuous.entries import PREDICTION
from pcmodel.behaviour.models.decisions.entries import DECISION_MODELS
from pcmodel.behaviour.models.detection.entries import DETECTION
from pcmodel.behaviour.models.helicopter import HelicopterModel
from pcmodel.behaviour.models.interface import Build as Build
from pcmodel.behaviour.models.interface import Entry as Entry
from pcmodel.behaviour.models.interface import Parameter, ParticipantModel
from pcmodel.behaviour.models.interface import TaskFacts as TaskFacts
from pcmodel.behaviour.models.judged import judged, judgement_parameters
from pcmodel.behaviour.models.learners import (
    LatentCauses,
    RescorlaWagner,
    SingleCause,
)
from pcmodel.behaviour.models.own.building import build_own
from pcmodel.behaviour.models.own.loading import is_own_model
from pcmodel.behaviour.models.rating import RatingModel
from pcmodel.behaviour.perception import enhanced_tapas, unbounded_tapas
from pcmodel.behaviour.responses import Scale
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments


def _rating(make: Callable[[], filters.Filter]) -> Build:
    """A rating model with the filter that `make` returns; UserError without a stepped scale."""

    def build(setting: TaskFacts) -> RatingModel:
        if setting.scale is None:
            raise UserError(
                "a rating needs its scale", where="scale", expected="LOW,HIGH[,STEP]"
            )
        if setting.scale.step == 0.0:
            raise UserError(
                "cannot have a step of 0", where="scale", expected="a positive step"
            )
        return RatingModel(make(), setting.scale, setting.after_outcome)

    return build


def _enhanced(num_arms: int | None = None) -> filters.Filter:
    return filters.three_levels(num_arms, rule=enhanced_tapas)


def _unbounded(num_arms: int | None = None) -> filters.Filter:
    return filters.three_levels(num_arms, rule=unbounded_tapas)


def _modal(num_arms: int | None = None) -> filters.Filter:
    return filters.three_levels(num_arms, rule=unbounded_tapas, at_mode=True)


HGF = "Mathys et al. 2011, Front Hum Neurosci 5:39; 2014, 8:825"
RULE = "Rescorla & Wagner 1972"
ENHANCED = "TAPAS `ehgf_binary`"
CHANGES = (
    "after Nassar et al. 2010, J Neurosci 30:12366; the small steps are the package's"
)
RIGID = "One value is corrected by a fixed share of each error."
STEADY = (
    "The outcome's log odds are believed to take random steps, always of one variance."
)
VOLATILE = "As hgf2, with a third level: the variance of the steps is itself believed to change."
STABLE = (
    "As hgf3, with an update of the third level whose precision cannot become negative."
)
UNBOUNDED = "HGF Toolbox 8.2.0 `uhgf_binary` (arXiv 2605.00966)"
SMOOTH = "As hgf3, with two Gaussians for the third level's posterior: precisions stay positive."
MODAL = "As uhgf3, with the log odds at the mode of their posterior: smooth in all parameters."
SURPRISED = "Values are corrected at a rate that follows the size of the errors before."
HYBRID = "Pearce & Hall 1980; Li et al. 2011, Nat Neurosci 14:1250"
FADING = "The learning rate is the outcome's share of precision; what is not seen is forgotten."
RESTLESS = "Daw et al. 2006, Nature 441:876"
TRACED = "Choices are drawn to those of several trials before, ever less;"
KERNEL = "Lau & Glimcher 2005, J Exp Anal Behav 84:555"

MODELS: dict[str, dict[str, Entry]] = {
    "binary": {
        "rescorla_wagner": Entry(
            lambda s: BinaryModel(filters.rescorla_wagner()), RIGID, RULE
        ),
        "hgf2": Entry(lambda s: BinaryModel(filters.two_levels()), STEADY, HGF),
        "hgf3": Entry(lambda s: BinaryModel(filters.three_levels()), VOLATILE, HGF),
        "ehgf3": Entry(lambda s: BinaryModel(_enhanced()), STABLE, ENHANCED),
        "uhgf3": Entry(lambda s: BinaryModel(_unbounded()), SMOOTH, UNBOUNDED),
        "uhgf3_mode": Entry(lambda s: BinaryModel(_modal()), MODAL),
        "pearce_hall": Entry(
            lambda s: BinaryModel(adaptive_rates.pearce_hall()), SURPRISED, HYBRID
        ),
        "weighted_decay": Entry(
            lambda s: BinaryModel(adaptive_rates.weighted_decay()), FADING, RESTLESS
        ),
    },
    "bandit": {
        "rescorla_wagner": Entry(
            lambda s: BanditModel(filters.rescorla_wagner(s.num_arms), s.num_arms),
            "The chosen option's value is corrected by a fixed share of its error.",
            RULE,
        ),
        "two_rates": Entry(
            lambda s: BanditModel(filters.two_rates(s.num_arms), s.num_arms),
            "The same with one share after better and another after worse than expected.",
            "den Ouden et al. 2013, Neuron 80:1090",
        ),
        "hgf2": Entry(
            lambda s: BanditModel(filters.two_levels(s.num_arms), s.num_arms),
            "Each option's log odds are believed to take random steps, always of one variance.",
            HGF,
        ),
        "hgf3": Entry(
            lambda s: BanditModel(filters.three_levels(s.num_arms), s.num_arms),
            VOLATILE,
            HGF,
        ),
        "ehgf3": Entry(
            lambda s: BanditModel(_enhanced(s.num_arms), s.num_arms), STABLE, ENHANCED
        ),
        "uhgf3": Entry(
            lambda s: BanditModel(_unbounded(s.num_arms), s.num_arms), SMOOTH, UNBOUNDED
        ),
        "uhgf3_mode": Entry(
            lambda s: BanditModel(_modal(s.num_arms), s.num_arms), MODAL
        ),
        "ehgf3_volatile_choice": Entry(
            lambda s: BanditModel(
                _enhanced(s.num_arms), s.num_arms, volatile_choice=True
            ),
            "As ehgf3, and choices are noisier where more volatility is expected: an assumption.",
            f"{ENHANCED} with `softmax_mu3`",
        ),
        "pearce_hall": Entry(
            lambda s: BanditModel(adaptive_rates.pearce_hall(s.num_arms), s.num_arms),
            SURPRISED,
            HYBRID,
        ),
        "weighted_decay": Entry(
            lambda s: BanditModel(
                adaptive_rates.weighted_decay(s.num_arms), s.num_arms
            ),
            FADING,
            RESTLESS,
        ),
        "rescorla_wagner_trace": Entry(
            lambda s: BanditModel(
                filters.rescorla_wagner(s.num_arms), s.num_arms, choice_trace=True
            ),
            f"{TRACED} one learning rate.",
            KERNEL,
        ),
        "two_rates_trace": Entry(
            lambda s: BanditModel(
                filters.two_rates(s.num_arms), s.num_arms, choice_trace=True
            ),
            f"{TRACED} two learning rates.",
            KERNEL,
        ),
    },
    "rating": {
        "rescorla_wagner": Entry(_rating(filters.rescorla_wagner), RIGID, RULE),
        "hgf2": Entry(_rating(filters.two_levels), STEADY, HGF),
        "hgf3": Entry(_rating(filters.three_levels), VOLATILE, HGF),
        "ehgf3": Entry(_rating(_enhanced), STABLE, ENHANCED),
        "uhgf3": Entry(_rating(_unbounded), SMOOTH, UNBOUNDED),
        "uhgf3_mode": Entry(_rating(_modal), MODAL),
    },
    "helicopter": {
        "change_point": Entry(
            lambda s: HelicopterModel(Agent()),
            "A hidden position takes small steps, and at times is anywhere anew; the last report is updated.",
            CHANGES,
        ),
        "start_anchored": Entry(
            lambda s: HelicopterModel(Agent(), start_anchored=True),
            "The same with reports biased towards the position of the mark before them.",
            "the bias: Bruckner et al.",
        ),
        "belief_anchored": Entry(
            lambda s: HelicopterModel(Agent(anchor="belief")),
            "As change_point, with updates from the latent belief and not from the last report.",
            CHANGES,
        ),
        "kalman": Entry(
            lambda s: HelicopterModel(Agent(change_points=False)),
            "The hidden position takes small steps only, so that the learning rate settles.",
            "Kalman 1960",
        ),
    },
    "conditioning": {
        "latent_cause": Entry(
            lambda s: ConditioningModel(LatentCauses()),
            "Trials are sorted among causes with an expectation each, so that what was "
            "unlearned can return.",
            "Gershman et al. 2017, eLife 6:e23763",
        ),
        "single_cause": Entry(
            lambda s: ConditioningModel(SingleCause()),
            "One cause for ever: what is learned later overwrites.",
            "the limit of Gershman et al. 2017",
        ),
        "rescorla_wagner": Entry(
            lambda s: ConditioningModel(RescorlaWagner()),
            "A weight for each stimulus, corrected at one rate with and another without an outcome.",
            RULE,
        ),
    },
    "prediction": PREDICTION,
    "detection": DETECTION,
    **DECISION_MODELS,
}
ANY_SCALE = Scale(0.0, 10.0)  # of ratings, where only the names of parameters matter


@checked_arguments
def find_model(
    task: str, name: str, setting: TaskFacts | None = None
) -> ParticipantModel:
    """The model of that name for a task; UserError that lists the models for other names.

    task: shipped, or a YAML file of a user's own.
    name: shipped, or FILE.py:CLASS of a user's own (`models.own`).
    """
    kind, facts = kind_of(task), setting or TaskFacts()
    if is_own_model(name):
        return build_own(kind, name, facts)
    if name not in MODELS[kind]:
        raise unknown_name(f"model of the {task} task", name, MODELS[kind])
    return MODELS[kind][name].build(facts)


@checked_arguments
def find_parameters(
    task: str, name: str, judgements: Sequence[str] = ()
) -> tuple[Parameter, ...]:
    """A model's parameters, which need no data; UserError as of `find_model` and `judged`."""
    model = find_model(task, name, TaskFacts(scale=ANY_SCALE))
    return judged(model, judgements).parameters


@checked_arguments
def check_names(
    task: str,
    models: Sequence[str],
    *,
    judgements: Sequence[str] = (),
    formulas: Sequence[str] = (),
    priors: Sequence[str] = (),
) -> None:
    """UserError for an unknown task, model, judgement or parameter of a formula or prior, which lists those there are.

    No table is read for it. Formulas that cannot be read are left to whoever reads them.

    models: the first is that of the formulas; none: any of the task's that has their parameters.
    """
    with_judgements(find_task(task), judgements)
    known = [find_parameters(task, name, judgements) for name in models]
    kind = "parameter of this model"
    if not known:
        kind = f"parameter of a model of the {task} task"
        known = [(*_all_parameters(task), *judgement_parameters(judgements))]
    names = dict.fromkeys(n for p in known[0] for n in (p.name, *p.names))
    for text in formulas:
        try:
            name = parse_formula(text).parameter
        except UserError:
            continue
        if name not in names:
            raise unknown_name(kind, name, names, where="formula")
    for prior in parse_priors(priors):
        split_target(prior.target, known[0])


def _all_parameters(task: str) -> tuple[Parameter, ...]:
    """Those of all models of a task."""
    return tuple(
        p for name in MODELS[kind_of(task)] for p in find_parameters(task, name)
    )


def setting_of(
    series: Series, *, scale: Scale | None = None, after_outcome: bool = False
) -> TaskFacts:
    """The properties of a data set's task; the highest choice is the number of options."""
    return TaskFacts(num_options(series), scale, after_outcome)


def num_options(series: Series) -> int:
    """The greatest number of an option, or cue, that was chosen or shown; at least 2."""
    values = series.values
    shown = [values[name] for name in ("choice", "cue") if name in values]
    shown += [v for name, v in values.items() if name.startswith("option_")]
    if "pair" in values:
        shown += [values["pair"] // 10, values["pair"] % 10]
    numbers = [v[np.isfinite(v)] for v in shown]
    return max(2, *(int(n.max()) for n in numbers if n.size), 2)

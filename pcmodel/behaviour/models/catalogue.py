"""The models of each task, by their names on the command line."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from pcmodel.behaviour.change_point.agent import Agent
from pcmodel.behaviour.dataset import Series, find_task, with_judgements
from pcmodel.behaviour.hierarchy.formula import parse_formula
from pcmodel.behaviour.hierarchy.priors import parse_priors, split_target
from pcmodel.behaviour.models import filters
from pcmodel.behaviour.models.bandit import BanditModel
from pcmodel.behaviour.models.binary import BinaryModel
from pcmodel.behaviour.models.conditioning import ConditioningModel
from pcmodel.behaviour.models.helicopter import HelicopterModel
from pcmodel.behaviour.models.interface import Parameter, ParticipantModel
from pcmodel.behaviour.models.judged import judged, judgement_parameters
from pcmodel.behaviour.models.learners import (
    LatentCauses,
    RescorlaWagner,
    SingleCause,
)
from pcmodel.behaviour.models.rating import RatingModel
from pcmodel.behaviour.perception import enhanced_tapas
from pcmodel.behaviour.responses import Scale
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments


class TaskFacts(NamedTuple):
    """Properties of a task that its trials do not show.

    num_arms: the number of options.
    scale: of the responses; None where they have none.
    after_outcome: whether a rating follows the outcome of its trial.
    """

    num_arms: int = 2
    scale: Scale | None = None
    after_outcome: bool = False


Build = Callable[[TaskFacts], ParticipantModel]


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


class Entry(NamedTuple):
    """A model of a task.

    build: the model, from the properties of the task.
    about: what it assumes, in one sentence.
    source: where it was published; "" where it is the package's own.
    """

    build: Build
    about: str
    source: str = ""


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

MODELS: dict[str, dict[str, Entry]] = {
    "binary": {
        "rescorla_wagner": Entry(
            lambda s: BinaryModel(filters.rescorla_wagner()), RIGID, RULE
        ),
        "hgf2": Entry(lambda s: BinaryModel(filters.two_levels()), STEADY, HGF),
        "hgf3": Entry(lambda s: BinaryModel(filters.three_levels()), VOLATILE, HGF),
        "ehgf3": Entry(lambda s: BinaryModel(_enhanced()), STABLE, ENHANCED),
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
        "ehgf3_volatile_choice": Entry(
            lambda s: BanditModel(
                _enhanced(s.num_arms), s.num_arms, volatile_choice=True
            ),
            "As ehgf3, and choices are noisier where more volatility is expected: an assumption.",
            f"{ENHANCED} with `softmax_mu3`",
        ),
    },
    "rating": {
        "rescorla_wagner": Entry(_rating(filters.rescorla_wagner), RIGID, RULE),
        "hgf2": Entry(_rating(filters.two_levels), STEADY, HGF),
        "hgf3": Entry(_rating(filters.three_levels), VOLATILE, HGF),
        "ehgf3": Entry(_rating(_enhanced), STABLE, ENHANCED),
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
}
ANY_SCALE = Scale(0.0, 10.0)  # of ratings, where only the names of parameters matter


@checked_arguments
def find_model(
    task: str, name: str, setting: TaskFacts | None = None
) -> ParticipantModel:
    """The model of that name for a task; UserError that lists the models for other names."""
    if task not in MODELS:
        raise unknown_name("task", task, MODELS)
    if name not in MODELS[task]:
        raise unknown_name(f"model of the {task} task", name, MODELS[task])
    return MODELS[task][name].build(setting or TaskFacts())


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
    return tuple(p for name in MODELS[task] for p in find_parameters(task, name))


def setting_of(
    series: Series, *, scale: Scale | None = None, after_outcome: bool = False
) -> TaskFacts:
    """The properties of a data set's task; the highest choice is the number of options."""
    choices = series.values.get("choice")
    num_arms = 2 if choices is None else max(2, int(np.nanmax(choices)))
    return TaskFacts(num_arms, scale, after_outcome)

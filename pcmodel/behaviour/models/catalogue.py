"""The models of each task, by their names on the command line."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pcmodel.behaviour.change_point.agent import Agent
from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models import filters
from pcmodel.behaviour.models.bandit import BanditModel
from pcmodel.behaviour.models.binary import BinaryModel
from pcmodel.behaviour.models.conditioning import ConditioningModel
from pcmodel.behaviour.models.helicopter import HelicopterModel
from pcmodel.behaviour.models.interface import ParticipantModel
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


MODELS: dict[str, dict[str, Build]] = {
    "binary": {
        "rescorla_wagner": lambda s: BinaryModel(filters.rescorla_wagner()),
        "hgf2": lambda s: BinaryModel(filters.two_levels()),
        "hgf3": lambda s: BinaryModel(filters.three_levels()),
        "ehgf3": lambda s: BinaryModel(_enhanced()),
    },
    "bandit": {
        "rescorla_wagner": lambda s: BanditModel(
            filters.rescorla_wagner(s.num_arms), s.num_arms
        ),
        "two_rates": lambda s: BanditModel(filters.two_rates(s.num_arms), s.num_arms),
        "hgf2": lambda s: BanditModel(filters.two_levels(s.num_arms), s.num_arms),
        "hgf3": lambda s: BanditModel(filters.three_levels(s.num_arms), s.num_arms),
        "ehgf3": lambda s: BanditModel(_enhanced(s.num_arms), s.num_arms),
        "ehgf3_volatile_choice": lambda s: BanditModel(
            _enhanced(s.num_arms), s.num_arms, volatile_choice=True
        ),
    },
    "rating": {
        "rescorla_wagner": _rating(filters.rescorla_wagner),
        "hgf2": _rating(filters.two_levels),
        "hgf3": _rating(filters.three_levels),
        "ehgf3": _rating(_enhanced),
    },
    "helicopter": {
        "change_point": lambda s: HelicopterModel(Agent()),
        "start_anchored": lambda s: HelicopterModel(Agent(), start_anchored=True),
        "belief_anchored": lambda s: HelicopterModel(Agent(anchor="belief")),
        "kalman": lambda s: HelicopterModel(Agent(change_points=False)),
    },
    "conditioning": {
        "latent_cause": lambda s: ConditioningModel(LatentCauses()),
        "single_cause": lambda s: ConditioningModel(SingleCause()),
        "rescorla_wagner": lambda s: ConditioningModel(RescorlaWagner()),
    },
}


@checked_arguments
def find_model(
    task: str, name: str, setting: TaskFacts | None = None
) -> ParticipantModel:
    """The model of that name for a task; UserError that lists the models for other names."""
    if task not in MODELS:
        raise unknown_name("task", task, MODELS)
    if name not in MODELS[task]:
        raise unknown_name(f"model of the {task} task", name, MODELS[task])
    return MODELS[task][name](setting or TaskFacts())


def setting_of(
    series: Series, *, scale: Scale | None = None, after_outcome: bool = False
) -> TaskFacts:
    """The properties of a data set's task; the highest choice is the number of options."""
    choices = series.values.get("choice")
    num_arms = 2 if choices is None else max(2, int(np.nanmax(choices)))
    return TaskFacts(num_arms, scale, after_outcome)

"""A user's own model in each task that takes one."""

from typing import Any

from pcmodel.behaviour.models.bandit import BanditModel
from pcmodel.behaviour.models.binary import BinaryModel
from pcmodel.behaviour.models.decisions.entries import OPTIONS
from pcmodel.behaviour.models.decisions.offered import OfferedModel
from pcmodel.behaviour.models.interface import ParticipantModel, TaskFacts
from pcmodel.behaviour.models.own.loading import load_own
from pcmodel.behaviour.models.own.perceptual import own_filter
from pcmodel.behaviour.models.rating import RatingModel
from pcmodel.errors import UserError

TAKES_OWN = ("binary", "bandit", "rating", "selection", "offered")


def build_own(task: str, name: str, facts: TaskFacts) -> ParticipantModel:
    """The model of FILE.py:CLASS for a shipped task; UserError for a task that takes none, and as of `load_own`.

    task: the shipped task whose responses it has.
    """
    if task not in TAKES_OWN:
        raise UserError(
            f"the {task} task takes no perceptual model of your own",
            where="model",
            expected=f"a task among {', '.join(TAKES_OWN)}, or one like them",
        )
    own = load_own(name)
    model = _built(task, own, facts)
    names = [p.name for p in model.parameters]
    twice = [each for each in names if names.count(each) > 1]
    if twice:
        raise UserError(
            f"has a parameter called {twice[0]!r}, as the responses of the {task} task have",
            where=name,
            expected="another name",
        )
    return model


def _built(task: str, own: Any, facts: TaskFacts) -> ParticipantModel:
    if task == "binary":
        return BinaryModel(own_filter(own))
    if task == "rating":
        if facts.scale is None or facts.scale.step == 0.0:
            raise UserError(
                "a rating needs its scale, with a positive step",
                where="scale",
                expected="LOW,HIGH[,STEP]",
            )
        return RatingModel(own_filter(own), facts.scale, facts.after_outcome)
    if task == "bandit":
        return BanditModel(own_filter(own, facts.num_arms), facts.num_arms)
    num = max(OPTIONS, facts.num_arms) if task == "selection" else facts.num_arms
    return OfferedModel(own_filter(own, num), num)

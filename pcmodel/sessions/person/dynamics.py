"""What is alike in everybody: rates of learning, retention, attribution, and what is felt."""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from pcmodel.errors import unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite, NotNegative, Positive, Share


@checked_arguments
@dataclass(frozen=True)
class Dynamics:
    """The numbers of the model that do not differ between people.

    All are assumed. The rates of learning and forgetting were set by hand (calibrated) so that untreated people stay within
    about a fifth of a belief unit over twelve weeks while a course of therapy moves them by half of one.

    mean_rate: share by which one event moves the belief's mean to the inferred one, without a drug.
    precision_rate: share by which it moves the belief's variance to the expected squared error.
    feeling_precision: precision with which the self predicts feelings, 1 / belief units squared.
    exception_sd: standard deviation of exceptions beyond that of the prediction (`pcmodel.sessions.person.attribution`).
    labile_days: time constant with which what was learned is consolidated or lost, days.
    consolidation: share of it that is consolidated.
    forgetting: rate at which what was consolidated returns to the baseline, per day.
    unblinding: log odds of believing to have had the drug, per unit by which what was felt exceeds a half.
    """

    mean_rate: Share = 0.1
    precision_rate: Share = 0.02
    feeling_precision: Positive = 4.0
    exception_sd: Positive = 3.0
    labile_days: Positive = 2.0
    consolidation: Share = 0.7
    forgetting: NotNegative = 0.01
    unblinding: Finite = 6.0

    def scaled(self, name: str, factor: float) -> "Dynamics":
        """The numbers with one multiplied; shares above 1 become 1. Raises UserError for an unknown name."""
        names = [field.name for field in fields(self)]
        if name not in names:
            raise unknown_name("number", name, names, where="dynamics")
        value = getattr(self, name) * factor
        if name in ("mean_rate", "precision_rate", "consolidation"):
            value = min(value, 1.0)
        return replace(self, **{name: value})

    def numbers(self) -> "Numbers":
        """The numbers as arrays, so that other numbers need no other program."""
        return Numbers(
            *(jnp.asarray(getattr(self, name), float) for name in Numbers._fields)
        )


class Numbers(NamedTuple):
    """`Dynamics` as arrays, () each."""

    mean_rate: Array
    precision_rate: Array
    feeling_precision: Array
    exception_sd: Array
    labile_days: Array
    consolidation: Array
    forgetting: Array

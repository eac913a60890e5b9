"""Conditioned animals: the latent-cause model's parameters as options, and what is left at the test of many designs at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from pcmodel.errors import UserError
from pcmodel.memory import (
    CauseHistory,
    CauseOptions,
    CauseParameters,
    learn_causes,
    stack_trials,
)
from pcmodel.memory.designs import Design
from pcmodel.memory.trials import pad_trials
from pcmodel.report import UNPERTURBED, Parameter, Perturbation

OPTIONS = CauseOptions(num_causes=25)
ROOM = 16
"""Trials are padded to a multiple of this, so that designs share compiled programs."""
PARAMETERS = (
    Parameter("concentration of causes", "memory.concentration"),
    Parameter("variance of outcomes", "memory.outcome_variance"),
    Parameter("learning rate", "memory.learning_rate"),
    Parameter("decay with time", "memory.temporal_decay"),
    Parameter("variance of stimuli", "memory.stimulus_variance"),
    Parameter("response threshold", "memory.response_threshold"),
)


@dataclass(frozen=True)
class Memory:
    """Parameters of the latent-cause model; those of the paper's figures.

    outcome_variance: 1 / precision of the outcome level.  The others: see `CauseParameters`.
    """

    concentration: float = 0.1
    outcome_variance: float = 0.4
    learning_rate: float = 0.3
    temporal_decay: float = 1.0
    stimulus_variance: float = 1.0
    response_threshold: float = 0.02
    response_scale: float = 0.01

    def __post_init__(self):
        for name, value in vars(self).items():
            if not 0 < value < np.inf:
                raise UserError(f"cannot be {value}", where=name, expected="above 0")

    def parameters(self, perturbation: Perturbation = UNPERTURBED) -> CauseParameters:
        """What the model takes; a perturbation is about "memory." and a field's name."""
        now = {
            name: value * perturbation.factor_of(f"memory.{name}")
            for name, value in vars(self).items()
        }
        variance = now.pop("outcome_variance")
        return CauseParameters(outcome_log_precision=-np.log(variance), **now)


class AtTest(NamedTuple):
    """What is left at the first trial of each design's test, (..., designs).

    value: predicted outcome.
    response: conditioned response, 0 to 1.
    causes: number of memories.
    """

    value: np.ndarray
    response: np.ndarray
    causes: np.ndarray


@jax.jit
def learn_all(trials, parameters) -> CauseHistory:
    """One animal with the same parameters in each design."""
    learn = partial(learn_causes, options=OPTIONS)
    return jax.vmap(learn, in_axes=(0, None))(trials, parameters)


@jax.jit
def learn_grid(trials, parameters) -> CauseHistory:
    """Every set of parameters in each design."""
    return jax.vmap(learn_all, in_axes=(None, 0))(trials, parameters)


def stacked(designs: Sequence[Design]):
    """The designs' trials, padded to a length that other designs have as well."""
    longest = max(design.trials.time.size for design in designs)
    length = -(-longest // ROOM) * ROOM
    return stack_trials([pad_trials(design.trials, length) for design in designs])


def at_test(designs: Sequence[Design], parameters: CauseParameters) -> AtTest:
    """What is left in each design; parameters may have a leading axis, of grids of them.

    Raises UserError where there were too few places for causes, or numbers left their range.
    """
    grid = np.ndim(parameters.concentration) > 0
    history = (learn_grid if grid else learn_all)(stacked(designs), parameters)
    if np.any(history.truncated) or np.any(history.diverged):
        raise UserError(
            "a memory had too few places for causes, or did not settle",
            where="latent causes",
            expected="a smaller concentration or learning rate",
        )
    places = np.array([design.index("test")[0] for design in designs])
    rows = np.arange(len(designs))
    return AtTest(
        np.asarray(history.prediction)[..., rows, places],
        np.asarray(history.response)[..., rows, places],
        np.asarray(history.num_causes),
    )


ASSUMED = (
    "An animal is one learner with fixed parameters; the clock counts trials, and intervals in the figures are the paper's own, whose "
    "relation to minutes and days is free. Contexts are one feature of the stimulus."
)
"""What every experiment on conditioned animals takes for granted."""

"""The options of an oddball paradigm: the hierarchy, what it learns from tone to tone, and time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, NotNegative, Positive, Share
from pcmodel.networks.network import linear_gaussian
from pcmodel.networks.pure import PureNetwork, as_model

PLACES = ("sensory", "ventral attention", "control")
"""The networks of cortex that three levels represent by default (A1, superior temporal, frontal): assumed."""


@checked_arguments
@dataclass(frozen=True)
class Oddball:
    """A chain of levels that hears tones, one unit a tone, and learns what to expect.

    All numbers but the precisions are parameters of this paradigm, chosen and not measured.

    Attributes:
        tones: how many tones there are; each is heard as 1 on its unit and 0 on the others.
        precisions: of each level's errors, lowest first; the last is of the memory.
        memory_rate: share of an exact EM step that the memory (the top's prior mean) takes after each tone.
        adaptation_rate: the same of the bias with which the lowest level is predicted (adaptation).
        adaptation_recovery: share of that bias that is lost from tone to tone.
        is_adaptation_plastic: whether drugs' factor on plasticity acts on adaptation, too; no by default
            (Schmidt et al. 2013: ketamine acts on plasticity, not on adaptation).
        trial_ms: from one tone to the next, ms.
        onset_ms: from a tone to the first error, ms.
        ms_per_unit: ms in one unit of time of gradient inference (1 / rate).
        kernel_ms: time to the peak of the response kernel t exp(-t / kernel_ms), the same for all levels, ms.
        step_ms: between samples, ms.

    Raises UserError for numbers out of range, and for fewer than two levels.
    """

    tones: Count = 2
    precisions: Sequence[Positive] = (4.0, 4.0, 4.0)
    memory_rate: Share = 0.3
    adaptation_rate: Share = 0.2
    adaptation_recovery: Share = 0.5
    is_adaptation_plastic: bool = False
    trial_ms: Positive = 600.0
    onset_ms: NotNegative = 100.0
    ms_per_unit: Positive = 200.0
    kernel_ms: Positive = 20.0
    step_ms: Positive = 5.0

    def __post_init__(self):
        if len(self.precisions) < 2:
            raise UserError(
                f"{len(self.precisions)} precisions",
                where="oddball",
                expected="2 or more: of the senses, and of the levels above",
            )
        left = self.trial_ms - self.onset_ms
        if not left >= self.step_ms or left / self.step_ms > 1e5:
            raise UserError(
                f"{left:g} ms between the first error and the next tone, in steps of {self.step_ms:g}",
                where="oddball",
                expected="1 to 100000 steps",
            )

    def times(self) -> np.ndarray:
        """Times of the samples after a tone, ms; the first is at the onset of errors."""
        return np.arange(self.onset_ms, self.trial_ms + self.step_ms / 2, self.step_ms)

    def network(self) -> PureNetwork:
        """The chain before the first tone, for everything else that networks can do."""
        names = [
            "senses",
            *(f"hidden{level}" for level in range(1, len(self.precisions) - 1)),
            "memory",
        ]
        identity = [np.eye(self.tones)] * (len(names) - 1)
        return as_model(linear_gaussian(identity, list(self.precisions), names=names))

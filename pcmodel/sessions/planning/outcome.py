"""What a study measures in its people, and the function that simulates it."""

from typing import NamedTuple, runtime_checkable
from typing import Protocol as Interface

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.sessions.planning.explanations import Strengths
from pcmodel.sessions.protocol.content import Protocol

GUESS_SD = 0.15
"""Standard deviation of a reported probability of having had the drug around the person's own: assumed."""

DRAWS = 4
"""Errors of measurement that are drawn for each simulated person."""


class Outcome(NamedTuple):
    """The people of a simulated study in each of its arms, without errors of measurement.

    points: symptoms at the start and on each follow-up day, more is worse.
    believed: probability that the person gives to having had the drug, at the end.
    """

    points: Float[np.ndarray, "arms people readings"]
    believed: Float[np.ndarray, "arms people"]


@runtime_checkable
class Simulate(Interface):
    """A function that simulates the people of a protocol."""

    def __call__(
        self,
        protocol: Protocol,
        *,
        arms: tuple[str, ...],
        days: tuple[int, ...],
        num_people: int,
        seed: int,
        strengths: Strengths,
    ) -> Outcome:
        """The outcome of each person in each arm.

        days: of follow-up.
        seed: equal seeds yield the same people with the same luck, whatever the strengths.
        """
        ...


def check_outcome(outcome: Outcome, strengths: Strengths) -> Outcome:
    """The same outcome; UserError unless all of it is finite."""
    if not np.isfinite(outcome.points).all() or not np.isfinite(outcome.believed).all():
        said = ", ".join(
            f"{part} {size:g}" for part, size in strengths._asdict().items()
        )
        raise UserError(
            "the simulated symptoms are not finite",
            where=f"strengths {said}",
            expected="strengths and precisions that a belief survives",
        )
    return outcome


class Measure(NamedTuple):
    """How people are measured.

    noise: standard deviation of one reading, symptom points.
    has_guess: whether they are also asked what they believe to have been given.
    seed: of the errors, the same for everything that is measured with it.
    """

    noise: float
    has_guess: bool
    seed: int

    def draw(self, outcome: Outcome) -> Float[np.ndarray, "arms people draws measures"]:
        """Improvement since the start on each follow-up day, with errors of measurement; last the guess, if asked.

        Each person is measured `DRAWS` times over, so that what errors do to a study does not hang on one draw of
        them.
        """
        rng = np.random.default_rng(self.seed)
        points = np.asarray(outcome.points, float)[:, :, None]
        believed = np.asarray(outcome.believed, float)[:, :, None, None]
        arms, people, _, readings = points.shape
        errors = rng.standard_normal((arms, people, DRAWS, readings))
        points = points + self.noise * errors
        found = points[..., :1] - points[..., 1:]
        if not self.has_guess:
            return found
        guess = believed + GUESS_SD * rng.standard_normal((arms, people, DRAWS, 1))
        return np.concatenate([found, guess], axis=-1)

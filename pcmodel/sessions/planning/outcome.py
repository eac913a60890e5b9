"""What a study measures in its people, and the function that simulates it."""

from typing import NamedTuple
from typing import Protocol as Interface

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.sessions.planning.explanations import Strengths
from pcmodel.sessions.protocol.content import Protocol

GUESS_SD = 0.15
"""Standard deviation of a reported probability of having had the drug around the person's own: assumed."""


class Outcome(NamedTuple):
    """The people of a simulated study in each of its arms, without errors of measurement.

    points: symptoms at the start and on each follow-up day, more is worse.
    believed: probability that the person gives to having had the drug, at the end.
    """

    points: Float[np.ndarray, "arms people readings"]
    believed: Float[np.ndarray, "arms people"]


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


def measured(
    outcome: Outcome, *, noise: float, has_guess: bool, rng: np.random.Generator
) -> Float[np.ndarray, "arms people measures"]:
    """Improvement since the start at each follow-up day, with errors of measurement; last the guess, if asked.

    noise: standard deviation of one reading, symptom points.
    """
    points = np.asarray(outcome.points, float)
    if not np.isfinite(points).all() or not np.isfinite(outcome.believed).all():
        raise UserError(
            "the simulated symptoms are not finite",
            expected="strengths and precisions that a belief survives",
        )
    points = points + noise * rng.standard_normal(points.shape)
    found = points[..., :1] - points[..., 1:]
    if not has_guess:
        return found
    error = GUESS_SD * rng.standard_normal(outcome.believed.shape)
    return np.concatenate([found, (outcome.believed + error)[..., None]], axis=-1)

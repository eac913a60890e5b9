"""Schedules of outcomes within a phase: on listed trials, or drawn with probabilities that may change.

Gradual extinction makes outcomes rarer, reverse extinction more frequent (Gershman, Jones, Norman, Monfils & Niv 2013).
"""

from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Array, Key

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, Finite, Share

GRADUAL = (1, 3, 6, 10, 15)
REVERSE = (1, 6, 10, 13, 15)
"""Trials, of 24 of extinction, that were reinforced (from memory of the paper: to be verified)."""


@checked_arguments
def reinforced_at(
    trials: Count, places: Sequence[int], *, strength: Finite = 1.0
) -> tuple[float, ...]:
    """The outcome on the listed trials (from 1) and on no other. UserError for places that there are not."""
    for place in places:
        if not 1 <= place <= trials:
            raise UserError(
                f"there is no trial {place}",
                where="places",
                expected=f"trials from 1 to {trials}",
            )
    listed = set(places)
    return tuple(float(strength) * (t in listed) for t in range(1, trials + 1))


@checked_arguments
def draw_schedule(
    key: Key[Array, ""], probabilities: Sequence[Share], *, strength: Finite = 1.0
) -> tuple[float, ...]:
    """Outcomes drawn with a probability for each trial."""
    chance = np.asarray(probabilities, float)
    drawn = np.asarray(jax.random.uniform(key, chance.shape)) < chance
    return tuple((strength * drawn).tolist())

"""What is read of responses: adaptation to the standard, mismatch by number of standards, difference waves."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count
from pcmodel.neuromodulation.accounts.accounts import Account, Effects
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import Group
from pcmodel.paradigms.oddball.oddball import Oddball
from pcmodel.paradigms.oddball.responses import oddball_factors, responses_under

EARLY, LATE = (100.0, 200.0), (150.0, 280.0)
"""Windows of the lowest and of the highest level's error, ms (Weber et al. 2020: 102-207; 152-199, 215-277)."""


class Mismatch(NamedTuple):
    """Responses after n standards; the leading axes ("...") are those of the effects.

    standard, deviant: mean evoked response from the first to the last window's end, to the n-th standard and to
        a deviant after n standards.
    mismatch: deviant minus standard.
    lowest: the same difference of the lowest level in the early window.
    highest: that of the highest level in the late window.
    wave: deviant minus standard over time, evoked.
    times: ms.
    """

    standard: Float[Array, "... lengths"]
    deviant: Float[Array, "... lengths"]
    mismatch: Float[Array, "... lengths"]
    lowest: Float[Array, "... lengths"]
    highest: Float[Array, "... lengths"]
    wave: Float[Array, "... lengths times"]
    times: Float[Array, " times"]

    @property
    def growth(self) -> Array | np.ndarray:
        """Mismatch after the most standards minus that after the fewest."""
        return self.mismatch[..., -1] - self.mismatch[..., 0]

    @property
    def growth_of_highest(self) -> Array | np.ndarray:
        """The same of the highest level's error."""
        return self.highest[..., -1] - self.highest[..., 0]

    @property
    def adaptation(self) -> Array | np.ndarray:
        """Share by which the response to the standard falls from the fewest to the most repetitions."""
        return 1 - self.standard[..., -1] / self.standard[..., 0]


@checked_arguments
def mismatch(
    oddball: Oddball,
    drug: Group | Course | Effects,
    *,
    account: Account,
    lengths: Sequence[Count] = (1, 2, 3, 4, 6, 8, 12, 16),
    anatomy: Anatomy | None = None,
) -> Mismatch:
    """Mismatch after each number of standards, every train heard from the beginning.

    lengths: numbers of standards before the deviant, in ascending order.
    Other arguments and errors as for `respond`.

    Raises UserError for lengths that do not ascend, a single tone, and windows that the trial does not contain.
    """
    if len(lengths) < 2 or np.any(np.diff(lengths) <= 0):
        raise UserError(
            f"lengths are {tuple(lengths)}", expected="two or more, in ascending order"
        )
    if oddball.tones < 2:
        raise UserError(
            "tones is 1", where="oddball", expected="a standard and a deviant"
        )
    times = oddball.times()
    early, late, whole = (
        _window(times, limits) for limits in (EARLY, LATE, (EARLY[0], LATE[1]))
    )
    # All trains are as long as the longest, so that they are one program; what follows a deviant is not read.
    nth = np.asarray(lengths)
    played = [np.arange(nth[-1] + 1) == n for n in (*nth, -1)]
    factors = oddball_factors(oddball, drug, account, anatomy)
    *trained, standards = (
        responses_under(oddball, each.astype(int), factors) for each in played
    )
    standard, deviant = (
        standards.evoked[..., nth - 1, :],
        jnp.stack(
            [one.evoked[..., n, :] for one, n in zip(trained, nth, strict=True)], -2
        ),
    )
    of_levels = (
        jnp.stack(
            [one.by_level[..., n, :, :] for one, n in zip(trained, nth, strict=True)],
            -3,
        )
        - standards.by_level[..., nth - 1, :, :]
    )
    mean = standard[..., whole].mean(-1), deviant[..., whole].mean(-1)
    return Mismatch(
        *mean,
        mean[1] - mean[0],
        of_levels[..., 0, early].mean(-1),
        of_levels[..., -1, late].mean(-1),
        deviant - standard,
        jnp.asarray(times, standard.dtype),
    )


def _window(times: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    inside = np.flatnonzero((times >= limits[0]) & (times <= limits[1]))
    if not len(inside) or times[-1] < limits[1]:
        raise UserError(
            f"samples end at {times[-1]:g} ms",
            where="oddball",
            expected=f"samples from {limits[0]:g} to {limits[1]:g} ms",
        )
    return inside

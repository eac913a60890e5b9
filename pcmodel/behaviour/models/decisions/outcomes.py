"""Outcomes of decisions: their unit, and what was not chosen would have brought."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Int

from pcmodel.errors import UserError

POTENTIAL = "potential_"  # a series' columns of what each option would have brought


def largest(values: Float[np.ndarray, "*shape"], *, where: str) -> float:
    """The unit of outcomes: the greatest size in the data set; 1 where all are 0 or missing.

    UserError for a number that is infinite.
    """
    if np.isinf(values).any():
        raise UserError("is infinite", where=where, expected="numbers, or n/a")
    seen = np.abs(values[np.isfinite(values)])
    return float(seen.max()) if seen.size and seen.max() > 0.0 else 1.0


def in_range(
    outcome: Float[np.ndarray, "series trials"],
) -> Float[np.ndarray, "series trials"]:
    """Outcomes from 0, for the least of the data set or 0, to 1, for the greatest or 0; NaN where missing.

    Wins of 0 and 1 stay as they are, and outcomes of -1 and 1 are 0 and 1.
    """
    unit = largest(outcome, where="outcome")
    scaled = outcome / unit  # a range of 1e308 would overflow
    seen = scaled[np.isfinite(scaled)]
    low, high = min(0.0, *seen, 0.0), max(0.0, *seen, 0.0)
    return (scaled - low) / (high - low if high > low else 1.0)


def potential_outcomes(
    cell: Int[np.ndarray, "series trials"],
    wanted: Int[np.ndarray, "series trials actions"],
    outcome: Float[np.ndarray, "series trials"],
) -> Float[np.ndarray, "series trials actions"]:
    """What each action would have brought: as seen, else drawn from what it brought in the same series.

    cell: what was done (an option, or a cue with an action), numbered.
    wanted: the number of each action that could have been done.
    Of an action that was never seen, any outcome of the series is drawn; 0 where there is none.
    """
    rng = np.random.default_rng(0)
    found = np.zeros(wanted.shape)
    for s in range(len(cell)):
        seen = np.isfinite(outcome[s])
        every = outcome[s][seen]
        for value in np.unique(wanted[s]):
            own = outcome[s][seen & (cell[s] == value)]
            pool = own if own.size else every if every.size else np.zeros(1)
            places = wanted[s] == value
            found[s][places] = rng.choice(pool, places.sum())
        same = (wanted[s] == cell[s][:, None]) & seen[:, None]
        found[s] = np.where(same, np.nan_to_num(outcome[s])[:, None], found[s])
    return found


def given_potential(
    values: Mapping[str, np.ndarray], num: int
) -> Float[np.ndarray, "series trials actions"] | None:
    """The columns of a simulated study that tell what each action would bring; None without them."""
    names = [f"{POTENTIAL}{k}" for k in range(num)]
    if not all(name in values for name in names):
        return None
    return np.stack([values[name] for name in names], axis=-1)


def refuse_where(
    wrong: Bool[np.ndarray, "series trials"], problem: str, *, where: str, expected: str
) -> None:
    """UserError for values that are wrong in some trial, which it names by series and trial."""
    if wrong.any():
        series, trial = np.argwhere(wrong)[0]
        raise UserError(
            f"{problem} in trial {trial + 1} of series {series + 1}",
            where=where,
            expected=expected,
        )

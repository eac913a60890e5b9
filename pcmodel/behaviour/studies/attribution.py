"""How often a study of so many people finds the effect that is there, from profiles of each person."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

NUM_POOLS = 100  # redrawn pools of people, for the interval
NUM_DOUBLINGS = 4  # of the sizes that are tried of a rival
SEEN = 3.84  # of twice a log likelihood ratio: chi square with one degree at 5 %


def best_over_sizes(
    profile: Float[np.ndarray, "studies accounts sizes"],
) -> Float[np.ndarray, "studies accounts"]:
    """The top of the parabola through the best size and its neighbours."""
    inner = np.clip(profile.argmax(axis=-1), 1, profile.shape[-1] - 2)[..., None]
    left, middle, right = (
        np.take_along_axis(profile, inner + step, axis=-1)[..., 0]
        for step in (-1, 0, 1)
    )
    bend = 2.0 * middle - left - right
    shift = np.clip((right - left) / (2.0 * np.maximum(bend, 1e-9)), -1.0, 1.0)
    return middle + 0.5 * shift * (right - left) - 0.5 * shift**2 * bend


def success_curve(
    pairs: tuple[Float[np.ndarray, "people 2 sizes"], ...],
    *,
    participants: tuple[int, ...],
    num_studies: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "3 participants"]:
    """Probability that a study tells rightly, with a 95 % interval.

    `pairs` holds the profiles of effect and rival where the effect is true and where the
    rival is. A study finds the effect if that is ahead of the rival and, at 5 %, of none.
    Studies are drawn with replacement from the people; the interval redraws the people.
    """
    num = len(pairs[0])
    pools = [np.arange(num)] + [rng.integers(num, size=num) for _ in range(NUM_POOLS)]
    rates = np.empty((len(pools), len(participants)))
    for i, pool in enumerate(pools):
        for j, size in enumerate(participants):
            picks = pool[rng.integers(num, size=(num_studies, size))]
            found = [np.mean(_finds(pair[picks].sum(axis=1))) for pair in pairs]
            rates[i, j] = 0.5 * (found[0] + 1.0 - found[1])
    low, high = np.quantile(rates[1:], (0.025, 0.975), axis=0)
    return np.stack([rates[0], low, high])


def _finds(
    total: Float[np.ndarray, "studies 2 sizes"],
) -> Bool[np.ndarray, " studies"]:
    best = best_over_sizes(total)
    none = total[:, 0, total.shape[2] // 2]
    return (best[:, 0] > best[:, 1]) & (2.0 * (best[:, 0] - none) > SEEN)


def power_curve(
    profile: Float[np.ndarray, "people sizes"],
    *,
    participants: tuple[int, ...],
    num_studies: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, " participants"]:
    """Share of studies whose likelihood ratio against no effect passes 5 %."""
    found = []
    for size in participants:
        picks = rng.integers(len(profile), size=(num_studies, size))
        total = profile[picks].sum(axis=1)
        best = best_over_sizes(total[:, None, :])[:, 0]
        found.append(np.mean(2.0 * (best - total[:, profile.shape[1] // 2]) > SEEN))
    return np.asarray(found)


def person_gaps(
    pair: Float[np.ndarray, "people 2 sizes"], truth: int
) -> Float[np.ndarray, " people"]:
    """By how much the truth is ahead in each person, both at the size best for all."""
    best = pair.sum(axis=0).argmax(axis=-1)
    at = [pair[:, account, best[account]] for account in (0, 1)]
    return at[truth] - at[1 - truth]


def best_size(profile: Float[np.ndarray, "people sizes"], grid: np.ndarray) -> float:
    """The top of the parabola through the best size and its neighbours."""
    total = profile.sum(axis=0)
    inner = int(np.clip(total.argmax(), 1, len(grid) - 2))
    left, middle, right = total[inner - 1 : inner + 2]
    bend = max(2.0 * middle - left - right, 1e-9)
    shift = np.clip((right - left) / (2.0 * bend), -1.0, 1.0)
    return float(grid[inner] + shift * (grid[1] - grid[0]))


def widened(
    profiles: Callable[[np.ndarray], np.ndarray], grid: Float[np.ndarray, " sizes"]
) -> tuple[Float[np.ndarray, " sizes"], Float[np.ndarray, "people sizes"]]:
    """The grid, doubled until the size best for all lies within it, and the profiles on it.

    A rival's unit is not the effect's: what looks alike may be many times as large. Given up, with the
    best at an end, after `NUM_DOUBLINGS`.
    """
    for _ in range(NUM_DOUBLINGS):
        found = profiles(grid)
        if 0 < found.sum(axis=0).argmax() < len(grid) - 1:
            return grid, found
        grid = 2.0 * grid
    return grid, profiles(grid)

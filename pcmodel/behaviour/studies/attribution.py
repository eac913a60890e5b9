"""How often a study of a given size finds the true effect, from log likelihood profiles of each person."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

NUM_POOLS = 100  # bootstrap samples of people, for the interval
NUM_DOUBLINGS = 4  # of the grid of a rival's sizes
SEEN = 3.84  # of twice a log likelihood ratio: chi square with one degree at 5 %


def best_over_sizes(
    profile: Float[np.ndarray, "studies accounts sizes"],
) -> Float[np.ndarray, "studies accounts"]:
    """The maximum of the parabola through the best size and its neighbours, nats."""
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
    """Probability that a study attributes the effect correctly, with its 95 % interval.

    pairs: profiles of effect and rival, first where the effect is true and then where the rival is.
    participants: study sizes, people.
    num_studies: simulated studies.
    Returns probability, lower and upper end. A study finds the effect if its likelihood exceeds the rival's
    and, at 5 %, that of no effect. Studies are drawn from the people with replacement; the interval is a
    bootstrap over the people.
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
    """Share of studies whose likelihood ratio test against no effect is significant at 5 %."""
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
    """Log likelihood of the truth minus the other account's in each person, nats, both at the best size for all."""
    best = pair.sum(axis=0).argmax(axis=-1)
    at = [pair[:, account, best[account]] for account in (0, 1)]
    return at[truth] - at[1 - truth]


def best_size(profile: Float[np.ndarray, "people sizes"], grid: np.ndarray) -> float:
    """The size at the maximum of the parabola through the best size and its neighbours."""
    total = profile.sum(axis=0)
    inner = int(np.clip(total.argmax(), 1, len(grid) - 2))
    left, middle, right = total[inner - 1 : inner + 2]
    bend = max(2.0 * middle - left - right, 1e-9)
    shift = np.clip((right - left) / (2.0 * bend), -1.0, 1.0)
    return float(grid[inner] + shift * (grid[1] - grid[0]))


def widened(
    profiles: Callable[[np.ndarray], np.ndarray], grid: Float[np.ndarray, " sizes"]
) -> tuple[Float[np.ndarray, " sizes"], Float[np.ndarray, "people sizes"]]:
    """The grid, doubled until the best size for all lies inside it, and the profiles on it.

    A rival's unit is not the effect's: the most similar size may be many times as large. After
    `NUM_DOUBLINGS` the grid is returned with the best size at an end.
    """
    for _ in range(NUM_DOUBLINGS):
        found = profiles(grid)
        if 0 < found.sum(axis=0).argmax() < len(grid) - 1:
            return grid, found
        grid = 2.0 * grid
    return grid, profiles(grid)

"""How often studies of a size find the truth: people drawn anew into each arm, many times.

Intervals are bootstrap intervals over the simulated people that studies are drawn from.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import t as student

NUM_POOLS = 60  # bootstrap samples of people, for the interval
SEEN = 3.84  # of twice a log likelihood ratio: chi square with one degree at 5 %
LEVEL = 0.05  # of the test between two arms, two-sided
CHUNK = 2_000_000  # draws of people that are held at once


Pool = Int[np.ndarray, " pool"]
"""Numbers of people, those of a bootstrap sample more than once."""
Profile = Float[np.ndarray, "arms pool draws 2 sizes"]
"""Log likelihoods of effect and rival at every size, nats; size 0 is the first."""


class Curve(NamedTuple):
    """A share of studies by people in each arm, with its 95 % interval."""

    share: Float[np.ndarray, " sizes"]
    low: Float[np.ndarray, " sizes"]
    high: Float[np.ndarray, " sizes"]


def attribution_curve(
    profiles: Callable[[Pool], tuple[Profile, Profile]],
    num_people: int,
    *,
    participants: tuple[int, ...],
    num_studies: int,
    rng: np.random.Generator,
) -> Curve:
    """Probability that a study attributes the effect correctly.

    profiles: from a pool of people to their log likelihoods where the effect is true and where the rival is.
    num_people: that were simulated.
    participants: people in each arm.
    A study finds the effect if its likelihood exceeds the rival's and, at 5 %, that of no effect. Right: found where
    it is true, and not found where the rival is; both are equally frequent.
    """

    def right(pool: Pool) -> list[float]:
        pairs, found = profiles(pool), []
        for size in participants:
            own, other = (
                np.mean(finds(totals(each, size, num_studies, rng))) for each in pairs
            )
            found.append(float(0.5 * (own + 1.0 - other)))
        return found

    return _curve(right, num_people, rng)


def superiority_curve(
    values: Float[np.ndarray, "2 people draws"],
    *,
    participants: tuple[int, ...],
    num_studies: int,
    rng: np.random.Generator,
) -> Curve:
    """Power of Welch's test that the first arm improves more than the second, two-sided at 5 %.

    values: what is measured in each person of the two arms.
    participants: people in each arm; 1 has no power.
    """

    def significant(pool: Pool) -> list[float]:
        found = []
        for size in participants:
            shape = (num_studies, size)
            arms = [drawn(own[pool], shape, rng) for own in values]
            found.append(float(np.mean(is_better(*arms))) if size > 1 else 0.0)
        return found

    return _curve(significant, values.shape[1], rng)


def is_better(
    first: Float[np.ndarray, "studies people"],
    second: Float[np.ndarray, "studies others"],
) -> Bool[np.ndarray, " studies"]:
    """Whether Welch's two-sided test at 5 % finds that the first arm has the higher mean."""
    n, m = first.shape[1], second.shape[1]
    a, b = first.var(axis=1, ddof=1) / n, second.var(axis=1, ddof=1) / m
    error = np.sqrt(np.maximum(a + b, 1e-300))
    freedom = (a + b) ** 2 / np.maximum(a**2 / (n - 1) + b**2 / (m - 1), 1e-300)
    gap = first.mean(axis=1) - second.mean(axis=1)
    limit = student.ppf(1.0 - LEVEL / 2.0, np.maximum(freedom, 1.0))
    return gap / error > limit


def totals(
    profile: Profile, size: int, num_studies: int, rng: np.random.Generator
) -> Float[np.ndarray, "studies 2 sizes"]:
    """Log likelihoods of studies with so many people drawn into each arm, summed over all."""
    shape = profile.shape[3:]
    step = max(1, CHUNK // (size * int(np.prod(shape))))
    found = np.zeros((num_studies, *shape))
    for arm in profile:
        for start in range(0, num_studies, step):
            number = min(step, num_studies - start)
            people = drawn(arm, (number, size), rng)
            found[start : start + number] += people.sum(axis=1)
    return found


def drawn(
    arm: Float[np.ndarray, "people draws *rest"],
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Float[np.ndarray, "studies size *rest"]:
    """People of one arm drawn with replacement, each with one of the draws of measurement error."""
    people = rng.integers(arm.shape[0], size=shape)
    return arm[people, rng.integers(arm.shape[1], size=shape)]


def finds(
    total: Float[np.ndarray, "studies 2 sizes"],
) -> Bool[np.ndarray, " studies"]:
    """Whether the effect's best likelihood exceeds the rival's and, at 5 %, that of its size 0."""
    best, none = best_over_sizes(total), total[:, 0, 0]
    return (best[:, 0] > best[:, 1]) & (2.0 * (best[:, 0] - none) > SEEN)


def best_over_sizes(
    profile: Float[np.ndarray, "*all sizes"],
) -> Float[np.ndarray, "*all"]:
    """The maximum of the parabola through the best size and its neighbours, within the sizes, nats."""
    inner = np.clip(profile.argmax(axis=-1), 1, profile.shape[-1] - 2)[..., None]
    left, middle, right = (
        np.take_along_axis(profile, inner + step, axis=-1)[..., 0]
        for step in (-1, 0, 1)
    )
    bend = 2.0 * middle - left - right
    slope = 0.5 * (right - left)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend > 0.0, np.clip(slope / bend, -1.0, 1.0), np.sign(slope))
    parabola = middle + shift * slope - 0.5 * shift**2 * bend
    return np.maximum(parabola, profile.max(axis=-1))


def best_size(
    profile: Float[np.ndarray, " sizes"], grid: Float[np.ndarray, " sizes"]
) -> float:
    """The size at that maximum."""
    inner = int(np.clip(profile.argmax(), 1, len(grid) - 2))
    left, middle, right = profile[inner - 1 : inner + 2]
    bend, slope = 2.0 * middle - left - right, 0.5 * (right - left)
    shift = np.clip(slope / bend, -1.0, 1.0) if bend > 0.0 else np.sign(slope)
    return float(grid[inner] + shift * (grid[1] - grid[0]))


def _curve(
    shares: Callable[[Pool], list[float]], num_people: int, rng: np.random.Generator
) -> Curve:
    """Shares of studies at each size, and their intervals over pools of people drawn anew."""
    pools = [np.arange(num_people)]
    pools += [rng.integers(num_people, size=num_people) for _ in range(NUM_POOLS)]
    found = np.array([shares(pool) for pool in pools])
    low, high = np.quantile(found[1:], (0.025, 0.975), axis=0)
    return Curve(found[0], low, high)

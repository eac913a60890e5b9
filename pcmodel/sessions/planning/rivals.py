"""An effect and its rival: people simulated at every size of both, and what each explanation says of each person.

Predictions are cross-fitted: what an explanation says of a person is taken from people of the other half of the pool,
who have other traits and other luck. Those of the person's own half would know the person, and make every study look
larger than it is.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.sessions.planning.explanations import Question, Strengths
from pcmodel.sessions.planning.likelihood import log_likelihood, moments
from pcmodel.sessions.planning.outcome import Measure, Outcome
from pcmodel.sessions.planning.studies import Pool, Profile, best_size

NUM_DOUBLINGS = 4  # of the grid of a rival's sizes
LARGEST = 2.0  # size on the first grid
IDLE = 1e-6  # relative difference of log likelihoods, below which a rival's size changes nothing


class Rivals(NamedTuple):
    """The pool under an effect and under its rival.

    effect_points: symptoms at every size of the effect, from 0 to `LARGEST`.
    effect_believed: probability of having had the drug.
    rival_points: at every size of the rival, from 0 to `rival_limit`.
    rival_believed: the same.
    mirror_points: at the rival's most similar size.
    mirror_believed: the same.
    rival_size: at which the rival is most similar to the effect; NaN where it does the same at every size.
    rival_limit: the largest size that was tried.
    """

    effect_points: Float[np.ndarray, "sizes arms people readings"]
    effect_believed: Float[np.ndarray, "sizes arms people"]
    rival_points: Float[np.ndarray, "sizes arms people readings"]
    rival_believed: Float[np.ndarray, "sizes arms people"]
    mirror_points: Float[np.ndarray, "arms people readings"]
    mirror_believed: Float[np.ndarray, "arms people"]
    rival_size: Float[np.ndarray, ""]
    rival_limit: Float[np.ndarray, ""]


def simulate_rivals(
    outcome: Callable[[Strengths], Outcome],
    question: Question,
    *,
    sizes: int,
    measure: Measure,
    advance: Callable[[], None],
) -> Rivals:
    """Simulate both explanations at every size; the rival's grid is doubled until its most similar size lies inside.

    outcome: of the pool, by strengths.
    sizes: on each grid, an odd number.
    advance: called after each simulation.
    """

    def pool(is_rival: bool, grid: np.ndarray) -> list[Outcome]:
        found = []
        for size in grid:
            found.append(outcome(question.strengths(is_rival, float(size))))
            advance()
        return found

    grid = np.linspace(0.0, LARGEST, sizes)
    effect = pool(False, grid)
    truth = effect[sizes // 2]
    wide, rival = grid, pool(True, grid)
    likeness = _likeness(truth, rival, measure)
    for _ in range(NUM_DOUBLINGS):
        if likeness.argmax() < sizes - 1:
            break
        wide = 2.0 * wide
        rival = pool(True, wide)
        likeness = _likeness(truth, rival, measure)
    # A rival that does nothing (no evidence of expectation, no window) has no most similar size.
    is_idle = bool(np.ptp(likeness) <= IDLE * np.abs(likeness).max())
    size = np.nan if is_idle else best_size(likeness, wide)
    mirror = outcome(question.strengths(True, 1.0 if is_idle else size))
    advance()
    return Rivals(
        *_stacked(effect),
        *_stacked(rival),
        np.asarray(mirror.points, float),
        np.asarray(mirror.believed, float),
        np.asarray(size),
        np.asarray(wide[-1]),
    )


def profiles_of(
    found: Rivals, measure: Measure
) -> Callable[[Pool], tuple[Profile, Profile]]:
    """From a pool of people to their log likelihoods, where the effect is true and where the rival is."""
    middle = len(found.effect_points) // 2
    effect = list(map(Outcome, found.effect_points, found.effect_believed))
    rival = list(map(Outcome, found.rival_points, found.rival_believed))
    truths = effect[middle], Outcome(found.mirror_points, found.mirror_believed)
    # The same errors of measurement under both truths.
    values = [measure.draw(truth) for truth in truths]

    def profiles(pool: Pool) -> tuple[Profile, Profile]:
        even, odd = (pool[pool % 2 == half] for half in (0, 1))
        people, others = [even, odd], [odd, even]
        if not len(even) or not len(odd):  # a bootstrap sample of one half alone
            people = others = [pool]
        tables = [
            [[moments(_of(half, one), measure) for one in each] for half in others]
            for each in (effect, rival)
        ]
        own, other = (_under_all(each, people, tables) for each in values)
        return own, other

    return profiles


def _under_all(
    values: np.ndarray, people: list[np.ndarray], tables: list
) -> np.ndarray:
    """Log likelihoods of people in parts, by each part's own predictions of both explanations."""
    found = [
        np.stack([_under(values[:, part], t[which]) for t in tables], axis=3)
        for which, part in enumerate(people)
    ]
    return np.concatenate(found, axis=1)


def gaps(pair: Profile, truth: int) -> Float[np.ndarray, "arms pool draws"]:
    """Log likelihood of the truth minus the other's, nats, each at the best size for all people."""
    best = pair.sum(axis=(0, 1, 2)).argmax(axis=-1)
    at = [pair[:, :, :, account, best[account]] for account in (0, 1)]
    return at[truth] - at[1 - truth]


def _likeness(
    truth: Outcome, rival: list[Outcome], measure: Measure
) -> Float[np.ndarray, " sizes"]:
    """Log likelihood of the truth's measurements under the rival at every size, summed over people."""
    values = measure.draw(truth)
    logs = _under(values, [moments(one, measure) for one in rival])
    return logs.sum(axis=(0, 1, 2))


def _of(pool: Pool, outcome: Outcome) -> Outcome:
    return Outcome(outcome.points[:, pool], outcome.believed[:, pool])


def _under(values: np.ndarray, tables: list) -> np.ndarray:
    return np.stack([log_likelihood(values, own) for own in tables], axis=-1)


def _stacked(outcomes: list[Outcome]) -> tuple[np.ndarray, np.ndarray]:
    points = np.stack([np.asarray(one.points, float) for one in outcomes])
    return points, np.stack([np.asarray(one.believed, float) for one in outcomes])

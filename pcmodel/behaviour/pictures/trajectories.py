"""Beliefs and log precisions of some people over trials, with posterior bands."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pcmodel.behaviour.hierarchy.hierarchical_model import with_held
from pcmodel.behaviour.models.interface import Course
from pcmodel.behaviour.pictures.conditions import EVERYBODY, Conditions
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import series_values, thin

MOST_SHOWN, NUM_DRAWS = 3, 100
ENDS = (0.025, 0.5, 0.975)


class Line(NamedTuple):
    """One belief, or one log precision, over trials.

    level: from 1, the lowest latent level first.
    arm: option, from 1; 0 where the level has one belief.
    ends: 2.5 %, 50 % and 97.5 % of its posterior at each trial.
    """

    level: int
    arm: int
    ends: Float[np.ndarray, "3 trials"]


class Trajectory(NamedTuple):
    """Beliefs of one series.

    title: the person's name, and the condition.
    outcome: what was seen; NaN where nothing was.
    belief: of each level and option.
    log_precision: likewise; empty for models without uncertainty.
    """

    title: str
    outcome: Float[np.ndarray, " trials"]
    belief: tuple[Line, ...]
    log_precision: tuple[Line, ...]


def shown_series(posterior: Posterior) -> list[int]:
    """Series that are shown: the first of people spread over the data set; of one person the first ones."""
    who = posterior.hierarchy.participant
    first = np.unique(who, return_index=True)[1]
    if len(first) == 1:
        return list(range(min(MOST_SHOWN, len(who))))
    picks = np.linspace(0, len(first) - 1, min(MOST_SHOWN, len(first)))
    return [int(first[round(i)]) for i in picks]


def trajectories(
    posterior: Posterior,
    conditions: Conditions,
    outcome: Float[np.ndarray, "series trials"],
    present: np.ndarray,
) -> tuple[Trajectory, ...]:
    """Beliefs of a few series.

    present: true for trials, false under the padding, which is left out.
    """
    hierarchy = posterior.hierarchy
    values = with_draws(posterior)

    @jax.jit
    def draw(series: Array) -> Course:
        data = jax.tree.map(lambda leaf: jnp.asarray(leaf)[series], hierarchy.data)
        own = {name: drawn[:, series] for name, drawn in values.items()}
        return jax.lax.map(lambda one: hierarchy.model.course(one, data), own)

    found = []
    for s in shown_series(posterior):
        drawn = draw(jnp.asarray(s))
        num_trials = int(present[s].sum())
        word = conditions.words[conditions.place[s]]
        title = hierarchy.origin.people[hierarchy.participant[s]]
        found.append(
            Trajectory(
                title if word == EVERYBODY else f"{title} ({word})",
                outcome[s, :num_trials],
                _lines(drawn.mean, num_trials),
                _lines(drawn.log_precision, num_trials),
            )
        )
    return tuple(found)


def with_draws(posterior: Posterior) -> dict[str, jax.Array]:
    """Draws of every parameter of every series, (draws, series), those held fixed included."""
    hierarchy = posterior.hierarchy
    values = series_values(hierarchy, thin(posterior, NUM_DRAWS))
    return jax.vmap(lambda own: with_held(hierarchy, own))(values)


def _lines(levels, num_trials: int) -> tuple[Line, ...]:
    """Lines of each level, and of each option of a level with several."""
    found = []
    for i, drawn in enumerate(levels):
        own = np.asarray(drawn, dtype=float)[:, :num_trials]
        if own.ndim == 2:
            found.append(Line(i + 1, 0, np.quantile(own, ENDS, axis=0)))
            continue
        found += [
            Line(i + 1, arm + 1, np.quantile(own[..., arm], ENDS, axis=0))
            for arm in range(own.shape[2])
        ]
    return tuple(found)

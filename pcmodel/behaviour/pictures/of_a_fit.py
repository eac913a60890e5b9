"""The numbers of all pictures of a fit, saved with its results so that they can be drawn again."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.pictures.conditions import find_conditions
from pcmodel.behaviour.pictures.learning_curves import LearningCurves, learning_curves
from pcmodel.behaviour.pictures.mixing import Mixing, mixing
from pcmodel.behaviour.pictures.people import Forest, forests
from pcmodel.behaviour.pictures.trajectories import Trajectory, trajectories
from pcmodel.behaviour.posterior.fitted_posterior import Posterior


class Pictures(NamedTuple):
    """Numbers of the pictures of a fit.

    curves: learning curves with posterior predictive bands.
    forests: every person's parameters.
    trajectories: beliefs and precisions of a few people.
    mixing: draws of the numbers that mix worst; None for a variational fit.
    """

    curves: LearningCurves
    forests: tuple[Forest, ...]
    trajectories: tuple[Trajectory, ...]
    mixing: Mixing | None


def picture_fit(
    posterior: Posterior,
    series: Series,
    formulas: Sequence[str],
    replicated: Float[np.ndarray, "draws series trials"],
) -> Pictures:
    """The pictures of a fit.

    replicated: responses drawn from the posterior.
    """
    hierarchy = posterior.hierarchy
    conditions = find_conditions(series, formulas)
    observed = np.asarray(hierarchy.model.responses(hierarchy.data), dtype=float)
    unseen = np.full(series.present.shape, np.nan)
    return Pictures(
        learning_curves(series, conditions, observed, replicated),
        forests(posterior),
        trajectories(
            posterior, conditions, series.values.get("outcome", unseen), series.present
        ),
        mixing(posterior),
    )

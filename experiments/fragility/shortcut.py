"""The same two designs under the whole posterior: what of the benefit is owed to keeping one cause for each trial."""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from pcmodel.memory import filter_causes
from pcmodel.memory.designs.published import extinction_only, retrieval_extinction

from .._conditioning import OPTIONS, at_test

if TYPE_CHECKING:
    from .simulate import Config

REPEATS = 4


class Shortcut(NamedTuple):
    """Predicted outcomes at the test; first without a reminder, then with one, (2, variances).

    variance: of outcomes.
    local: one cause for each trial (the paper's local MAP).
    posterior: the mean over particle filters.
    error: its standard error over filters.
    """

    variance: np.ndarray
    local: np.ndarray
    posterior: np.ndarray
    error: np.ndarray

    def benefit(self, way: np.ndarray) -> np.ndarray:
        """What a reminder takes from the predicted outcome, by variance."""
        return way[0] - way[1]


def shortcut(config: "Config", seed: int, progress) -> Shortcut:
    """Both ways over variances; the filters' keys are the only random numbers of the experiment."""
    variance = np.geomspace(0.2, 0.8, config.variances)
    designs = (extinction_only(), retrieval_extinction())
    keys = jax.random.split(jax.random.key(seed), REPEATS)
    local, told = [], []
    for each in progress.track(variance, "whole posterior"):
        p = replace(config.memory, outcome_variance=float(each)).parameters()
        local.append(at_test(designs, p).value)
        told.append(
            [
                [
                    filter_causes(
                        key,
                        design.trials,
                        p,
                        num_particles=config.particles,
                        options=OPTIONS,
                    ).prediction[-1]
                    for key in keys
                ]
                for design in designs
            ]
        )
    filters = np.asarray(told)  # (variances, designs, keys)
    return Shortcut(
        variance,
        np.transpose(local),
        filters.mean(axis=-1).T,
        filters.std(axis=-1, ddof=1).T / np.sqrt(REPEATS),
    )

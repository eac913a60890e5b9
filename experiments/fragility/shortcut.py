"""The same designs under the whole posterior: what of the benefit is owed to keeping one cause for each trial."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from pcmodel.memory import CauseParameters, filter_causes
from pcmodel.memory.designs import Design
from pcmodel.memory.designs.published import extinction_only, retrieval_extinction

from .._conditioning import OPTIONS, at_test

if TYPE_CHECKING:
    from .simulate import Config

REPEATS = 4
WINDOW = (0.0, 1.0, 3.0, 10.0, 30.0, 60.0, 100.0, 200.0)


class Ways(NamedTuple):
    """Predicted outcomes at the test of some designs.

    local: one cause for each trial (the paper's local MAP).
    posterior: the mean over particle filters.
    error: its standard error over filters.
    """

    local: np.ndarray
    posterior: np.ndarray
    error: np.ndarray


class Shortcut(NamedTuple):
    """Both ways of remembering causes.

    variance: of outcomes.
    by_variance: without a reminder and with one, (2, variances).
    window: intervals after the reminder.
    by_interval: (intervals,).
    """

    variance: np.ndarray
    by_variance: Ways
    window: np.ndarray
    by_interval: Ways

    def benefit(self, way: np.ndarray) -> np.ndarray:
        """What a reminder takes from the predicted outcome, by variance."""
        return way[0] - way[1]


def shortcut(config: "Config", seed: int, progress) -> Shortcut:
    """Both ways over variances and intervals; the filters' keys are the only random numbers of the experiment."""
    variance = np.geomspace(0.2, 0.8, config.variances)
    pair = (extinction_only(), retrieval_extinction())
    found = [
        both_ways(
            pair,
            replace(config.memory, outcome_variance=float(each)).parameters(),
            config,
            seed,
        )
        for each in progress.track(variance, "whole posterior")
    ]
    window = [retrieval_extinction(each) for each in WINDOW]
    return Shortcut(
        variance,
        Ways(*(np.transpose(each) for each in zip(*found, strict=True))),
        np.asarray(WINDOW),
        both_ways(window, config.memory.parameters(), config, seed),
    )


def both_ways(
    designs: Sequence[Design],
    parameters: CauseParameters,
    config: "Config",
    seed: int,
) -> Ways:
    """Predicted outcomes at the test, (designs,)."""
    keys = jax.random.split(jax.random.key(seed), REPEATS)
    filters = np.array(
        [
            [
                filter_causes(
                    key,
                    design.trials,
                    parameters,
                    num_particles=config.particles,
                    options=OPTIONS,
                ).prediction[-1]
                for key in keys
            ]
            for design in designs
        ]
    )
    return Ways(
        at_test(designs, parameters).value,
        filters.mean(axis=1),
        filters.std(axis=1, ddof=1) / np.sqrt(REPEATS),
    )

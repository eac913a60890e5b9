"""What is simulated: extinction with and without a reminder over a map of parameters, and recovery over days."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from pcmodel.memory import CauseParameters
from pcmodel.memory.designs.published import (
    extinction_only,
    retrieval_extinction,
    spontaneous_recovery,
)
from pcmodel.report import NOT_EXAMINED, UNPERTURBED, Examined, Perturbation

from .._conditioning import AtTest, Memory, at_test
from .._options import at_least
from .shortcut import Shortcut, shortcut

CONCENTRATION = (0.02, 0.5)
VARIANCE = (0.05, 2.0)
"""Ends of the map: a factor of five around the paper's values and more."""
RATES = (0.1, 0.2, 0.3, 0.5)
INTERVALS = (1.0, 3.0, 10.0, 30.0, 60.0)
UNITS = (1.0, 5.0, 20.0, 100.0, 480.0)
"""Of the clock per day: from one trial a day to one in three minutes."""
DAYS = (0.0, 1.0, 2.0, 10.0)
AT_ONCE = 250
"""Sets of parameters in one program."""


@dataclass(frozen=True)
class Config:
    """Options.

    points: of the map along concentration and variance.
    memory: the parameters that are not on the map.
    present: response to extinction alone that is worth preventing.
    variances, particles: of the comparison with the whole posterior.
    """

    points: int = 24
    memory: Memory = field(default_factory=Memory)
    present: float = 0.5
    variances: int = 9
    particles: int = 4000

    def __post_init__(self):
        at_least(3, points=self.points, variances=self.variances)
        at_least(10, particles=self.particles)

    @classmethod
    def smoke(cls) -> "Config":
        """A coarse map."""
        return cls(points=4, variances=3, particles=200)


class Map(NamedTuple):
    """Axes of the map, and what is left at the test at every point.

    concentration, variance, rate: axes.
    intervals: after the reminder.
    reminded: (rates, concentrations, variances, intervals).
    alone: (rates, concentrations, variances), no reminder.
    """

    concentration: np.ndarray
    variance: np.ndarray
    rate: np.ndarray
    intervals: np.ndarray
    reminded: AtTest
    alone: AtTest


class Results(NamedTuple):
    """What is simulated.

    landscape: the map.
    benefit: whether the reminder takes the response below a third, where there is one without, (..., intervals).
    recovers: whether recovery is complete by day 10 and partial before, with some clock, (rates, concentrations, variances).
    days: responses over days by clock, (rates, concentrations, variances, units, days).
    whole: the local MAP beside the whole posterior.
    tested: numbers of the claims, by name.
    """

    landscape: Map
    benefit: np.ndarray
    recovers: np.ndarray
    days: np.ndarray
    whole: Shortcut
    tested: Examined = NOT_EXAMINED


def simulate(config: Config, *, seed: int, progress) -> Results:
    """The maps, and the comparison with the whole posterior."""
    rates = np.asarray(RATES)
    with progress.stage("maps", total=2) as stage:
        found = landscape(config, config.points, rates)
        stage.advance()
        days = recovery(config, found)
        stage.advance()
    benefit = benefit_of(found, config.present)
    whole = shortcut(config, seed, progress)
    return Results(found, benefit, as_published(days), days, whole)


def landscape(
    config: Config,
    points: int,
    rates: np.ndarray,
    perturbation: Perturbation = UNPERTURBED,
) -> Map:
    """What is left with and without a reminder, at every point."""
    concentration = np.geomspace(*CONCENTRATION, points)
    variance = np.geomspace(*VARIANCE, points)
    designs = [retrieval_extinction(i) for i in INTERVALS]
    found = over(
        config,
        (rates, concentration, variance),
        [*designs, extinction_only()],
        perturbation,
    )
    return Map(
        concentration,
        variance,
        rates,
        np.asarray(INTERVALS),
        AtTest(*(each[..., :-1] for each in found)),
        AtTest(*(each[..., -1] for each in found)),
    )


def recovery(config: Config, found: Map) -> np.ndarray:
    """Responses over days, over that acquired."""
    axes = (found.rate, found.concentration, found.variance)
    designs = [
        spontaneous_recovery(day, units_per_day=u) for u in UNITS for day in DAYS
    ]
    response = over(config, axes, designs).response
    return response.reshape(*response.shape[:-1], len(UNITS), len(DAYS))


def over(
    config: Config,
    axes: tuple[np.ndarray, np.ndarray, np.ndarray],
    designs: list,
    perturbation: Perturbation = UNPERTURBED,
) -> AtTest:
    """What is left at every point of the axes (rates, concentrations, variances), designs last."""
    grid = [each.ravel() for each in np.meshgrid(*axes, indexing="ij")]
    base = config.memory.parameters(perturbation)
    parts = []
    for start in range(0, grid[0].size, AT_ONCE):
        rate, concentration, variance = (each[start : start + AT_ONCE] for each in grid)
        missing = AT_ONCE - rate.size if grid[0].size > AT_ONCE else 0
        rate, concentration, variance = (
            np.pad(each, (0, missing), mode="edge")
            for each in (rate, concentration, variance)
        )
        same = CauseParameters(*(np.full(rate.shape, each) for each in base))
        p = same._replace(
            learning_rate=rate,
            concentration=concentration,
            outcome_log_precision=-np.log(variance),
        )
        found = at_test(designs, p)
        parts.append([each[: AT_ONCE - missing or None] for each in found])
    shape = (*(each.size for each in axes), len(designs))
    return AtTest(
        *(np.concatenate(each).reshape(shape) for each in zip(*parts, strict=True))
    )


def benefit_of(found: Map, present: float) -> np.ndarray:
    """Whether a reminder takes the response below a third of one that is there without, (..., intervals)."""
    alone = found.alone.response[..., None]
    return (alone > present) & (found.reminded.response < alone / 3)


def as_published(days: np.ndarray) -> np.ndarray:
    """Complete by day 10, partial on days 1 and 2, with one of the clocks (acquisition's response is 1)."""
    at_once, first, second, tenth = np.moveaxis(days, -1, 0)
    return np.any(
        (tenth >= 0.9) & (first < 0.9) & (second < 0.9) & (at_once < first), axis=-1
    )

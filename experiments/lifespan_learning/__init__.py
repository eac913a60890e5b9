"""Do children and older adults learn less from each outcome, and are they drawn to where they start?

Bruckner et al.: people of four age groups predict where a hidden helicopter drops its next bag. In a second
experiment the mark of the last prediction waits where it was left, or has been moved (the shifting condition).
Every person is measured without any model (regression of the update on the prediction error) and fitted alone by
the change-point agent; the fitted people are simulated and measured in the same way.

Predictions that could fail: younger adults have the highest learning rate; everybody's is higher after change
points; in the shifting condition children and older adults are drawn to where the mark was put and younger adults
are not; simulated people show all of this; their responses alone do.

Reference: Bruckner, Nassar, Li & Eppinger, Differences in learning across the lifespan emerge via resource-rational
computations (PsyArXiv nh9bq, 2020, and later versions).

Time: eight minutes; three with --smoke, most of it compiling
"""

from typing import Any

from pcmodel.report import Report

from .computing import Results, compute
from .config import Config as Config
from .drawing import draw
from .judging import Summary, judge
from .writing import write


def run(config: Config, *, seed: int, progress: Any) -> Results:
    """Measure, fit, simulate and measure again."""
    return compute(config, seed=seed, progress=progress)


def analyse(config: Config, results: Results) -> Summary:
    """The published claims, in people and in simulated people."""
    return judge(results)


def plot(config: Config, results: Results, summary: Summary) -> dict[str, Any]:
    """Learning rates and pulls by age."""
    return draw(results)


def report(config: Config, results: Results, summary: Summary) -> Report:
    """The page."""
    return write(config, results, summary)

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

from pcmodel.report import Experiment

from .claims import CLAIMS, summarise
from .figures import FIGURES
from .simulate import Config, simulate
from .words import TABLES, WORDS

EXPERIMENT = Experiment(
    Config,
    simulate,
    claims=CLAIMS,
    summarise=summarise,
    figures=FIGURES,
    tables=TABLES,
    words=WORDS,
    page="page.md",
)

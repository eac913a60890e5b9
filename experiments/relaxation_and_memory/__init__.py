"""Does a drug that relaxes the precision of outcomes rewrite a memory by itself, and is that another thing than learning faster?

Extinction takes place under a drug, with and without a reminder before it. The drug scales the precision of the outcome level, the
learning rate, or both; and it acts as each account of psychedelics says that has a gain on the outcome level.

Predictions that could fail: with less precise outcomes extinction changes the old memory without a reminder and leaves little for one
to add; with faster learning alone it does not; more precise outcomes take a reminder's benefit away.

References: Gershman, Monfils, Norman & Niv 2017; Carhart-Harris & Friston 2019; Nardou et al. 2023.

Time: a minute; half of that with --smoke
"""

from pcmodel.report import Experiment

from .._conditioning import ASSUMED
from .claims import CLAIMS, summarise
from .figures import FIGURES
from .simulate import Config, simulate

EXPERIMENT = Experiment(
    Config,
    simulate,
    claims=CLAIMS,
    summarise=summarise,
    figures=FIGURES,
    words={"assumed": ASSUMED},
    page="page.md",
    float64=True,
)

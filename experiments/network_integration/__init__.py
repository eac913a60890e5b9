"""Does relaxing high-level precision make brain networks less separate, and in which order?

Nine accounts act on hierarchies of seven cortical networks that learned from streams; fMRI connectivity of spontaneous
activity follows exactly, without sampling in time, with and without global-signal regression, in two parcellations.

Predictions that could fail: between-network coupling rises and within falls less or not (REBUS, measured receptor map);
within minus between falls by 10 to 40 %; the eigenspectrum's entropy rises; the null account does neither. Connectivity
changes less in a task than with eyes closed.

References: Carhart-Harris et al. 2012; Singleton et al. 2022; Girn et al. 2022; Siegel et al. 2024.

Time: four minutes; seconds with --smoke
"""

from pcmodel.report import Experiment

from .claims import CLAIMS, summarise
from .figures import FIGURES
from .simulate import Config, simulate
from .tables import TABLES, WORDS

EXPERIMENT = Experiment(
    Config,
    simulate,
    claims=CLAIMS,
    summarise=summarise,
    figures=FIGURES,
    tables=TABLES,
    words=WORDS,
    page="page.md",
    float64=True,
)

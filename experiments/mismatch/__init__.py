"""Which account gives the mismatch response what ketamine, psilocybin and LSD are reported to do to it, all at once?

A chain hears trains of a standard and then a deviant; what it expects is learned tone by tone. Ketamine blocks the passing
on of errors and plasticity; psilocybin and LSD act through each rival account in turn.

Predictions that could fail: ketamine weakens the growth of the mismatch with repetition; psilocybin changes it less
than half as much; LSD weakens adaptation to the standard and the response to the deviant; a verdict for every account, and
one for all three at once. Controls: no learning, uniform precisions, noise, roving sequences at random.

References: Schmidt et al. 2012, 2013; Weber et al. 2020; Timmermann et al. 2018.

Time: a minute on two idle cores; much of it compiling
"""

from pcmodel.report import Experiment

from .claims import CLAIMS, TABLES, WORDS, summarise
from .figures import FIGURES
from .simulate import Config, simulate

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

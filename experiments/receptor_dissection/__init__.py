"""What does each receptor contribute: 5-HT2A, 5-HT1A, partial agonists, buspirone?

Psilocybin 12 mg (170 µg/kg) is taken alone, with ketanserin, with buspirone, and as if it lacked one of its receptors; the
efficacy of a 5-HT2A agonist is lowered from full to none. 5-HT2A relaxes precisions (REBUS), 5-HT1A dims the
units' slopes; the alternative, 5-HT1A giving precision back, is run beside it.

Predictions that could fail: buspirone 20 mg changes the sensory part of the experience more than the top; an
agonist of a third of psilocin's efficacy changes neither, at any dose.

References: Pokorny et al. 2016; Vollenweider et al. 1998; Rickli et al. 2016; Black & Leff 1983.

Time: a minute on two idle cores; half of that with --smoke, nearly all of it compiling
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

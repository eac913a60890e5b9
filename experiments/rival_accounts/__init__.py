"""What separates the rival accounts of a psychedelic, and what cannot?

Random hierarchies with tanh units hold a belief, meet contradicting evidence, and are modulated by each
account in turn: relaxed priors (REBUS), raised senses, strengthened-then-relaxed priors (SEBUS), top-down
mixing (oneirogen), noise, dimmed units (5-HT1A), and every precision alike.

Predictions that could fail: the sign of each observable under each account, as a published critique expected
it before anything was run; a verdict for every cell. A theorem stands beside them: belief means cannot tell
relaxed priors from raised senses.

References: Carhart-Harris & Friston 2019; Rajpal et al. 2022; Safron et al.; Bredenberg et al.; Juliani et al. 2024.

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

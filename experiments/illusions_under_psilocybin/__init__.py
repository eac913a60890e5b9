"""Which account of psilocybin predicts that it strengthens a size illusion, with nothing fitted to the drug?

The surround of a centre acts on its perceived size under an explicit mechanism: a scale that both share, a norm
that the centre is judged against, or a learned expectation. Dose, receptors and each account's default strength make
the prediction at 5 and 10 mg; the placebo illusion sets its size, and the within-person differences of 18 people
score it against no change.

Predictions that could fail: one for each account and mechanism. Controls: a shared prior alone (wrong sign without
any drug), uniform precisions and noise (no change), one person left out at a time.

References: Aqil, de Hollander, Vreugdenhil, Knapen & Dumoulin 2025, Nat Commun.

Time: two minutes on two idle cores; less with --smoke
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

"""What does lowering the precision of one level of a hierarchy do to a belief that meets contradicting evidence,
and what can people's behaviour say about it?

A hierarchy is trained on handwritten digits with a learned precision at every level. A belief
is held at its top ("this is a 3"); images of another digit contradict it with growing strength; the
precision of each level is lowered alone and in combination.

Predictions that could fail: relaxing the top lowers the evidence needed and beliefs flip to the
class *shown*; relaxing the levels between protects the belief; neither an untrained network nor
noise of the same size lands on the right class. Controls that must hold: all gains alike move
nothing; raised senses equal relaxed everything-else in the mode; relaxation without evidence moves
nothing.

The participant model is the same hierarchy over trials, fitted to people with NumPyro, with what
such fits can and cannot tell apart.

References: Carhart-Harris & Friston 2019 (Pharmacol Rev 71:316); Nassar et al. 2010 (J Neurosci
30:12366).

Time: about four minutes on two cores; a minute with --smoke, nearly all of it compiling
"""

from pcmodel.report import Experiment

from .claims import CLAIMS
from .config import Config
from .figures import FIGURES
from .simulate import simulate
from .summary import summarise
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
)

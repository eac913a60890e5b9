"""How do revision, confidence, settling time and uncertainty depend on dose and time, with and without blockade?

Psilocybin, LSD and DMT over a hundredfold of dose, in simulated people; ketanserin before and after;
two read-outs of LSD with different midpoints; little LSD, and receptors that exchange slowly.

Predictions that could fail: ketanserin an hour after LSD ends the experience and leaves plasma alone, before
LSD it abolishes it; good effects are nearer their ceiling at 100 ug than ego dissolution; 25 mg but not
1 mg of psilocybin lowers confidence in a negative self-belief, more in those whose uncertainty rises more;
10 ug of LSD is felt from 1.1 to 5.1 h, 5 ug is not; people differ in duration as published.

References: Holze et al. 2019, 2021, 2023; Becker et al. 2023; Preller et al. 2017; Zeifman et al. 2025.

Time: three minutes on two idle cores; a minute with --smoke, most of it compiling
"""

from pcmodel.report import Experiment

from .claims import CLAIMS
from .config import Config
from .figures import FIGURES
from .simulate import simulate
from .summary import TABLES, WORDS, summarise

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

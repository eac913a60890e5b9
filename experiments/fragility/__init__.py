"""Where does the benefit of a reminder live, and does spontaneous recovery live there too?

The latent-cause model is run over a map of its parameters: concentration of causes, variance of outcomes, learning rate, and the interval
after the reminder. Two published findings are asked of each point: a reminder prevents the return of the response, and without one
the response returns over days, complete by the tenth.

Predictions that could fail: the benefit fills at least a tenth of the region that a fit would call plausible; both findings
are found together; its edges are those of committing each trial to one cause.

References: Gershman, Monfils, Norman & Niv 2017; Quirk 2002; Monfils et al. 2009; Chalkia et al. 2020.

Time: two minutes; half a minute with --smoke
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

"""When does a reminder before extinction rewrite a memory, and when is a second memory made beside it?

A latent-cause learner meets the designs of the reconsolidation literature: a reminder and an interval before extinction, tests
after days, in other contexts, after an unsignalled shock; old and strong memories; an amnestic agent.

Predictions that could fail: the reminder's benefit has two sharp edges in time; it vanishes without a prediction error; what is rewritten
shows less than a third of the reinstatement and of the renewal; spontaneous recovery is complete by day 10.

References: Gershman, Monfils, Norman & Niv 2017; Monfils et al. 2009; Suzuki et al. 2004; Quirk 2002; Chalkia et al. 2020.

Time: half a minute; half of that with --smoke, nearly all of it compiling
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

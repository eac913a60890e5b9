"""Does gradual extinction keep fear from coming back because it changes the old memory?

Gershman et al. (2013): 48 rats were conditioned with three shocks and extinguished with 24 tones a day later, without shocks
(standard), with shocks that became rarer (gradual) or more frequent (reverse), then tested after a day and after 30 more.
The latent-cause model, one memory that is overwritten, and Rescorla-Wagner learning are fitted to one half of the rats of
each group and predict the other half, all of a rat's freezing together; and are fitted to extinction alone and predict the
tests.

Predictions that could fail: freezing rises from the first to the second test after standard extinction and falls after
gradual and reverse extinction, in the rats left out; latent causes predict them better than either rival; a rat's own
protocol predicts it better than another group's.

References: Gershman, Jones, Norman, Monfils & Niv 2013, Front Behav Neurosci 7:164; Song, Jones, Monfils & Niv 2022 (data);
Gershman, Monfils, Norman & Niv 2017, eLife 6:e23763 (model).

Time: eight minutes of one core; two with --smoke, nearly all of it compiling
"""

from pcmodel.report import Experiment

from .claims import CLAIMS, summarise
from .figures import FIGURES
from .simulate import Config, simulate
from .words import TABLES, WORDS

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
"""What latent causes explain of the return of fear, and what they do not."""

"""What does a drug add to therapy, what does it do alone, and who improves?

The same simulated people go through every arm of a protocol (`--protocol FILE`, or the name of one that comes with the
package): preparation, dosing, integration, daily life with rumination and avoidance, an adverse event. A belief about the
self meets evidence; a drug relaxes it for hours and opens a window of faster learning for days. Rival accounts of the
drug are run beside.

Predictions that could fail: drug and therapy together do more than both apart; the drug alone does little; a directive
suggestion installs beliefs, true or false, far more under the drug; suggestibility tells who improves.

References: Carhart-Harris & Friston 2019; Kube et al. 2020; Mitchell et al. 2021, 2023; Carhart-Harris et al. 2021;
Goodwin et al. 2022; Zeifman et al. 2025; Harmer et al. 2009.

Time: two minutes on two idle cores; a minute with --smoke, nearly all of it compiling
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

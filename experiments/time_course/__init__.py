"""How does one dose travel from plasma to belief, on one clock?

Psilocybin, LSD, DMT and MDMA are given to simulated people; plasma, receptor occupancy, effect, the
precision of every level, a belief that meets one benign observation, and blood pressure are followed
together. The belief account is one of several (`account`); `rival_accounts` compares them.

Predictions that could fail: with the second stage calibrated on psilocybin alone, psilocybin 20 mg ends
before LSD 100 ug; people differ as much in duration as published; a second dose of MDMA does less.

References: Holze et al. 2019, 2023; Vogt et al. 2023; Ley et al. 2023; Vizeli & Liechti 2017; Madsen et al. 2019.

Time: a minute and a half on two idle cores; a minute with --smoke, most of it compiling
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

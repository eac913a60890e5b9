"""What frees a belief in which a rigid default mode dwells, for hours and for longer?

A hierarchy of seven cortical networks whose default mode, with the self at the top, is too sure of a negative self. Its
spontaneous activity, what contradicting evidence does to it, and the day after are told without drug, under nine accounts,
and with the controls: evidence alone, drug alone, evidence in an open window.

Predictions that could fail: rigid people stay longer in the belief, the self explains more of the other networks, the
default network is coupled more within and less to others; REBUS frees the belief for hours, with evidence for longer than
the evidence alone; modularity falls the day after.

References: Carhart-Harris & Friston 2019; Daws et al. 2022; Kube et al. 2019; Gattuso et al. 2023.

Time: six minutes; a minute with --smoke
"""

from pcmodel.report import Experiment

from .claims import CLAIMS, summarise
from .figures import FIGURES
from .simulate import Config, simulate
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
    float64=True,
)

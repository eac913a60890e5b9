"""Which perceptual phenomena follow from one hierarchy with precisions, and what does each account of a drug do to them?

End-stopping is learned from rows of bars; a hollow mask is seen as convex; two eyes rival; a centre looks smaller in a large
surround. Every rival account acts at the effect of one full dose.

Predictions that could fail: bars that outgrow a field excite less, and only while feedback lasts; relaxed priors restore
the veridical percept of the mask; rivalry obeys Levelt's propositions, and psilocybin slows and mixes it, after ketanserin
too, as published. Controls: feedback cut, images without structure between fields, no fatigue, uniform precisions, noise.

References: Rao & Ballard 1999; Carter et al. 2005, 2007; Schneider et al. 2002; Dima et al. 2009.

Time: several minutes on two idle cores; less with --smoke
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

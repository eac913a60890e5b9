"""Learning: EM with posterior samples."""

from pcmodel.learning.e_step import PointEstimate as PointEstimate
from pcmodel.learning.e_step import PosteriorSamples as PosteriorSamples
from pcmodel.learning.em import Learning as Learning
from pcmodel.learning.gauge import FixedHiddenPrecision as FixedHiddenPrecision
from pcmodel.learning.gauge import FixedWeightNorm as FixedWeightNorm
from pcmodel.learning.loop import LearningCurve as LearningCurve

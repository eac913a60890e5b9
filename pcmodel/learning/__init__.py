"""Learning: EM with posterior samples, alternative learning rules, and the training loop they share.

May import: `inputs`, `runtime`, `model`, `inference`.
"""

from pcmodel.learning.classical import classical as classical
from pcmodel.learning.e_step import PointEstimate as PointEstimate
from pcmodel.learning.e_step import PosteriorSamples as PosteriorSamples
from pcmodel.learning.em import Learning as Learning
from pcmodel.learning.gauge import FixedHiddenPrecision as FixedHiddenPrecision
from pcmodel.learning.gauge import FixedWeightNorm as FixedWeightNorm
from pcmodel.learning.incremental import Incremental as Incremental
from pcmodel.learning.loop import Chunk as Chunk
from pcmodel.learning.loop import LearningCurve as LearningCurve
from pcmodel.learning.loop import Position as Position
from pcmodel.learning.nudging import EvenOdd as EvenOdd
from pcmodel.learning.nudging import FixedPoint as FixedPoint
from pcmodel.learning.nudging import Nudged as Nudged
from pcmodel.learning.nudging import NudgedLoss as NudgedLoss
from pcmodel.learning.persistent_hmc import Hmc as Hmc
from pcmodel.learning.precisions.m_step import ClosedForm as ClosedForm
from pcmodel.learning.precisions.m_step import Frozen as Frozen
from pcmodel.learning.precisions.m_step import GradientStep as GradientStep
from pcmodel.learning.precisions.m_step import MovingAverage as MovingAverage
from pcmodel.learning.precisions.natural_gradient import (
    NaturalGradient as NaturalGradient,
)
from pcmodel.learning.precisions.settling import LearnedPrecisions as LearnedPrecisions
from pcmodel.learning.precisions.settling import Settling as Settling
from pcmodel.learning.precisions.settling import settling as settling
from pcmodel.learning.precisions.settling import standard_errors as standard_errors
from pcmodel.learning.precisions.settling import unsettled as unsettled
from pcmodel.learning.rules import Backpropagation as Backpropagation
from pcmodel.learning.rules import Equilibrium as Equilibrium

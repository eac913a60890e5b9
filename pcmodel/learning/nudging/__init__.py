"""Nudging: learning from small displacements of the ends towards their targets and away from them.

Equilibrium propagation (Scellier & Bengio 2017) in a predictive-coding network: `Nudged` displaces the *target*,
`NudgedLoss` weighs the *loss*.
"""

from pcmodel.learning.nudging.loss import NudgedLoss as NudgedLoss
from pcmodel.learning.nudging.settling import EvenOdd as EvenOdd
from pcmodel.learning.nudging.settling import FixedPoint as FixedPoint
from pcmodel.learning.nudging.target import Nudged as Nudged

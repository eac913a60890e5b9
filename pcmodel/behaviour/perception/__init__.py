"""Published models of how a belief follows outcomes, behind one interface.

The package's own hierarchy has `pcmodel.behaviour.change_point.participant`; these are the rivals it
is compared with, each with the update of its own publication.
"""

from pcmodel.behaviour.perception.arms import IndependentArms as IndependentArms
from pcmodel.behaviour.perception.arms import (
    SharedVolatilityArms as SharedVolatilityArms,
)
from pcmodel.behaviour.perception.hgf import BinaryHgf as BinaryHgf
from pcmodel.behaviour.perception.hgf import ContinuousHgf as ContinuousHgf
from pcmodel.behaviour.perception.hgf import HgfParameters as HgfParameters
from pcmodel.behaviour.perception.interface import Beliefs as Beliefs
from pcmodel.behaviour.perception.interface import Inputs as Inputs
from pcmodel.behaviour.perception.interface import PerceptualModel as PerceptualModel
from pcmodel.behaviour.perception.interface import Prediction as Prediction
from pcmodel.behaviour.perception.interface import Trace as Trace
from pcmodel.behaviour.perception.interface import make_inputs as make_inputs
from pcmodel.behaviour.perception.interface import perceive as perceive
from pcmodel.behaviour.perception.kalman import Kalman as Kalman
from pcmodel.behaviour.perception.kalman import KalmanParameters as KalmanParameters
from pcmodel.behaviour.perception.rescorla_wagner import (
    RescorlaWagner as RescorlaWagner,
)
from pcmodel.behaviour.perception.rescorla_wagner import (
    RescorlaWagnerParameters as RescorlaWagnerParameters,
)
from pcmodel.behaviour.perception.volatility import enhanced_pyhgf as enhanced_pyhgf
from pcmodel.behaviour.perception.volatility import enhanced_tapas as enhanced_tapas
from pcmodel.behaviour.perception.volatility import standard as standard
from pcmodel.behaviour.perception.volatility import unbounded_pyhgf as unbounded_pyhgf

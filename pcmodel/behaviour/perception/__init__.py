"""Published perceptual models: how a belief changes with outcomes, behind one interface.

They are compared with the package's own hierarchy
(`pcmodel.behaviour.change_point.participant`); each has the update of its own publication.
"""

from pcmodel.behaviour.perception.arms import IndependentArms as IndependentArms
from pcmodel.behaviour.perception.arms import (
    SharedVolatilityArms as SharedVolatilityArms,
)
from pcmodel.behaviour.perception.decaying_kalman import (
    DecayingKalman as DecayingKalman,
)
from pcmodel.behaviour.perception.decaying_kalman import (
    DecayingKalmanParameters as DecayingKalmanParameters,
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
from pcmodel.behaviour.perception.pearce_hall import PearceHall as PearceHall
from pcmodel.behaviour.perception.pearce_hall import (
    PearceHallParameters as PearceHallParameters,
)
from pcmodel.behaviour.perception.rescorla_wagner import (
    RescorlaWagner as RescorlaWagner,
)
from pcmodel.behaviour.perception.rescorla_wagner import (
    RescorlaWagnerParameters as RescorlaWagnerParameters,
)
from pcmodel.behaviour.perception.volatile_kalman import (
    VolatileKalman as VolatileKalman,
)
from pcmodel.behaviour.perception.volatile_kalman import (
    VolatileKalmanParameters as VolatileKalmanParameters,
)
from pcmodel.behaviour.perception.volatility import enhanced_pyhgf as enhanced_pyhgf
from pcmodel.behaviour.perception.volatility import enhanced_tapas as enhanced_tapas
from pcmodel.behaviour.perception.volatility import standard as standard
from pcmodel.behaviour.perception.volatility import unbounded_pyhgf as unbounded_pyhgf
from pcmodel.behaviour.perception.volatility import unbounded_tapas as unbounded_tapas

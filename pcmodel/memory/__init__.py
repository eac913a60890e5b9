"""Memories of conditioning: what an experience updates, and when it forms a memory of its own.

The latent-cause model of Gershman, Monfils, Norman & Niv (2017) infers of every trial which of its memories ("causes")
it belongs to. It meets the hierarchy at the outcome level, whose precision decides how surprising an outcome must be to
need another cause.

May import: `inputs`, `runtime`, `model`, `inference`.
"""

from pcmodel.memory.assignment import Map as Map
from pcmodel.memory.assignment import Soft as Soft
from pcmodel.memory.latent_causes import CauseHistory as CauseHistory
from pcmodel.memory.latent_causes import CauseOptions as CauseOptions
from pcmodel.memory.latent_causes import CauseParameters as CauseParameters
from pcmodel.memory.latent_causes import learn_causes as learn_causes
from pcmodel.memory.particles import compare_with_map as compare_with_map
from pcmodel.memory.particles import filter_causes as filter_causes
from pcmodel.memory.rescorla_wagner import (
    RescorlaWagnerParameters as RescorlaWagnerParameters,
)
from pcmodel.memory.rescorla_wagner import learn_values as learn_values
from pcmodel.memory.single_cause import SingleCauseParameters as SingleCauseParameters
from pcmodel.memory.single_cause import learn_single_cause as learn_single_cause
from pcmodel.memory.trials import Trials as Trials
from pcmodel.memory.trials import make_trials as make_trials
from pcmodel.memory.trials import stack_trials as stack_trials

"""Participant and response models, and fits of precision to behaviour (NumPyro).

May import: `inputs`, `runtime`, `model`, `inference`, `data`, `paradigms`, `memory`.
"""

from pcmodel.behaviour.change_point.agent import Agent as Agent
from pcmodel.behaviour.change_point.participant import (
    ParticipantParameters as ParticipantParameters,
)
from pcmodel.behaviour.change_point.task import Trials as Trials
from pcmodel.behaviour.change_point.task import make_trials as make_trials
from pcmodel.behaviour.change_point.task import simulate_task as simulate_task
from pcmodel.behaviour.change_point.unroll import Trajectory as Trajectory
from pcmodel.behaviour.change_point.unroll import log_likelihood as log_likelihood
from pcmodel.behaviour.change_point.unroll import run_participant as run_participant
from pcmodel.behaviour.change_point.unroll import (
    simulate_participant as simulate_participant,
)
from pcmodel.inference.importance.psis import psis_loo as psis_loo

"""Participant and response models, and fits of precision to behaviour (NumPyro)."""

from pcmodel.behaviour.agent import Agent as Agent
from pcmodel.behaviour.loo import psis_loo as psis_loo
from pcmodel.behaviour.participant import (
    ParticipantParameters as ParticipantParameters,
)
from pcmodel.behaviour.task import Trials as Trials
from pcmodel.behaviour.task import make_trials as make_trials
from pcmodel.behaviour.task import simulate_task as simulate_task
from pcmodel.behaviour.unroll import Trajectory as Trajectory
from pcmodel.behaviour.unroll import log_likelihood as log_likelihood
from pcmodel.behaviour.unroll import run_participant as run_participant
from pcmodel.behaviour.unroll import simulate_participant as simulate_participant

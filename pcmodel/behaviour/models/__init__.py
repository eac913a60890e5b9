"""Participant models: a perceptual model and a response model for one series of trials.

The perceptual model is one of `perception`, or the package's own hierarchy. Parameters are
real numbers with names and priors.
"""

from pcmodel.behaviour.models.bandit import BanditModel as BanditModel
from pcmodel.behaviour.models.binary import BinaryModel as BinaryModel
from pcmodel.behaviour.models.catalogue import MODELS as MODELS
from pcmodel.behaviour.models.catalogue import find_model as find_model
from pcmodel.behaviour.models.conditioning import (
    ConditioningModel as ConditioningModel,
)
from pcmodel.behaviour.models.helicopter import HelicopterModel as HelicopterModel
from pcmodel.behaviour.models.interface import Parameter as Parameter
from pcmodel.behaviour.models.interface import ParticipantModel as ParticipantModel
from pcmodel.behaviour.models.judged import JudgedModel as JudgedModel
from pcmodel.behaviour.models.judged import judged as judged
from pcmodel.behaviour.models.learners import LatentCauses as LatentCauses
from pcmodel.behaviour.models.learners import RescorlaWagner as RescorlaWagner
from pcmodel.behaviour.models.learners import SingleCause as SingleCause
from pcmodel.behaviour.models.rating import RatingModel as RatingModel

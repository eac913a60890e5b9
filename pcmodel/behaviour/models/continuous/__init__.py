"""Predictions of continuous outcomes of unknown noise: filters with their priors, and the response model.

May import: `interface`, `binary` and `filters` of the folder above, perception and responses.
"""

from pcmodel.behaviour.models.continuous.prediction import (
    PredictionModel as PredictionModel,
)

"""Perception of faint stimuli that are expected: prior against senses within a trial, and the response model.

May import: `interface`, `binary` and `filters` of the folder above, perception and responses.
"""

from pcmodel.behaviour.models.detection.detection import (
    DetectionModel as DetectionModel,
)

"""The task of detecting a faint stimulus after a cue."""

from pcmodel.behaviour.dataset.tasks.interface import Column, Task

DETECTION = Task(
    "detection",
    "a cue, then a faint stimulus or none (conditioned hallucinations); whether it was perceived",
    (
        Column(
            "detection_rate",
            "number",
            0.0,
            1.0,
            names=("intensity_probability", "true_positive_rate", "tp", "p_detect"),
            about="probability with which a stimulus of this intensity is detected (from a threshold procedure), 0 "
            "without a stimulus",
            examples=("0.75", "0.5", "0", "0.75", "0", "0.25"),
        ),
        Column(
            "response",
            "binary",
            names=("heard", "percept", "detected", "choice", "y"),
            about="whether it was perceived: two values, of which the larger is yes",
            examples=("1", "1", "0", "1", "0", "1"),
        ),
    ),
    response="response",
)

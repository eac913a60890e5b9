"""The task of predicting continuous outcomes."""

from pcmodel.behaviour.dataset.tasks.interface import Column, Task

PREDICTION = Task(
    "prediction",
    "a continuous outcome of unknown noise is predicted, then seen",
    (
        Column(
            "outcome",
            "number",
            names=("u", "reward", "observation", "feedback"),
            about="what was seen, in any unit",
            examples=("41.5", "44", "39.2", "61", "58.3", "63.9"),
        ),
        Column(
            "prediction",
            "number",
            names=("response", "report", "estimate", "predicted", "y", "slider"),
            about="what was predicted, before it was seen, in the outcome's unit",
            examples=("50", "46", "46", "50", "57", "57.5"),
        ),
    ),
    response="prediction",
)

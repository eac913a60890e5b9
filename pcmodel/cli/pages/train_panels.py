"""The figures on the page of a training, in words."""

from pcmodel.report import Panel
from pcmodel.training.plan import TrainingPlan

MOST_LEVELS = 8
"""Levels up to which the picture of a network can be read."""


def picture(names: tuple[str, ...]) -> tuple[Panel, ...]:
    """The panel with the picture of the trained network; none for one with too many levels."""
    if len(names) > MOST_LEVELS:
        return ()
    return (
        Panel(
            "hierarchy",
            "The trained hierarchy: a box is a level, with its units and learned precision; arrows run from a level to what "
            "it predicts.",
            f"Boxes for the levels {', '.join(names)}, from the bottom.",
        ),
    )


def training_panels(plan: TrainingPlan) -> tuple[Panel, ...]:
    """Learning curves, then what was learned."""
    found = [
        Panel(
            "learning",
            "Energy of the training examples"
            + (
                " (label and hidden levels; the images are given)"
                if plan.network.direction == "classify"
                else ""
            )
            + ", and the share named correctly.",
            "Learning curves.",
        )
    ]
    if plan.learning.precision_rate > 0:
        found.append(
            Panel(
                "precisions",
                "Mean log-precision of each level.",
                "Log-precision by level over the epochs.",
            )
        )
    if plan.network.direction == "generate":
        found.append(
            Panel(
                "images",
                "What each label at the top predicts at the bottom, and one draw with the noise that "
                "the precisions allow.",
                "Two rows of images, one column for each label.",
            )
        )
    else:
        found.append(
            Panel(
                "reliability",
                "Share of right answers among those given with the same probability.",
                "Reliability diagram.",
            )
        )
    return tuple(found)

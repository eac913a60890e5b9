"""The models of the detection task, by their names on the command line."""

from pcmodel.behaviour.models import filters
from pcmodel.behaviour.models.detection.detection import DetectionModel
from pcmodel.behaviour.models.interface import Entry
from pcmodel.behaviour.perception import enhanced_tapas, unbounded_tapas

POWERS = "Powers, Mathys & Corlett 2017, Science 357:596"

DETECTION: dict[str, Entry] = {
    "rescorla_wagner": Entry(
        lambda s: DetectionModel(filters.rescorla_wagner()),
        "What is expected is corrected by a fixed share of each percept's error.",
        "Rescorla & Wagner 1972; Powers et al. 2017",
    ),
    "hgf2": Entry(
        lambda s: DetectionModel(filters.two_levels()),
        "The log odds of the stimulus are believed to take random steps, always of one variance.",
        POWERS,
    ),
    "hgf3": Entry(
        lambda s: DetectionModel(filters.three_levels()),
        "As hgf2, with a third level: the variance of the steps is itself believed to change.",
        POWERS,
    ),
    "ehgf3": Entry(
        lambda s: DetectionModel(filters.three_levels(rule=enhanced_tapas)),
        "As hgf3, with an update of the third level whose precision cannot become negative.",
        "TAPAS `ehgf_binary`; Powers et al. 2017",
    ),
    "uhgf3": Entry(
        lambda s: DetectionModel(filters.three_levels(rule=unbounded_tapas)),
        "As hgf3, with two Gaussians for the third level's posterior: precisions stay positive.",
        "HGF Toolbox 8.2.0 `uhgf_binary`; Powers et al. 2017",
    ),
    "uhgf3_mode": Entry(
        lambda s: DetectionModel(
            filters.three_levels(rule=unbounded_tapas, at_mode=True)
        ),
        "As uhgf3, with the log odds at the mode of their posterior: smooth in all parameters.",
        f"the response: {POWERS}",
    ),
}

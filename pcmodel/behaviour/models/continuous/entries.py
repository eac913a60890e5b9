"""The models of the prediction task, by their names on the command line."""

from collections.abc import Callable

from pcmodel.behaviour.models.continuous import filters
from pcmodel.behaviour.models.continuous.prediction import PredictionModel
from pcmodel.behaviour.models.filters import Filter
from pcmodel.behaviour.models.interface import Build, Entry
from pcmodel.behaviour.perception import unbounded_tapas

HGF = "Mathys et al. 2014, Front Hum Neurosci 8:825"
UNBOUNDED = "HGF Toolbox 8.2.0 `uhgf` (arXiv 2605.00966)"
POSITIVE = "with two Gaussians for a volatility's posterior: precisions stay positive."


def _build(make: Callable[[], Filter]) -> Build:
    return lambda facts: PredictionModel(make())


PREDICTION: dict[str, Entry] = {
    "rescorla_wagner": Entry(
        _build(filters.rescorla_wagner),
        "The predicted value is corrected by a fixed share of each error.",
        "Rescorla & Wagner 1972",
    ),
    "kalman": Entry(
        _build(filters.kalman),
        "The outcome's mean takes steps of one variance, so that the learning rate settles.",
        "Kalman 1960",
    ),
    "volatile_kalman": Entry(
        _build(filters.volatile_kalman),
        "As kalman, with a variance of the steps that is learned from the size of past steps.",
        "Piray & Daw 2020, PLoS Comput Biol 16:e1007963",
    ),
    "hgf2": Entry(
        _build(lambda: filters.hgf(2)),
        "The outcome's mean takes steps whose log variance is itself believed to change.",
        HGF,
    ),
    "hgf3": Entry(
        _build(lambda: filters.hgf(3)),
        "As hgf2, with a third level: how fast the volatility changes is believed to change, too.",
        HGF,
    ),
    "uhgf2": Entry(
        _build(lambda: filters.hgf(2, rule=unbounded_tapas)),
        f"As hgf2, {POSITIVE}",
        UNBOUNDED,
    ),
    "uhgf3": Entry(
        _build(lambda: filters.hgf(3, rule=unbounded_tapas)),
        f"As hgf3, {POSITIVE}",
        UNBOUNDED,
    ),
}

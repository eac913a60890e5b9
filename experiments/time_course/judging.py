"""`analyse`: a verdict for every claim."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Verdict

from .._claims import verdicts
from .claiming import claims
from .computing import Config, Results


class Summary(NamedTuple):
    """What result.json holds.

    ratio: of mean durations, and its middle 90 % over studies; by_person: typical, and over people.
    """

    intensity: dict[str, float]
    hours_felt: dict[str, float]
    ratio: np.ndarray
    by_person: np.ndarray
    ratio_in_vitro: float
    verdicts: tuple[Verdict, ...]


def analyse(config: Config, results: Results) -> Summary:
    """Verdicts."""
    groups, every = results.groups, claims(config)
    ratio, person, in_vitro = (results.tested[claim.name].as_set for claim in every[:3])
    return Summary(
        {name: float(each.intensity[0]) for name, each in groups.items()},
        {name: float(each.felt[0]) for name, each in groups.items()},
        ratio,
        person,
        float(in_vitro[0]),
        verdicts(every, results.tested),
    )

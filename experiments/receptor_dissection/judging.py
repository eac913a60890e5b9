"""`analyse`: a verdict for every claim."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Verdict

from .._claims import verdicts
from .claiming import claims
from .computing import LEAST, Config, Results, removed


class Summary(NamedTuple):
    """What buspirone removes of psilocybin's change, in SD by level (negative: adds), and verdicts.

    least_efficacy: the smallest tried, as a share of psilocin's, whose effect at 5-HT2A is felt.
    """

    removed: np.ndarray
    removed_if_restoring: np.ndarray
    least_efficacy: float
    verdicts: tuple[Verdict, ...]


def analyse(config: Config, results: Results) -> Summary:
    """Verdicts."""
    share, other = (
        removed(each["psilocybin"], each["+ buspirone"])[0]
        for each in (results.dimming, results.restoring)
    )
    some = results.partial.max(axis=1) > LEAST
    least = float(results.efficacy[np.argmax(some)])
    return Summary(share, other, least, verdicts(claims(config), results.tested))

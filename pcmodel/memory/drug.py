"""What a drug does to a memory: the precision of outcomes and the rate of learning, apart from each other.

Two hypotheses that are easily confused: relaxed beliefs (a gain below 1 on the outcome level's precision makes
unexpected outcomes less surprising) and a window of plasticity (a factor on the learning rate).
"""

from typing import NamedTuple

import numpy as np

from pcmodel.errors import UserError, unknown_name
from pcmodel.model.modulation import Modulation


class DrugGains(NamedTuple):
    """outcome: factor on the outcome level's precision, above 0.  learning: on the learning rate, 0 or more."""

    outcome: float
    learning: float


def gains_of(modulation: Modulation, *, level: str = "outcome") -> DrugGains:
    """The gains of a modulation, of which `level` is the outcome level.

    Raises UserError for what a memory has no part for: other levels, slopes, error transmission, activity.
    """
    for name in modulation.gains:
        if name != level:
            raise unknown_name("level of a memory", str(name), [level])
    others = {
        "slopes": bool(modulation.slopes),
        "error_transmission": bool(modulation.error_transmission),
        "top_down and temperature": modulation.acts_on_activity,
    }
    for name, acts in others.items():
        if acts:
            raise UserError(
                "act on a hierarchy's activity, which a memory does not have",
                where=name,
                expected=f"a gain on {level!r} and plasticity alone",
            )
    gain = np.asarray(modulation.gains.get(level, 1.0))
    if gain.ndim:
        raise UserError(
            f"has the shape {gain.shape}", where=f"gain of {level!r}", expected="one"
        )
    return DrugGains(float(gain), float(np.asarray(modulation.plasticity)))

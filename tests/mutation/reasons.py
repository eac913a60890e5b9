"""Why a line of the core is not worth a sabotage."""

from typing import NamedTuple


class Equal(NamedTuple):
    """A line of `file` that contains `text`: whatever stands there, the answers are equal.

    changes: the only ones of which that is true, each "before -> after"; empty: all of them.
    """

    file: str
    text: str
    reason: str
    changes: tuple[str, ...] = ()


KEYS = "independent keys are alike: which of them draws what changes no distribution"
WORDS = "chooses the words of a message, no number"
COST = "chooses between direct solves of one system by their cost: equal answers"
MASKED = "stands in the branch that a mask discards, to keep derivatives finite"
ONE_UNIT = "a tuple or vector of one entry, whose first is its last"

TUNING = (
    "how soon something is tried, or how exactly: another value takes more steps or "
    "fewer, to the same answer"
)

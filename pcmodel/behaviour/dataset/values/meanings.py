"""Which of two words counts as 1, and which words stand for no response.

The order in which a side-car lists its `Levels` does not matter: win may be before loss.
"""

import re
from collections.abc import Mapping

POSITIVE = {
    *("win", "wins", "won", "winning", "reward", "rewarded", "gain", "gained", "true"),
    *("correct", "hit", "yes", "success", "successful", "present", "positive", "right"),
    *("occurred", "delivered", "high", "larger", "greater"),
}
NEGATIVE = {
    *("loss", "lose", "loses", "lost", "losing", "unrewarded", "nothing", "neutral"),
    *("nonrewarded", "nonreward", "incorrect", "wrong", "error", "miss", "missed"),
    *("failure", "fail", "failed", "absent", "negative", "omission", "omitted"),
    *("punishment", "punished", "false", "none", "low", "smaller", "lower"),
}
# Words for a response that was not given.
NO_CHOICE = re.compile(
    r"\W+|miss(?:ed|ing)?|time[sd]?[\W_]*out|no[\W_]*(?:resp.*|choice|answer|key)?|null"
    r"|omit.*|omission|too[\W_]*(?:slow|late|fast)|late|slow|invalid|skip.*|abort.*|error"
    r"|unknown|other|nothing|undefined",
    re.IGNORECASE,
)
NOT = {"no", "not", "non", "without", "never"}
SIDES = {"left", "up", "down", "top", "bottom"}  # beside which right is a side


def larger_of(levels: Mapping[str, str]) -> str | None:
    """The level that counts as 1: win rather than loss, shock rather than no shock.

    A level's own word decides, else its description; None where neither does.

    >>> larger_of({"win": "", "loss": ""}), larger_of({"A": "no shock", "B": "shock"})
    ('win', 'B')
    >>> larger_of({"left": "", "right": ""}), larger_of({"1": "won", "2": "won too"})
    (None, None)
    """
    if len(levels) != 2:
        return None
    found = [
        _larger([_words(level) for level in levels]),
        _larger([_words(text) for text in levels.values()]),
    ]
    places = {place for place in found if place is not None}
    return list(levels)[places.pop()] if len(places) == 1 else None


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _larger(pair: list[list[str]]) -> int | None:
    """The index of the phrase that is positive while the other is not; None for neither."""
    sides = any(word in SIDES for words in pair for word in words)
    signs = [_sign(words, sides=sides) for words in pair]
    if set(signs) == {True, False}:
        return signs.index(True)
    for place in (0, 1):  # "shock" and "no shock"
        plain, other = pair[place], pair[1 - place]
        if plain and [word for word in other if word not in NOT] == plain != other:
            return place
    return None


def _sign(words: list[str], *, sides: bool) -> bool | None:
    """Whether a phrase is positive; None where that is not clear."""
    found: set[bool] = set()
    for before, word in zip(["", *words], words, strict=False):
        if word not in POSITIVE | NEGATIVE or (sides and word == "right"):
            continue
        found.add((word in POSITIVE) != (before in NOT))
    if words == ["no"]:
        return False
    return found.pop() if len(found) == 1 else None

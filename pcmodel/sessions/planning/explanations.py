"""What can be behind an effect of a drug given with therapy: each explanation is a set of strengths.

An explanation has a size: the strength of what it is made of, 1 as the model has it, 0 without it. Its rival leaves
that out and makes another part as strong as it takes to look alike.
"""

from typing import NamedTuple


class Strengths(NamedTuple):
    """Factors on what a treatment does; 1: as the model has it, 0: not at all.

    relaxation: of the acute effects of the drug on the hierarchy and on evidence.
    window: of the rise of the rates of learning after it.
    expectation: of the precision of the evidence of expectation, in all arms.
    """

    relaxation: float = 1.0
    window: float = 1.0
    expectation: float = 1.0

    def with_size(self, parts: tuple[str, ...], size: float) -> "Strengths":
        """The strengths with some parts multiplied."""
        return self._replace(**{part: size * getattr(self, part) for part in parts})


class Question(NamedTuple):
    """Which explanation is told from which rival.

    effect: the explanation in question, in words.
    rival: the other, in words.
    effect_strengths: of the effect at size 1.
    effect_parts: that its size multiplies.
    rival_strengths: of the rival at size 1.
    rival_parts: that its size multiplies.
    """

    effect: str
    rival: str
    effect_strengths: Strengths
    effect_parts: tuple[str, ...]
    rival_strengths: Strengths
    rival_parts: tuple[str, ...]

    def strengths(self, is_rival: bool, size: float) -> Strengths:
        """Of the effect or the rival at a size."""
        if is_rival:
            return self.rival_strengths.with_size(self.rival_parts, size)
        return self.effect_strengths.with_size(self.effect_parts, size)


QUESTIONS = {
    "unblinding": Question(
        "the drug",
        "unblinding alone",
        Strengths(),
        ("relaxation", "window"),
        Strengths(relaxation=0.0, window=0.0),
        ("expectation",),
    ),
    "window": Question(
        "belief relaxation",
        "a plasticity window alone",
        Strengths(),
        ("relaxation",),
        Strengths(relaxation=0.0),
        ("window",),
    ),
}
"""By name. A third question, "therapy", is whether the treated arm improves more than the control at all."""

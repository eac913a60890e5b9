"""A parameter of a participant model, with its prior."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A parameter on the real line, with its prior.

    Attributes:
        name: in formulas and results.
        mean: of the normal prior of the group's mean.
        sd: of the normal prior of the group's mean.
        spread: scale of the half-normal prior of the SD over participants; 0 for a parameter
            that all share unless a formula says otherwise.
        free: whether it is estimated; if false, it is fixed at `mean` unless a formula names
            it.
        about: its meaning and unit.
        names: other names a formula may use.
    """

    name: str
    mean: float
    sd: float
    spread: float = 0.0
    free: bool = True
    about: str = ""
    names: tuple[str, ...] = ()

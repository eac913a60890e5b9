"""How a parameter of a person is described: what it is, and what is thought of it before."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A parameter on the real line, and what is thought of it before the data.

    Attributes:
        mean, sd: normal prior of the group's mean.
        spread: half-normal prior scale of the SD over participants; 0 for a parameter
            that all share unless a formula says otherwise.
        free: false holds it at `mean` unless a formula names it.
        about: what it is, with its unit.
        names: other names a formula may use.
    """

    name: str
    mean: float
    sd: float
    spread: float = 0.0
    free: bool = True
    about: str = ""
    names: tuple[str, ...] = ()

"""What the statistics need of a participant model, and how a parameter is described."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float, Key

from pcmodel.behaviour.dataset import Series

Values = Mapping[str, Float[Array, ""]]


@dataclass(frozen=True)
class Parameter:
    """A parameter on the real line, and what is thought of it before the data.

    Attributes:
        mean, sd: normal prior of the group's mean.
        spread: half-normal prior scale of the SD over participants; 0 for a parameter
            that all share unless a formula says otherwise.
        centred: how far (0 to 1) people are written around the group's mean rather than
            zero; 1 where a person's own trials determine it well. The model is the same.
        free: false holds it at `mean` unless a formula names it.
        about: what it is, with its unit.
        names: other names a formula may use.
    """

    name: str
    mean: float
    sd: float
    spread: float = 0.0
    centred: float = 0.0
    free: bool = True
    about: str = ""
    names: tuple[str, ...] = ()


class Course(NamedTuple):
    """Beliefs by level, trials on the leading axis; level 1 is above the outcome."""

    mean: tuple[Float[Array, "trials *arms"], ...]
    log_precision: tuple[Float[Array, "trials *arms"], ...]


@runtime_checkable
class ParticipantModel(Protocol):
    """Pure functions for one series; callers map them over series."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter, held ones included."""
        ...

    def prepare(self, series: Series) -> Any:
        """The arrays the functions below take, series on the leading axis."""
        ...

    def log_likelihood(self, values: Values, data: Any) -> Float[Array, " trials"]:
        """Log likelihood of each response, 0 where there is none to score."""
        ...

    def simulate(self, key: Key[Array, ""], values: Values, data: Any) -> Any:
        """The same series with responses drawn wherever one was scored."""
        ...

    def course(self, values: Values, data: Any) -> "Course":
        """What one series' participant believed, trial by trial."""
        ...

    def responses(self, data: Any) -> Float[Array, "*shape"]:
        """The responses in `data`, NaN where none is scored."""
        ...

"""What the statistics need of a participant model."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.parameter import Parameter

Values = Mapping[str, Float[Array, ""]]


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

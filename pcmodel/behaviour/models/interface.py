"""The interface of participant models, as the statistical fits use it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.behaviour.perception.quantities import Quantities
from pcmodel.behaviour.responses import Scale

Values = Mapping[str, Float[Array, ""]]


class Course(NamedTuple):
    """Beliefs by level, from the one above the outcome.

    mean: of each level after each trial.
    log_precision: of each level after each trial; empty for models without uncertainty.
    """

    mean: tuple[Float[Array, "trials *arms"], ...]
    log_precision: tuple[Float[Array, "trials *arms"], ...]


@runtime_checkable
class ParticipantModel(Protocol):
    """A model of one series by pure functions, which callers map over series."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All parameters, also those that are fixed."""
        ...

    def prepare(self, series: Series) -> Any:
        """The data as the functions below take them, series on the leading axis."""
        ...

    def log_likelihood(self, values: Values, data: Any) -> Float[Array, " trials"]:
        """Log likelihood (nats) of each response; 0 where none is scored."""
        ...

    def simulate(self, key: Key[Array, ""], values: Values, data: Any) -> Any:
        """The same series with simulated responses wherever one is scored."""
        ...

    def course(self, values: Values, data: Any) -> "Course":
        """The beliefs of one series' participant after each trial."""
        ...

    def responses(self, data: Any) -> Float[Array, "*shape"]:
        """The responses in `data`; NaN where none is scored."""
        ...


class TaskFacts(NamedTuple):
    """Properties of a task that its trials do not show.

    num_arms: the number of options.
    scale: of the responses; None where they have none.
    after_outcome: whether a rating follows the outcome of its trial.
    """

    num_arms: int = 2
    scale: Scale | None = None
    after_outcome: bool = False


Build = Callable[[TaskFacts], ParticipantModel]


class Entry(NamedTuple):
    """A model of a task.

    build: the model, from the properties of the task.
    about: what it assumes, in one sentence.
    source: where it was published; "" where it is the package's own.
    """

    build: Build
    about: str
    source: str = ""


@runtime_checkable
class WithTrialQuantities(Protocol):
    """A participant model that says what it holds on each trial, for tables and for imaging.

    Of a model that does not, the beliefs of its `course` are told alone.
    """

    def trial_quantities(self, values: Values, data: Any) -> Quantities:
        """By quantity its value on each trial of one series; NaN where it has none."""
        ...

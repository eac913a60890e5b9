"""A parameter of a participant model, with its prior and its natural scale."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments

Transform = Literal["identity", "exp", "logistic"]
WITHIN = 1.959963984540054  # SDs to either side that hold 95 % of a normal distribution


@checked_arguments
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
        natural: the name of what it says on its natural scale (a learning rate, a variance);
            "" where the real line is that scale.
        transform: from the real line to the natural scale; increasing.
        floor: of `exp`: the least value on the natural scale, whose square is added to that
            of the exponential, as the model adds it.
        unit: on the natural scale; "" for a pure number.
        published: its name in the literature and in other software, with the source.

    Raises UserError for a natural scale without a name, a name without one, and a floor that is
    negative, not finite, or of another transform than `exp`.
    """

    name: str
    mean: float
    sd: float
    spread: float = 0.0
    free: bool = True
    about: str = ""
    names: tuple[str, ...] = ()
    natural: str = ""
    transform: Transform = "identity"
    floor: float = 0.0
    unit: str = ""
    published: str = ""

    def __post_init__(self) -> None:
        if (self.transform == "identity") != (not self.natural):
            raise UserError(
                f"is {self.natural!r} with the transform {self.transform!r}",
                where=f"{self.name}.natural",
                expected="a name for exp and logistic, and none for identity",
            )
        may_have_floor = self.transform == "exp" or self.floor == 0.0
        if not (may_have_floor and 0.0 <= self.floor < np.inf):
            raise UserError(
                f"cannot be {self.floor:g}",
                where=f"{self.name}.floor",
                expected="0 or more with the transform exp, else 0",
            )

    @property
    def natural_name(self) -> str:
        """The name on the natural scale: the parameter's own where the real line is it."""
        return self.natural or self.name

    def to_natural(
        self, value: float | np.ndarray
    ) -> Float[np.ndarray, "*shape"] | np.floating:
        """Values on the natural scale, in their own precision; NaN stays NaN.

        What is too great for the numbers' type is infinite, and too small is 0 (or the floor).
        """
        value = np.asarray(value)
        value = value.astype(np.result_type(value, np.float32), copy=False)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if self.transform == "exp":
                return np.hypot(np.exp(value), value.dtype.type(self.floor))
            if self.transform == "logistic":
                # Exact to rounding at both ends, where 1 / (1 + exp(-x)) overflows.
                return np.exp(-np.logaddexp(value.dtype.type(0.0), -value))
        return value

    def formula(self) -> str:
        """How the natural scale follows from the parameter, in words of a formula; "" if it is the same.

        >>> Parameter("log_sd", 0.0, 1.0, natural="sd", transform="exp").formula()
        'sd = exp(log_sd)'
        """
        if self.transform == "identity":
            return ""
        if self.floor:
            return f"{self.natural} = sqrt(exp({self.name})^2 + {self.floor:g}^2)"
        return f"{self.natural} = {self.transform}({self.name})"

    def natural_prior(self) -> tuple[float, float, float]:
        """Median and central 95 % interval of the prior of the group's mean, on the natural scale."""
        ends = self.mean + self.sd * np.array([0.0, -WITHIN, WITHIN])
        middle, low, high = np.asarray(self.to_natural(ends)).tolist()
        return middle, low, high

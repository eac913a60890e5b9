"""The second stage between receptor response and what the hierarchy feels: optional, and named.

Half of the receptors are still filled six hours after a dose whose experience is over, and no
operational model of ordinary slope joins the two (its exponent would have to be 14).  So something
steep lies after the receptor.  What it is is unknown; here it is an object of its own, to be
exchanged.  `Sigmoid` is the default: effects fade in, and none is ever exactly 0.  `Threshold` is its rival,
a cliff below which nothing is felt, and `Direct` leaves the network to supply the steepness.

All take the receptor response as a share of the system's maximum and give the effect, 0 at rest.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from pcmodel.errors import UserError


def check_positive(stage: str, **values: ArrayLike) -> None:
    """Raise a UserError unless every number is finite and positive."""
    for name, value in values.items():
        if isinstance(value, Tracer):
            continue
        number = np.asarray(value)
        if number.dtype.kind not in "iuf" or not np.all(
            (number > 0) & (number < np.inf)
        ):
            raise UserError(
                f"{name} is {value!r}", where=stage, expected="finite and positive"
            )


@dataclass(frozen=True)
class Sigmoid:
    """E^p / (E^p + half^p), over its value at `full`: half of its ceiling at `half`, steep where `power` is large.

    half, full: receptor responses.  power: no unit.
    """

    half: ArrayLike
    power: ArrayLike
    full: ArrayLike

    def __post_init__(self):
        check_positive("Sigmoid", half=self.half, power=self.power, full=self.full)

    def __call__(self, response: Array) -> Array:
        """The effect."""
        return self._raw(response) / self._raw(jnp.asarray(self.full, response.dtype))

    def _raw(self, response: Array) -> Array:
        nothing = response <= 0  # and not "> 0": what is not a number must stay so
        safe = jnp.where(nothing, 1.0, response)
        # As a logistic of the logarithm: no power of any size overflows.
        turns = self.power * (jnp.log(safe) - jnp.log(jnp.asarray(self.half)))
        return jnp.where(nothing, 0.0, jax.nn.sigmoid(turns.astype(safe.dtype)))


@dataclass(frozen=True)
class Threshold:
    """Nothing below `onset`, 1 at `full`, a straight line through both.

    onset, full: receptor responses.  Where the onset is not below `full` not even psilocin at every
    receptor would be felt, and the effect is 0 throughout.
    """

    onset: ArrayLike
    full: ArrayLike

    def __post_init__(self):
        check_positive("Threshold", onset=self.onset, full=self.full)

    def __call__(self, response: Array) -> Array:
        """The effect."""
        room = jnp.asarray(self.full) - self.onset
        above = jnp.maximum(response - self.onset, 0.0) / jnp.where(room > 0, room, 1.0)
        return jnp.where(room <= 0, 0.0, above)


@dataclass(frozen=True)
class Direct:
    """No second stage: the response over `full`."""

    full: ArrayLike

    def __post_init__(self):
        check_positive("Direct", full=self.full)

    def __call__(self, response: Array) -> Array:
        """The effect."""
        return response / self.full  # type: ignore[operator]


Transducer = Sigmoid | Threshold | Direct

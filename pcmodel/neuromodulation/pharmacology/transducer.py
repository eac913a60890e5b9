"""The second stage between the receptor response and its effect on the hierarchy.

Half of the receptors are still occupied six hours after a dose whose experience is over, and no
operational model of ordinary slope explains both (its exponent would have to be 14). So there is
a steep stage after the receptor. Its nature is unknown; here it is an object that can be
replaced. `Sigmoid` is the default: effects rise smoothly, and none is exactly 0. `Threshold` is its
rival, without any effect below its onset, and `Direct` has no steepness of its own.

All take the receptor response as a share of the system's maximum and return the effect, 0 at rest.
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
    """UserError unless every number is finite and positive."""
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
    """A sigmoid second stage: E^p / (E^p + half^p), divided by its value at `full`.

    Attributes:
        half: receptor response at half of the ceiling.
        power: exponent p; large ones are steep.
        full: receptor response of an effect of 1.
    """

    half: ArrayLike
    power: ArrayLike
    full: ArrayLike

    def __post_init__(self):
        check_positive("Sigmoid", half=self.half, power=self.power, full=self.full)

    def __call__(self, response: Array) -> Array:
        """The effect of a receptor response."""
        return self._raw(response) / self._raw(jnp.asarray(self.full, response.dtype))

    def _raw(self, response: Array) -> Array:
        is_zero = response <= 0  # and not "> 0", so that NaN stays NaN
        safe = jnp.where(is_zero, 1.0, response)
        # As a logistic of the logarithm: no power of any size overflows.
        turns = self.power * (jnp.log(safe) - jnp.log(jnp.asarray(self.half)))
        return jnp.where(is_zero, 0.0, jax.nn.sigmoid(turns.astype(safe.dtype)))


@dataclass(frozen=True)
class Threshold:
    """A threshold second stage: 0 below `onset`, 1 at `full`, and linear from the onset on.

    Where the onset is not below `full`, not even psilocin at every receptor has an effect, and it
    is 0 throughout.

    Attributes:
        onset: receptor response at which the effect begins.
        full: receptor response of an effect of 1.
    """

    onset: ArrayLike
    full: ArrayLike

    def __post_init__(self):
        check_positive("Threshold", onset=self.onset, full=self.full)

    def __call__(self, response: Array) -> Array:
        """The effect of a receptor response."""
        room = jnp.asarray(self.full) - self.onset
        above = jnp.maximum(response - self.onset, 0.0) / jnp.where(room > 0, room, 1.0)
        return jnp.where(room <= 0, 0.0, above)


@dataclass(frozen=True)
class Direct:
    """No second stage: the response divided by `full`.

    Attributes:
        full: receptor response of an effect of 1.
    """

    full: ArrayLike

    def __post_init__(self):
        check_positive("Direct", full=self.full)

    def __call__(self, response: Array) -> Array:
        """The effect of a receptor response."""
        return response / self.full  # type: ignore[operator]


Transducer = Sigmoid | Threshold | Direct

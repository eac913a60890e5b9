"""The second stage between receptor response and what the hierarchy feels: optional, and named.

Half of the receptors are still filled six hours after a dose whose experience is over, and no
operational model of ordinary slope joins the two (its exponent would have to be 14).  So there
is a threshold somewhere after the receptor.  Where it lies is unknown; here it is an object of its own, to be
exchanged, and `Direct` leaves the network to supply it.

All take the receptor response as a share of the system's maximum and give the effect, 0 at rest.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike


@dataclass(frozen=True)
class Threshold:
    """Nothing below `onset`, 1 at `full`, a straight line through both.

    onset, full: receptor responses.  Where the onset is not below `full` not even psilocin at every
    receptor would be felt, and the effect is 0 throughout.
    """

    onset: ArrayLike
    full: ArrayLike

    def __call__(self, response: Array) -> Array:
        """The effect."""
        room = jnp.asarray(self.full) - self.onset
        above = jnp.maximum(response - self.onset, 0.0) / jnp.where(room > 0, room, 1.0)
        return jnp.where(room > 0, above, 0.0)


@dataclass(frozen=True)
class Sigmoid:
    """E^h / (E^h + half^h), over its value at `full`: steep where `power` is large."""

    half: ArrayLike
    power: ArrayLike
    full: ArrayLike

    def __call__(self, response: Array) -> Array:
        """The effect."""
        return self._raw(response) / self._raw(jnp.asarray(self.full))

    def _raw(self, response: Array) -> Array:
        something = response > 0
        ratio = jnp.where(something, response, 1.0) / self.half  # type: ignore[operator]
        power = ratio**self.power  # type: ignore[operator]
        return jnp.where(something, power / (1 + power), 0.0)


@dataclass(frozen=True)
class Direct:
    """No second stage: the response over `full`."""

    full: ArrayLike

    def __call__(self, response: Array) -> Array:
        """The effect."""
        return response / self.full  # type: ignore[operator]


Transducer = Threshold | Sigmoid | Direct

r"""What a drug does to a network: gains on its levels' precisions.

A `Modulation` is spoken in level names, never stored in the network, and resolved to one
gain per level before anything is traced.  The neutral element is a gain of exactly
1 everywhere; `None` resolves to the same arrays, so "no drug" and "zero dose" run the same
compiled code on the same numbers and agree to the bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.levels import level_index


@dataclass(frozen=True)
class Modulation:
    """Precision gains by level name (or index); 1 where a level is not named.

    A gain is a positive scalar or one number per unit of the level.  Below 1 relaxes the
    level, above 1 strengthens it.
    """

    gains: Mapping[str | int, ArrayLike] = field(default_factory=dict)

    def resolve(
        self, names: tuple[str, ...], widths: tuple[int, ...], dtype: jnp.dtype
    ) -> tuple[Array, ...]:
        """One gain array per level, shape () or (width,)."""
        resolved = [jnp.ones((), dtype) for _ in names]
        for level, gain in self.gains.items():
            index = level_index(level, names)
            resolved[index] = checked_gain(gain, names[index], widths[index], dtype)
        return tuple(resolved)


def checked_gain(gain: ArrayLike, name: str, width: int, dtype: jnp.dtype) -> Array:
    """The gain as an array, or a UserError naming the level."""
    value = np.asarray(gain)
    if value.shape not in ((), (width,)):
        raise UserError(
            f"modulation of level {name!r}: expected one gain or {width} (one per unit), "
            f"got shape {value.shape}."
        )
    if not np.all(np.isfinite(value)) or np.any(value <= 0):
        raise UserError(
            f"modulation of level {name!r}: a gain must be finite and positive "
            f"(1 = no drug), got {gain!r}."
        )
    return jnp.asarray(value, dtype)


def relax(level: str | int, gain: ArrayLike) -> Modulation:
    """Lower one level's precision: `relax("top", 0.25)`."""
    return Modulation({level: gain})


def uniform(gain: float, names: tuple[str, ...]) -> Modulation:
    """Every level's gain alike: the null manipulation, which moves no mode."""
    return Modulation({name: gain for name in names})

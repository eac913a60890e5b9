"""Max and average pooling.

Windows tile a map without overlap, as in the published networks; rows and columns that do not fill a window are
omitted.  The implementation, a reshape and a reduction, has forward and reverse derivatives of every order, which
inference needs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inputs.whole_numbers import whole_number


@dataclass(frozen=True)
class MaxPool:
    """The largest unit of each window x window tile in each channel.

    Raises UserError for a window below 1.
    """

    window: int = 2

    def __post_init__(self):
        object.__setattr__(self, "window", whole_number(self.window, "a pool's window"))

    def __call__(self, maps: Float[Array, "h w c"]) -> Float[Array, "p q c"]:
        """The pooled maps."""
        return pool_tiles(maps, self.window, jnp.max)


@dataclass(frozen=True)
class AveragePool:
    """The mean of each window x window tile in each channel.

    Raises UserError for a window below 1.
    """

    window: int = 2

    def __post_init__(self):
        object.__setattr__(self, "window", whole_number(self.window, "a pool's window"))

    def __call__(self, maps: Float[Array, "h w c"]) -> Float[Array, "p q c"]:
        """The pooled maps."""
        return pool_tiles(maps, self.window, jnp.mean)


Pool = MaxPool | AveragePool


def pool_tiles(
    maps: Float[Array, "h w c"], window: int, reduce: Callable[..., Array]
) -> Float[Array, "p q c"]:
    """Reduce each tile of a map."""
    rows, columns = maps.shape[0] // window, maps.shape[1] // window
    whole = maps[: rows * window, : columns * window]
    tiles = whole.reshape(rows, window, columns, window, maps.shape[2])
    return reduce(tiles, axis=(1, 3))


def pooled_shape(
    shape: tuple[int, int, int], pool: Pool | None
) -> tuple[int, int, int]:
    """Height, width and channels after pooling."""
    if pool is None:
        return shape
    return shape[0] // pool.window, shape[1] // pool.window, shape[2]

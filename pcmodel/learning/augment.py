"""Random changes of the data, drawn anew for every example of every batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.errors import UserError
from pcmodel.model.levels import LevelName, level_index

Change = Callable[[Array, Array], Array]
"""Function of (key, one example's values of a level) that returns other values of that level."""


@dataclass(frozen=True)
class Augmented:
    """Changes the clamped values of one example; the `prepare` of the training loop.

    changes: (index of a level, its change).
    """

    changes: tuple[tuple[int, Change], ...]

    def __call__(self, key: Array, values: tuple[Array, ...]) -> tuple[Array, ...]:
        """The values of all levels, with their dtypes; each level's change has a key of its own."""
        changed = list(values)
        for level, change in self.changes:
            own = change(jax.random.fold_in(key, level), values[level])
            changed[level] = own.astype(values[level].dtype)
        return tuple(changed)


def read_augment(
    given: Mapping[LevelName, Change], names: Sequence[str], values: tuple[Array, ...]
) -> Augmented:
    """The changes by level index.

    values: of every level, (examples, clamped units).
    Raises UserError for a level that does not exist or is not clamped, and a change that fails or gives another shape.
    """
    changes = []
    for name, change in given.items():
        level = level_index(name, tuple(names))
        where, width = f"augment of level {names[level]!r}", values[level].shape[-1]
        if width == 0:
            raise UserError("no unit of it is clamped", where=where)
        example = jax.ShapeDtypeStruct((width,), values[level].dtype)
        try:
            made = jax.eval_shape(change, jax.random.key(0), example)
        except Exception as error:  # a function of the user's may raise anything
            reason = [*str(error).splitlines(), type(error).__name__][0]
            raise UserError(
                f"cannot be called with a key and {width} values: {reason}", where=where
            ) from error
        shape = getattr(made, "shape", None)
        if shape != (width,) or not jnp.issubdtype(made.dtype, jnp.floating):
            raise UserError(
                f"gives {shape}", where=where, expected=f"{width} floating-point values"
            )
        changes.append((level, change))
    return Augmented(tuple(sorted(changes, key=lambda pair: pair[0])))

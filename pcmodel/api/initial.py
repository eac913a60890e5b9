"""Checks of the latents from which inference starts."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from pcmodel.api.pose import Posed
from pcmodel.errors import UserError
from pcmodel.inputs.arrays import read_numbers
from pcmodel.model.types import Latents


def check_start(
    posed: Posed, initial: Sequence[ArrayLike], *, where: str = "initial"
) -> Latents:
    """The initial latents, one array per level, batched like the problem.

    Clamped units have their clamped values, whatever `initial` contains.  Raises UserError, which names the argument
    `where`, for a wrong number of levels, width or batch size, and for values that are not finite.
    """
    structure, inputs = posed.problem.structure, posed.problem.inputs
    names, widths = structure.model.names, structure.model.widths
    dtype, size = inputs.gains[0].dtype, posed.batch_size
    if not isinstance(initial, Sequence) or len(initial) != len(widths):
        number = len(initial) if isinstance(initial, Sequence) else 1
        raise UserError(
            f"got {number} array{'' if number == 1 else 's'}",
            where=where,
            expected=f"a tuple of {len(widths)} arrays, one per level",
        )
    start = []
    for level, (given, width) in enumerate(zip(initial, widths, strict=True)):
        place = f"{where} of level {names[level]!r}"
        array = read_numbers(given, where=place, dtype=dtype)
        allowed = [(width,)] + ([] if size is None else [(size, width)])
        if np.shape(array) not in allowed:
            raise UserError(
                f"has shape {np.shape(array)}",
                where=place,
                expected=" or ".join(map(str, allowed)),
            )
        units = structure.clamped_units(level)
        shape = (width,) if size is None else (size, width)
        values = jnp.broadcast_to(jnp.asarray(array, dtype), shape)
        if len(units):
            values = values.at[..., units].set(
                jnp.broadcast_to(inputs.values[level], (*shape[:-1], len(units)))
            )
        start.append(values)
    return tuple(start)

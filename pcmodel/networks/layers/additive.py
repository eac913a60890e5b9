"""Layers of levels with several parents."""

from collections.abc import Sequence
from functools import reduce

import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments


@checked_arguments
class Additive(nnx.Module):
    """Prediction f_1(x_1) + ... + f_n(x_n) of a level from its n parents.

    maps: one layer per parent, in the order of the level's parents.

    Raises UserError without maps and, when first called, for another number of parents or maps of different sizes.
    """

    def __init__(self, maps: Sequence[nnx.Module]):
        if not maps:
            raise UserError("Additive needs at least one map.")
        self.maps = nnx.List(maps)

    def __call__(self, *parents: Float[Array, " _"]) -> Float[Array, " width"]:
        """Prediction of the level from its parents' latents."""
        if len(parents) != len(self.maps):
            raise UserError(
                f"an additive layer of {len(self.maps)} maps was given {len(parents)} parents."
            )
        terms = [one(x) for one, x in zip(self.maps, parents, strict=True)]
        if len({term.shape for term in terms}) > 1:
            raise UserError(
                f"an additive layer adds predictions of {' and '.join(str(t.shape[0]) for t in terms)} units."
            )
        return reduce(jnp.add, terms)

"""Refuses tracing by jit, grad or vmap, and differentiation, in one sentence."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import is_traced


def refuse_tracing(name: str, *given: Any, why: str) -> None:
    """Raise UserError if any leaf of `given` is traced, or if this runs inside jit."""
    inside = isinstance(jnp.zeros(()), Tracer)
    if inside or is_traced(given):
        raise UserError(
            f"{name} cannot run under jax.jit, grad or vmap: {why}; call it outside."
        )


def refuse_derivatives(name: str, given: Any, *, why: str) -> Any:
    """`given` unchanged; differentiating through it raises UserError."""

    @jax.custom_jvp
    def guarded(*leaves):
        return leaves

    @guarded.defjvp
    def _refuse(primals, tangents):
        raise UserError(f"{name} cannot be differentiated: {why}.")

    leaves, shape = jax.tree.flatten(given)
    return jax.tree.unflatten(shape, guarded(*leaves))

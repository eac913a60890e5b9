"""Checks of an account's numbers, which could reverse its action, or make it void."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import is_number, short


def check_share(account: str, name: str, value: ArrayLike) -> None:
    """UserError unless the value is in [0, 1]; a traced one is not checked."""
    if isinstance(value, Tracer):
        return
    if not is_number(value) or not 0 <= float(np.asarray(value)) <= 1:
        raise UserError(
            f"account {account}: {name} must lie in [0, 1], got {short(value)}."
        )


def check_number(account: str, name: str, value: ArrayLike) -> None:
    """UserError unless the value is a finite number; a traced one is not checked."""
    if isinstance(value, Tracer):
        return
    if not is_number(value) or not np.isfinite(float(np.asarray(value))):
        raise UserError(
            f"account {account}: {name} must be a finite number, got {short(value)}."
        )


def check_moment(account: str, effects: Any) -> None:
    """UserError for effects over a whole course: their times would be taken for units of a level."""
    shape = jnp.shape(effects.effect_2a)
    if shape:
        raise UserError(
            f"account {account}: the effects have the shape {shape}; pick one moment "
            "(jax.tree.map(lambda curve: curve[i], effects)), or map over them with jax.vmap."
        )


def check_selectivity(account: str, value: float) -> None:
    """UserError for a negative one, which would divide by the lowest level's depth, 0."""
    if isinstance(value, Tracer):
        return
    if not is_number(value) or not 0 <= float(np.asarray(value)) < np.inf:
        raise UserError(
            f"account {account}: selectivity must be 0 or more, got {short(value)}."
        )

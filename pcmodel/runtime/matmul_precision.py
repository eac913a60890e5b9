"""Beliefs are inferred with matrix products as precise as their arrays.

On GPUs since Ampere and on TPUs, XLA multiplies float32 matrices with ten bits or fewer unless told
otherwise. That is enough for a training step and too little for a mode: gradients that ought to vanish are left
at a thousandth of their terms.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax


def in_full_precision(function: Callable[..., Any]) -> Callable[..., Any]:
    """Trace `function` with products in float32; a precision that the user set by jax stays.

    float64 is left as it is everywhere, and so is float32 on a CPU.
    """

    @wraps(function)
    def traced(*arguments: Any, **options: Any) -> Any:
        chosen = jax.config.jax_default_matmul_precision  # type: ignore[attr-defined]
        with jax.default_matmul_precision(chosen or "float32"):
            return function(*arguments, **options)

    return traced

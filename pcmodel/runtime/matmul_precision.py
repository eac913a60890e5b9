"""Full float32 precision of matrix products in inference.

On GPUs since Ampere and on TPUs, XLA multiplies float32 matrices with a mantissa of ten bits or fewer by
default. That is enough for a training step and too little for a mode: gradients that should vanish stay
at a thousandth of their terms.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax


def in_full_precision(function: Callable[..., Any]) -> Callable[..., Any]:
    """Trace `function` with products in float32; a precision that the user set in jax stays.

    Products in float64, and in float32 on a CPU, are not affected.
    """

    @wraps(function)
    def traced(*arguments: Any, **options: Any) -> Any:
        chosen = jax.config.jax_default_matmul_precision  # type: ignore[attr-defined]
        with jax.default_matmul_precision(chosen or "float32"):
            return function(*arguments, **options)

    return traced

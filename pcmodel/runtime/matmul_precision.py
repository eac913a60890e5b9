"""Precision of matrix products: full float32 in inference, and bfloat16 where training asks for it.

On GPUs since Ampere and on TPUs, XLA multiplies float32 matrices with a mantissa of ten bits or fewer by
default. That is enough for a training step and too little for a mode: gradients that should vanish stay
at a thousandth of their terms.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import jax


def in_full_precision(function: Callable[..., Any]) -> Callable[..., Any]:
    """Trace `function` with products in float32; a precision that the user set in jax stays.

    Products in float64, and in float32 on a CPU, are not affected.
    """

    @wraps(function)
    def traced(*arguments: Any, **options: Any) -> Any:
        config: Any = jax.config  # its options are made when it is imported
        chosen = config.jax_default_matmul_precision
        with jax.default_matmul_precision(chosen or "float32"):
            return function(*arguments, **options)

    return traced


@contextmanager
def matrix_products(dtype: str) -> Iterator[None]:
    """Compute matrix products of float32 numbers inside in `dtype`, "float32" (no change) or "bfloat16".

    Products of numbers rounded to bfloat16 accumulate in float32; sums, activations, weights and precisions stay float32.
    """
    if dtype == "float32":
        yield
        return
    with jax.default_matmul_precision("BF16_BF16_F32"):
        yield

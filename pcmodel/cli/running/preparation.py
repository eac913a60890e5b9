"""Settings made before anything is computed: the seed, compilation, the precision."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from pcmodel.errors import UserError
from pcmodel.record.environment import is_float64
from pcmodel.runtime.flags import compile_quickly, keep_compiled


def prepare(arguments: argparse.Namespace) -> None:
    """Refuse a seed out of range; compile quickly for --smoke; keep compiled programs for later runs."""
    seed = arguments.seed
    if not 0 <= seed < 2**32:
        raise UserError(f"cannot be {seed}", where="--seed", expected="0 to 4294967295")
    if arguments.smoke:
        compile_quickly()
    keep_compiled()


@contextmanager
def precision(float64: bool) -> Iterator[None]:
    """Compute in double precision inside, if `float64`; entered before the experiment makes any array."""
    if not float64:
        yield
        return
    import jax

    before = is_float64()
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)

"""Random numbers of flax from a key of jax, for parts of the package that do not know flax."""

from flax import nnx
from jax import Array

from pcmodel.inputs.random_keys import check_key


def rngs_of(key: Array) -> nnx.Rngs:
    """The random numbers that a key determines; UserError for what is no key."""
    return nnx.Rngs(check_key(key))

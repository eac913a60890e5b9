"""numpy's random numbers from a key of jax, for what is computed on the host."""

from typing import Any

import jax
import numpy as np

from pcmodel.inputs.random_keys import check_key


def generator(key: Any) -> np.random.Generator:
    """A generator whose numbers the key determines; UserError for what is no key."""
    checked = check_key(key)
    words = (
        jax.random.key_data(checked)
        if jax.numpy.issubdtype(checked.dtype, jax.dtypes.prng_key)
        else checked
    )
    return np.random.default_rng([int(word) for word in np.asarray(words).ravel()])


def split(key: Any, number: int) -> list[Any]:
    """Independent keys from one."""
    return list(jax.random.split(check_key(key), number))

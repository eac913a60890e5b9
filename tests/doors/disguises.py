"""Arrays in other dresses, and arrays that must be refused.

A *disguise* is a good array in another dress (a list, half precision, a masked array that masks nothing):
its result must be that of the plain array.  A *poison* must be refused, except a mask where it can be
honoured.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

KEY = jax.random.key(0)


class Wrapped:
    """What offers `__array__`, as tensors of other libraries do; or says that it cannot."""

    def __init__(self, array, error=None):
        self.array, self.error = array, error

    def __array__(self, dtype=None, copy=None):
        if self.error:
            raise RuntimeError(self.error)
        return np.asarray(self.array, dtype)


DISGUISES: dict[str, Callable[[np.ndarray], Any]] = {
    "plain": lambda a: a,
    "list": lambda a: a.tolist(),
    "jax": lambda a: jnp.asarray(a),
    "float16": lambda a: a.astype(np.float16),
    "bfloat16": lambda a: jnp.asarray(a, jnp.bfloat16),
    "long double": lambda a: a.astype(np.longdouble),
    "big endian": lambda a: a.astype(">f8"),
    "big endian integers": lambda a: a.astype(">i4") if a.dtype.kind in "iu" else a,
    "Fortran order": np.asfortranarray,
    "strided": lambda a: np.repeat(a[..., None], 2, axis=-1)[..., 0],
    "read-only": lambda a: _read_only(a),
    "objects": lambda a: a.astype(object),
    "masked nowhere": lambda a: np.ma.array(a),
    "with __array__": lambda a: Wrapped(a),
    "rows in a list": lambda a: list(a) if a.ndim else a,
    "a table": lambda a: _table(a),
}


def _read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _table(array):
    import pandas

    if array.ndim == 1:
        return pandas.Series(array, index=np.arange(array.size)[::-1])
    return pandas.DataFrame(array) if array.ndim == 2 else array


def _with(array, value, rng):
    changed = array.astype(np.result_type(array.dtype, np.asarray(value).dtype))
    changed[np.unravel_index(rng.integers(array.size), array.shape)] = value
    return changed


def _mask(array, rng):
    mask = np.zeros(array.shape, bool)
    mask[np.unravel_index(rng.integers(array.size), array.shape)] = True
    return mask


POISONS: dict[str, Callable[[np.ndarray, np.random.Generator], Any]] = {
    "NaN": lambda a, rng: _with(a, np.nan, rng),
    "infinity": lambda a, rng: _with(a, -np.inf, rng),
    "NaN in bfloat16": lambda a, rng: jnp.asarray(_with(a, np.nan, rng), jnp.bfloat16),
    "huge": lambda a, rng: _with(a, 1e300, rng),
    "huge integers": lambda a, rng: np.full(a.shape, 10**400, object),
    "complex": lambda a, rng: a + 1j,
    "words": lambda a, rng: a.astype(str),
    "dates": lambda a, rng: a.astype("datetime64[s]"),
    "spans of time": lambda a, rng: (1e6 * np.nan_to_num(a)).astype("timedelta64[s]"),
    "None inside": lambda a, rng: _none(a, rng),
    "None alone in an array": lambda a, rng: np.array(None),
    "a dictionary": lambda a, rng: {"values": a},
    "a key": lambda a, rng: KEY,
    "a record": lambda a, rng: np.zeros(a.shape, [("x", float)]),
    "with a failing __array__": lambda a, rng: Wrapped(a, "requires grad"),
    "one unit more": lambda a, rng: (
        np.concatenate([a, a[..., -1:]], axis=-1) if a.ndim else np.stack([a])
    ),
    "three axes more": lambda a, rng: a[None, None, None],
    "nothing": lambda a, rng: a[..., :0] if a.ndim else np.zeros(0),
    "masked": lambda a, rng: np.ma.array(a, mask=_mask(a, rng)),
    "masked, NaN below": lambda a, rng: _nan_below(a, rng),
    "masked rows in a list": lambda a, rng: (
        [np.ma.array(row, mask=_mask(row, rng)) for row in a]
        if a.ndim > 1
        else np.ma.array(a, mask=True)
    ),
}


def _none(array, rng):
    changed = array.astype(object)
    if not array.ndim:
        return np.array(None)
    changed[np.unravel_index(rng.integers(array.size), array.shape)] = None
    return changed


def _nan_below(array, rng):
    mask = _mask(array, rng)
    return np.ma.array(np.where(mask, np.nan, array), mask=mask)

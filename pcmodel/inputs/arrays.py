"""Reading of users' arrays: lists, numpy, jax, pandas, masked, half precision.

Every array is read here, so that no mask, no imaginary part and no value beyond the range of the
network's numbers is lost without a message. The values of a traced array cannot be checked.
"""

import functools
from numbers import Real
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.dtypes import canonicalize_dtype

from pcmodel.errors import UserError

Numbers = np.ndarray | Array | Any


class Given(NamedTuple):
    """An array that was read.

    values: numbers, on the host or traced; 0 where masked.
    missing: True where a value is masked; None for no mask.
    """

    values: Numbers
    missing: np.ndarray | None


def default_dtype() -> np.dtype:
    """Float64 where it is enabled in jax, else float32."""
    return np.dtype(canonicalize_dtype(float))


def constant(value: float, shape: tuple[int, ...], dtype: Any) -> Array:
    """An array of one value: the same at every call, and so transferred once; never traced."""
    config: Any = jax.config  # its options are made when it is imported
    device, wide = config.jax_default_device, config.jax_enable_x64
    return _constant(value, shape, np.dtype(dtype), device, wide)


@functools.cache
def _constant(
    value: float, shape: tuple[int, ...], dtype: np.dtype, device: Any, wide: bool
) -> Array:
    del device, wide  # on which the array depends
    with jax.ensure_compile_time_eval():
        return jnp.full(shape, value, dtype)


def is_wide(given: Any) -> bool:
    """Whether it is a jax array of single or double precision, which keeps its type."""
    return isinstance(given, Array) and given.dtype in (jnp.float32, jnp.float64)


def is_traced(given: Any) -> bool:
    """Whether jax is tracing it or something in it, so that values are not known."""
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(given))


def read_array(given: Any, *, where: str) -> Given:
    """Numbers and their mask; UserError naming `where` for values that are no real numbers."""
    if is_traced(given):
        return Given(_traced(given, where), None)
    array, missing = _on_host(given, where)
    if array.dtype == object:
        array = _from_objects(array, where)
    _check_kind(array.dtype, where)
    if missing is not None:
        array = np.where(missing, np.zeros((), array.dtype), array)
    return Given(array, missing)


def read_numbers(
    given: Any, *, where: str, dtype: Any = None, finite: bool = True
) -> Numbers:
    """Numbers on the host, or traced ones, as `dtype` where one is given.

    UserError naming `where` for masked values, and, if `finite`, for NaN and infinity.
    """
    values, missing = read_array(given, where=where)
    if missing is not None:
        raise UserError(
            f"{int(missing.sum())} of {missing.size} values are masked",
            where=where,
            expected="numbers without gaps (a mask can be honoured only where data are clamped)",
        )
    if finite:
        check_finite(values, where=where, expected="finite numbers")
    return values if dtype is None else to_dtype(values, dtype, where=where)


def one_number(given: Any, *, where: str) -> Numbers:
    """One finite number, traced or not; UserError for several, none, or a yes or no."""
    if isinstance(given, bool | np.bool_):
        raise UserError(f"is {given}", where=where, expected="one number")
    number = read_numbers(given, where=where, dtype=default_dtype())
    if np.ndim(number):
        raise UserError(
            f"has the shape {np.shape(number)}", where=where, expected="one number"
        )
    return number


def check_finite(values: Numbers, *, where: str, expected: str) -> None:
    """UserError for NaN or infinity, with the index of the first."""
    if isinstance(values, Tracer):
        return
    wrong = ~np.isfinite(values)
    if np.any(wrong):
        place = [int(index) for index in np.argwhere(wrong)[0]]
        at = f" at {place}" if place else ""
        raise UserError(
            f"values contain NaN or infinity ({np.asarray(values)[wrong][0]}{at})",
            where=where,
            expected=expected,
        )


def to_dtype(values: Numbers, dtype: Any, *, where: str) -> Numbers:
    """Values as `dtype`; UserError for those that it cannot hold, or not their squares.

    Energies are squares: a value whose square overflows has no energy.
    """
    if isinstance(values, Tracer):
        return jnp.asarray(values, dtype)
    limit = float(jnp.finfo(dtype).max) ** 0.5 / 4
    largest = _largest(np.asarray(values))
    if largest > limit:
        raise UserError(
            f"{largest:g} is too large for {np.dtype(dtype).name}",
            where=where,
            expected=f"values of at most {limit:.2g} (rescale them, or build the network "
            "with jax_enable_x64)",
        )
    return np.asarray(values).astype(dtype)


def _largest(values: np.ndarray) -> float:
    """The largest finite magnitude, computed without a copy in another type."""
    finite = np.isfinite(values)
    seen = values if finite.all() else values[finite]
    if not seen.size:
        return 0.0
    return max(abs(float(seen.min())), abs(float(seen.max())))


def _traced(given: Any, where: str) -> Array:
    try:
        array = given if isinstance(given, Tracer) else jnp.asarray(given)
    except (TypeError, ValueError) as error:
        raise _unreadable(error, where) from None
    _check_kind(array.dtype, where)
    return array


def _on_host(given: Any, where: str) -> tuple[np.ndarray, np.ndarray | None]:
    """The array and its mask, from any object that numpy can convert."""
    try:
        if _holds_masked(given):
            masked = np.ma.asarray(given)
            mask = np.ma.getmaskarray(masked)
            return np.asarray(masked.data), mask if mask.any() else None
        return np.asarray(given), None
    # A user's own `__array__` may raise anything (a torch tensor that requires gradients does).
    except Exception as error:
        raise _unreadable(error, where) from None


def _holds_masked(given: Any) -> bool:
    if isinstance(given, list | tuple):
        return any(_holds_masked(item) for item in given)
    return isinstance(given, np.ma.MaskedArray)


def _unreadable(error: Exception, where: str) -> UserError:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return UserError(
        f"cannot be read as an array ({reason})",
        where=where,
        expected="numbers in rows of one length",
    )


def _from_objects(array: np.ndarray, where: str) -> np.ndarray:
    """Python and numpy numbers in an array of objects, as of a mixed table, as floats."""
    for item in array.ravel():
        if not isinstance(item, Real | np.bool_):
            raise UserError(
                f"holds {type(item).__name__} objects, not numbers",
                where=where,
                expected="an array of real numbers",
            )
    try:
        return array.astype(np.float64)
    except (OverflowError, TypeError, ValueError) as error:
        raise _unreadable(error, where) from None


def _check_kind(dtype: Any, where: str) -> None:
    """UserError for a type that is not of real numbers."""
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise UserError(
            f"values are complex ({dtype})",
            where=where,
            expected="real numbers: give the real and the imaginary part as units of their own",
        )
    kinds = (jnp.floating, jnp.integer, jnp.bool_)
    spans = (
        getattr(dtype, "kind", "") == "m"
    )  # spans of time count as integers in numpy
    if spans or not any(jnp.issubdtype(dtype, kind) for kind in kinds):
        raise UserError(
            f"values must be numbers, got {dtype}",
            where=where,
            expected="an array of real numbers",
        )

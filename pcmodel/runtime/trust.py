"""Objects that do not change while a program runs, and the names of changeable ones that a function may read."""

import copyreg
import functools
import sys
import types
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

PACKAGES = "jax jaxlib optax flax numpy scipy chex equinox jaxtyping pcmodel".split()
TRUSTED = frozenset(PACKAGES) | frozenset(sys.stdlib_module_names)
"""Packages whose own module-level functions, classes and names do not change while a program runs."""

CONTAINERS = frozenset((dict, list, tuple, set, frozenset, types.MappingProxyType))
MORE_THAN_ATTRIBUTES = (*CONTAINERS, jax.Array, np.ndarray, np.generic, np.dtype, type)


def tells_all(kind: type) -> bool:
    """Whether copying an object of this type copies its attributes, without rules of the type's own."""
    rules = ("__reduce_ex__", "__reduce__", "__getnewargs__", "__getnewargs_ex__")
    plain = all(
        getattr(kind, rule, None) is getattr(object, rule, None) for rule in rules
    )
    state = kind.__getstate__
    by_fields = getattr(state, "__module__", None) == "dataclasses"
    return (
        plain
        and (state is object.__getstate__ or by_fields)
        and kind not in copyreg.dispatch_table
    )


@functools.lru_cache(maxsize=1000)
def is_record(kind: type) -> bool:
    """Whether objects of this type consist only of their attributes, as most objects read at every call do.

    Only types of trusted packages, whose rules for copying do not change.
    """
    return (
        is_public(kind)
        and not issubclass(kind, MORE_THAN_ATTRIBUTES)  # type: ignore[arg-type]
        and not any("__call__" in vars(base) for base in kind.__mro__)  # may be named
        and tells_all(kind)
    )


def is_public(value: Any) -> bool:
    """Whether a value is the one that a trusted module has under the value's own name, and so does not change."""
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not isinstance(name, str) or not is_trusted(module):
        return False
    found: Any = sys.modules.get(str(module))
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value


def is_trusted(module: Any) -> bool:
    """Whether a module is of a package in `TRUSTED`."""
    return isinstance(module, str) and module.split(".")[0] in TRUSTED


def names_of(code: types.CodeType) -> frozenset[str]:
    """Every global name, attribute or module that a function, or one defined in it, may refer to; also as text."""
    inner = [names_of(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    texts = [c for c in code.co_consts if isinstance(c, str) and len(c) < 100]
    return frozenset(code.co_names).union(texts, *inner)


def imported(names: frozenset[str], known: Mapping[str, Any]) -> list[types.ModuleType]:
    """Changeable modules that a function of these names may import when it is called."""
    package = known.get("__package__") or known.get("__name__") or ""
    paths = {*names, *(f"{package}.{name}" for name in names)}
    found = [sys.modules.get(path) for path in sorted(paths)]
    return [
        module
        for module in found
        if isinstance(module, types.ModuleType) and not is_trusted(module.__name__)
    ]

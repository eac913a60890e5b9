"""Calls an experiment's functions with the values that their arguments name.

A figure that needs the results alone is `def draw(results)`; one that needs the options too is
`def draw(config, results)`.
"""

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, get_type_hints

from pcmodel.errors import unknown_name


def asked(
    function: Callable[..., Any], known: Iterable[str], *, where: str
) -> tuple[str, ...]:
    """Which of the known values a function has as arguments.

    Raises UserError for an argument of another name, unless it has a default.
    """
    known = tuple(known)
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in known and parameter.default is inspect.Parameter.empty:
            raise unknown_name("argument", name, known, where=where)
    return tuple(n for n in inspect.signature(function).parameters if n in known)


def call(function: Callable[..., Any], values: dict[str, Any]) -> Any:
    """The function's result, called with those of the values that are its arguments."""
    wanted = inspect.signature(function).parameters
    return function(**{name: values[name] for name in wanted if name in values})


def declared_fields(function: Any) -> tuple[str, ...] | None:
    """Fields of the named tuple in a function's return annotation; None without one."""
    while isinstance(function, partial):
        function = function.func
    try:
        returned = get_type_hints(function).get("return")
    except (NameError, TypeError):  # names imported for type checkers only
        return None
    return getattr(returned, "_fields", None)

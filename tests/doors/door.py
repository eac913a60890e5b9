"""A public callable as the battery sees it."""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any


@dataclass(frozen=True)
class Door:
    """One public callable.

    call: takes the arguments of `like`, and uses what that makes.  good: arguments that are right.
    like: whose signature it has; None for `call`'s own.  hints: what an argument takes, where no
    annotation says it.
    """

    name: str
    call: Callable[..., Any]
    good: Mapping[str, Any]
    like: Any = None
    hints: Mapping[str, Any] = field(default_factory=dict)

    def variadic(self) -> set[str]:
        """Parameters of which there may be any number: `*levels`."""
        every = inspect.signature(self.like or self.call).parameters.items()
        return {n for n, p in every if p.kind is inspect.Parameter.VAR_POSITIONAL}

    def parameters(self) -> dict[str, Any]:
        """Annotation by parameter."""
        source = self.like or self.call
        made = isinstance(source, type)
        function = source.__init__ if made else source
        annotated = source if made and is_dataclass(source) else function
        found = typing.get_type_hints(annotated, include_extras=True)
        names = [
            name for name in inspect.signature(function).parameters if name != "self"
        ]
        return {name: self.hints.get(name, found.get(name, Any)) for name in names}


def of(function: Callable[..., Any], name: str = "", **good: Any) -> Door:
    """A door that is called as it is."""
    return Door(
        name or function.__name__,
        lambda **a: call_in_place(function, a),
        good,
        function,
    )


def call_in_place(function: Any, given: Mapping[str, Any]) -> Any:
    """Call with variadic arguments in their place."""
    rest = [
        name
        for name, each in inspect.signature(function).parameters.items()
        if each.kind is inspect.Parameter.VAR_POSITIONAL
    ]
    if not rest:
        return function(**given)
    first = list(inspect.signature(function).parameters)
    before = [given[name] for name in first[: first.index(rest[0])]]
    after = {
        k: v for k, v in given.items() if k not in (*first[: len(before)], rest[0])
    }
    return function(*before, *given.get(rest[0], ()), **after)


def used(kind: type, use: Callable[[Any], Any], name: str = "", **good: Any) -> Door:
    """A door that makes an object and uses it."""
    return Door(name or kind.__name__, lambda **a: use(kind(**a)), good, kind)

"""The checker that holds every annotated call in the tests to its annotation.

An int is accepted for a float, as the typing specification has it.
"""

from collections.abc import Callable, Hashable

from beartype import BeartypeConf, beartype

_as_specified = beartype(conf=BeartypeConf(is_pep484_tower=True))
_made: dict[Hashable, Callable] = {}


def check(function: Callable) -> Callable:
    """The function, its arguments checked.

    Functions inside functions are made, and would be compiled into checked ones, at every call of the outer: those of
    one name and annotation share their checks, which is all that is asked of them (jaxtyping gives functions that do
    nothing else).
    """
    if "<locals>" not in function.__qualname__:
        return _as_specified(function)
    annotations = tuple(function.__annotations__.items())
    key = (function.__module__, function.__qualname__, function.__code__, annotations)
    try:
        return _made[key]
    except KeyError:
        return _made.setdefault(key, _as_specified(function))
    except TypeError:  # an annotation that cannot be hashed
        return _as_specified(function)

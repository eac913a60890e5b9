"""Checks of arguments by the annotations of functions, with one sentence for a wrong one.

`checked_arguments` reads the annotations of a public function, or of a class's constructor, and
checks every argument before anything is computed: numbers, flags, names, functions, objects of
the package, sequences and mappings of these, and the ranges of `pcmodel.inputs.ranges`. Arrays are
checked where they are used (`pcmodel.inputs.arrays`).
"""

import functools
import inspect
import operator
import os
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from numbers import Real
from typing import Annotated, Any, Literal, NamedTuple, SupportsIndex, TypeVar, Union

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.ranges import Means, Range

Checked = TypeVar("Checked", bound=Callable[..., Any])
Options = TypeVar("Options")
Problem = tuple[str, str]
"""Where inside the argument ("" for all of it, "[2]"), and what is there."""

EXAMPLES = {
    "Network": "a network, such as pcmodel.dense((4, 2), rngs=nnx.Rngs(0))",
    "Recognition": "what pcmodel.recognition_for(network, rngs=nnx.Rngs(0)) gives",
    "Rngs": "the random numbers of flax, nnx.Rngs(0)",
    "Belief": "a belief, such as pcmodel.Belief.of(mean, precision)",
    "Modulation": "pcmodel.Modulation(gains by level) or pcmodel.relax(level, gain)",
    "Solver": "an object such as GaussNewton() or Exact()",
    "LinearSolver": "an object such as Primal() or ConjugateGradient()",
    "Learning": "pcmodel.Learning(...)",
    "GradientTransformation": "an optimiser, such as optax.adam(1e-3)",
    "Library": "what load_compounds() gives",
    "ParticipantModel": "a model, such as find_model('binary', 'hgf2')",
    "Formula": "what parse_formula('omega2 ~ drug') gives",
    "Participant": "what typical(library, name) gives",
    "Task": "a task, such as find_task('binary')",
    "Reading": "a Reading(where=..., missing=...)",
    "Series": "what load_series() gives",
    "RawTable": "what read_raw() gives",
    "PathLike": "a path",
    "Path": "a path",
    "Module": "a layer, such as pcmodel.Dense(2, 4, rngs=nnx.Rngs(0))",
}
SEQUENCES = (Sequence, Collection, Iterable, tuple, list)


class Kind(NamedTuple):
    """The values that an annotation admits.

    find: the problem of a value; None for a value that is admitted.
    expected: the values that are admitted, in words.
    """

    find: Callable[[Any], Problem | None]
    expected: str


def checked_arguments(door: Checked) -> Checked:
    """The function (or class) with checks of its arguments by their annotations.

    A call raises UserError for a wrong one: "dense: scale is nan; expected a number, 0 or more".
    """

    def refuse(kind: Kind, place: str, what: str) -> UserError:
        return UserError(
            f"{place} is {what}", where=door.__name__, expected=kind.expected
        )

    if isinstance(door, type):
        owner: Any = door
        owner.__init__ = _held(owner.__init__, owner, refuse)
        return door  # type: ignore[return-value]
    return _held(door, None, refuse)


def checked_options(prefix: str = "") -> Callable[[type[Options]], type[Options]]:
    """The same for a dataclass of options, in the words of files and command lines.

    Numbers and arrays of numpy and jax become Python's own numbers and tuples, so that options are
    hashed and compared by what they say.  prefix: before each name, such as "learning.".
    Raises UserError: "learning.rate: cannot be 0; expected a number, above 0".
    """

    def refuse(kind: Kind, place: str, what: str) -> UserError:
        return UserError(
            f"cannot be {what}", where=f"{prefix}{place}", expected=kind.expected
        )

    def door(owner: type[Options]) -> type[Options]:
        made: Any = owner
        checked = _held(made.__init__, owner, refuse)

        @functools.wraps(checked)
        def init(self: Any, *given: Any, **named: Any) -> None:
            named = {key: as_python(value) for key, value in named.items()}
            checked(self, *map(as_python, given), **named)

        made.__init__ = init
        return owner

    return door


def as_python(value: Any) -> Any:
    """Numbers of numpy and jax as Python's own, lists and arrays as tuples; the rest as it is."""
    if is_traced(value):
        return value
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        value = value.tolist()
    return tuple(map(as_python, value)) if type(value) in (list, tuple) else value


def check_range(number: float, limits: Range, *, where: str) -> None:
    """Raise a UserError unless a number lies in the range: "people: cannot be 1; expected 2 or more"."""
    if not limits.holds(number):
        raise UserError(
            f"cannot be {short(number)}", where=where, expected=limits.missed(number)
        )


def _held(
    function: Any, owner: type | None, refuse: Callable[[Kind, str, str], UserError]
) -> Any:
    signature = inspect.signature(function)

    @functools.cache
    def kinds() -> dict[str, Kind]:  # at the first call: names may be defined later
        source = owner if owner is not None and is_dataclass(owner) else function
        hints = typing.get_type_hints(source, include_extras=True)
        found = {
            key: kind_of(hints[key]) for key in signature.parameters if key in hints
        }
        return {key: kind for key, kind in found.items() if kind is not None}

    @functools.wraps(function)
    def checked(*given: Any, **named: Any) -> Any:
        try:
            bound = signature.bind(*given, **named)
        except TypeError:
            return function(*given, **named)  # raises Python's own error
        for key, value in bound.arguments.items():
            kind = kinds().get(key)
            if kind is None:
                continue
            variadic = (
                signature.parameters[key].kind is inspect.Parameter.VAR_POSITIONAL
            )
            for each in value if variadic else (value,):
                problem = kind.find(each)
                if problem is not None:
                    raise refuse(kind, key + problem[0], problem[1])
        return function(*given, **named)

    return checked


@functools.cache
def kind_of(hint: Any) -> Kind | None:
    """The values that an annotation admits; None for annotations that are not checked here."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin in (Union, types.UnionType):
        return _either(arguments)
    if origin is Literal:
        expected = " or ".join(map(repr, arguments))
        return _simple(
            lambda value: isinstance(value, str) and value in arguments, expected
        )
    if origin in (Callable, typing.get_origin(Callable[..., Any])):
        return _simple(callable, "a function")
    if hint in (Mapping, dict) or origin in (Mapping, dict):
        return _mapping(arguments)
    if origin in SEQUENCES:
        return _sequence(origin, arguments)
    return _plain(hint)


def _plain(hint: Any) -> Kind | None:
    if hint in (None, type(None)):
        return _simple(lambda value: value is None, "None")
    if hint is bool:
        return _simple(lambda v: isinstance(v, bool | np.bool_), "True or False")
    if hint in (int, SupportsIndex):
        return _simple(is_whole, "a whole number")
    if hint is float:
        return _simple(is_number, "a number")
    if hint is str:
        return _simple(lambda value: isinstance(value, str), "text")
    if not isinstance(hint, type) or hint in (Any, object):
        return None
    if issubclass(hint, np.ndarray | np.generic) or is_of_jax(hint):
        return None
    if type(hint).__module__.startswith("jaxtyping"):
        return None
    if getattr(hint, "_is_protocol", False) and not getattr(
        hint, "_is_runtime_protocol", False
    ):
        return None
    expected = EXAMPLES.get(hint.__name__, f"an object of the class {hint.__name__}")
    return _simple(lambda v: isinstance(v, hint) and not isinstance(v, type), expected)


def is_of_jax(kind: type) -> bool:
    """Whether a class is one of jax, which this module does not import."""
    return kind.__module__.split(".")[0] in ("jax", "jaxlib")


def is_traced(value: Any) -> bool:
    """Whether jax is tracing a value; false where jax was not imported."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number of Python's or numpy's; True and 3.0 are not."""
    if isinstance(value, bool) or getattr(value, "dtype", None) == np.bool_:
        return False
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def is_number(value: Any) -> bool:
    """Whether a value is one real number, and not NaN; of a traced one only the shape is checked."""
    if is_traced(value):
        return value.ndim == 0
    if isinstance(value, bool | np.bool_):
        return False
    if hasattr(value, "dtype") and hasattr(value, "ndim"):
        if value.ndim or getattr(value.dtype, "kind", "V") not in "iuf":
            return False
    elif not isinstance(value, Real):
        return False
    try:
        return not np.isnan(float(value))
    except OverflowError:  # a whole number beyond every float
        return False


def _simple(test: Callable[[Any], bool], expected: str) -> Kind:
    return Kind(lambda value: None if test(value) else ("", short(value)), expected)


def _annotated(base: Any, notes: tuple[Any, ...]) -> Kind | None:
    kind = kind_of(base)
    for note in notes:
        if isinstance(note, Means):
            return _meant(kind, note)
    ranges = [note for note in notes if isinstance(note, Range)]
    if kind is None or not ranges:
        return kind
    limits, find = ranges[0], kind.find

    def outside(value: Any) -> Problem | None:
        problem = find(value)
        if problem is not None or is_traced(value):
            return problem
        number = operator.index(value) if is_whole(value) else float(value)
        return None if limits.holds(number) else ("", short(value))

    return Kind(outside, f"{kind.expected}, {limits}")


def _meant(kind: Kind | None, note: Means) -> Kind | None:
    if note.test is not None:
        return _simple(note.test, note.expected)
    return kind and kind._replace(expected=note.expected)


def _either(hints: tuple[Any, ...]) -> Kind | None:
    kinds = [kind_of(hint) for hint in hints]
    if None in kinds:
        return None
    known = [kind for kind in kinds if kind is not None]

    def find(value: Any) -> Problem | None:
        problems = [kind.find(value) for kind in known]
        if None in problems:
            return None
        # For a sequence that is wrong inside, the place inside is more specific.
        return max((p for p in problems if p is not None), key=lambda p: len(p[0]))

    expected = [kind.expected for kind in known if kind.expected != "None"]
    return Kind(find, " or ".join(dict.fromkeys(expected)))


def _sequence(origin: Any, hints: tuple[Any, ...]) -> Kind:
    fixed = origin is tuple and hints and hints[-1] is not Ellipsis
    inside = [kind_of(hint) for hint in hints] if fixed else []
    every = kind_of(hints[0]) if hints and not fixed else None

    def find(value: Any) -> Problem | None:
        if not is_sequence(value):
            return "", short(value)
        if is_traced(value):
            return None
        if fixed and len(value) != len(hints):
            return "", f"of length {len(value)}"
        for place, item in enumerate(value if every or any(inside) else ()):
            kind = inside[place] if fixed else every
            problem = kind.find(item) if kind else None
            if problem is not None:
                return f"[{place}]{problem[0]}", problem[1]
        return None

    each = every.expected if every else "values"
    return Kind(find, f"{len(hints)} values" if fixed else f"a sequence of: {each}")


def is_sequence(value: Any) -> bool:
    """Whether a value has an order and a length: lists, tuples, arrays; no text, mapping or set."""
    if isinstance(value, str | bytes | Mapping | set | frozenset | type):
        return False
    if getattr(value, "ndim", 1) == 0:
        return False
    return hasattr(value, "__len__") and hasattr(value, "__iter__")


def _mapping(hints: tuple[Any, ...]) -> Kind:
    keys, values = (kind_of(hint) for hint in hints) if hints else (None, None)

    def find(value: Any) -> Problem | None:
        if not isinstance(value, Mapping):
            return "", short(value)
        for key, item in value.items():
            problem = keys.find(key) if keys else None
            if problem is not None:
                return "", f"a mapping with the key {problem[1]}"
            problem = values.find(item) if values else None
            if problem is not None:
                return f"[{key!r}]{problem[0]}", problem[1]
        return None

    to = f" to {values.expected}" if values else ""
    return Kind(find, f"a dictionary from {keys.expected if keys else 'names'}{to}")


def short(value: Any) -> str:
    """A short description of a value for a message.

    >>> short("psilocybin"), short(dict)
    ("'psilocybin'", 'the class dict')
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if value is None or isinstance(
        value, bool | int | float | complex | str | os.PathLike
    ):
        try:
            text = repr(value)
        except ValueError:  # a whole number of thousands of digits
            text = "a whole number of thousands of digits"
        return text if len(text) <= 60 else text[:57] + "..."
    if isinstance(value, np.generic):
        return short(value.item())
    if (
        isinstance(value, list | tuple)
        and len(value) <= 4
        and not any(map(is_sequence, value))
    ):
        inside = ", ".join(map(short, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"an array of shape {shape}"
    return f"of type {type(value).__name__}"

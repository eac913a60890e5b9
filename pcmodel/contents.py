"""Settings compared by what they say, so that equal ones share a compiled program.

A compiled program belongs to its static settings: optimisers, solvers, activations.  Optax makes an optimiser of
fresh closures, which Python holds to be different from any others; so every `optax.adam(1e-2)` would be another
program.  `Static` wraps a setting and compares its *content*: functions by their code, what they close over,
their defaults and the global names they refer to; arrays by their values; objects by their type and attributes; all
of it as it is at the time of wrapping, so that a list changed afterwards makes another setting.

Two settings may be told apart that are the same (the price is a compilation).  Two that differ must never be held
to be the same: whatever cannot be read is compared by identity.
"""

import copyreg
import functools
import hashlib
import sys
import threading
import types
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar
from weakref import WeakValueDictionary

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

PACKAGES = "jax jaxlib optax flax numpy scipy chex equinox jaxtyping pcmodel".split()
TRUSTED = frozenset(PACKAGES) | frozenset(sys.stdlib_module_names)
"""Packages whose own module-level functions, classes and names do not change while a program runs."""

PLAIN = frozenset((type(None), bool, int, str, bytes, range, type(Ellipsis)))
CONTAINERS = frozenset((dict, list, tuple, set, frozenset, types.MappingProxyType))
ITSELF = (types.ModuleType, np.ufunc)
PLUMBING = {
    "__dict__",
    "__weakref__",
    "__doc__",
    "__module__",
    "__annotations__",
    "__slotnames__",
}
MORE_THAN_ATTRIBUTES = (*CONTAINERS, jax.Array, np.ndarray, np.generic, np.dtype, type)
MEMBERS = (types.GetSetDescriptorType, types.MemberDescriptorType)
MOST = 100_000
"""So many things are read of one setting; it is then compared by identity."""
JITTED = type(jax.jit(len))

T = TypeVar("T")


class Same:
    """An object compared by identity, and kept alive so that no other takes its place."""

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class Content:
    """What a setting says: hashable, and equal to that of any setting that says the same."""

    def __init__(self, value: Any):
        try:
            self._said = _Reader().read(value)
        except RecursionError:
            self._said = Same(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)


class _Node:
    """One thing that was said.  There is one node for it, so that equal trees are one object."""

    __slots__ = ("__weakref__", "said")
    known: ClassVar[WeakValueDictionary] = WeakValueDictionary()

    def __init__(self, said: Hashable):
        self.said = said

    @classmethod
    def of(cls, said: Hashable) -> "_Node":
        with LOCK:
            found = cls.known.get(said)
            if found is None:
                found = cls.known[said] = cls(said)
            return found


LOCK = threading.Lock()


@dataclass(frozen=True, eq=False, init=False)
class Static(Generic[T]):
    """A setting as a static argument of a compiled function."""

    value: T
    content: Content

    def __init__(self, value: T):
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "content", Content(value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)


class _Reader:
    """Reads one setting as a tree.

    Where something holds itself, the tree says how far up it is met again.  What is read once is not read
    again, unless it speaks of what it was found in: the same content is the same tree, shared or not.
    """

    def __init__(self):
        self._reading: dict[int, int] = {}
        self._done: dict[int, Hashable] = {}
        self._highest = MOST  # the highest place that what is being read speaks of
        self._kept: list[Any] = []  # so that no identity is used twice while reading

    def read(self, value: Any) -> Hashable:
        """What a value says."""
        kind = type(value)
        if kind in PLAIN:
            return kind, value
        if kind in (float, complex):
            return kind, repr(value)
        if kind not in CONTAINERS and not is_record(kind):
            if isinstance(value, ITSELF) or is_public(value):
                return Same(value)
        if id(value) in self._done:
            return self._done[id(value)]
        depth = len(self._reading)
        if id(value) in self._reading:
            place = self._reading[id(value)]
            self._highest = min(self._highest, place)
            return "met", depth - place
        self._kept.append(value)
        if len(self._kept) > MOST:
            raise RecursionError
        return self._read_new(value, depth)

    def _read_new(self, value: Any, depth: int) -> Hashable:
        before, self._highest = self._highest, MOST
        self._reading[id(value)] = depth
        said = _Node.of((Same(type(value)), self._of_kind(value)))
        del self._reading[id(value)]
        if self._highest >= depth:
            self._done[id(value)] = said
            self._highest = before
        self._highest = min(before, self._highest)
        return said

    def _of_kind(self, value: Any) -> Hashable:
        # The common kinds first: settings are read at every call.
        if type(value) in (list, tuple):
            return self._items(value)
        if type(value) is dict:
            return self._mapping(value)
        if is_record(type(value)):
            return self._state(value)
        if isinstance(value, jax.Array):
            return _jax_array(value)
        if isinstance(value, np.ndarray | np.generic):
            return self._numpy_array(value)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return self.read(value.__func__), self.read(value.__self__)
        if isinstance(value, types.BuiltinMethodType):
            return value.__name__, self.read(value.__self__)
        if isinstance(value, functools.partial):
            keywords = self._mapping(value.keywords), self._mapping(vars(value))
            return self.read(value.func), self._items(value.args), keywords
        if isinstance(value, staticmethod | classmethod):
            return self.read(value.__func__)
        if isinstance(value, property):
            return self._items((value.fget, value.fset, value.fdel))
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, JITTED):
            return self.read(value.__wrapped__)  # type: ignore[attr-defined]
        if isinstance(value, np.dtype):
            return repr(value)
        if isinstance(value, jax.tree_util.PyTreeDef):
            node = value.node_data()
            inside = None if node is None else (Same(node[0]), self.read(node[1]))
            return value.num_nodes, inside, self._items(value.children())
        return self.read(type(value)), self._contents(value), self._object(value)

    def _contents(self, value: Any) -> Hashable:
        """What a container holds."""
        if isinstance(value, dict | types.MappingProxyType):
            return self._mapping(value)
        if isinstance(value, list | tuple):
            return self._items(value)
        if isinstance(value, set | frozenset):
            return frozenset(_Reader().read(item) for item in value)
        return ()

    def _items(self, values: Iterable[Any]) -> Hashable:
        return tuple([self.read(value) for value in values])

    def _mapping(self, values: Mapping[Any, Any]) -> Hashable:
        return tuple([(self.read(key), self.read(values[key])) for key in values])

    def _numpy_array(self, value: Any) -> Hashable:
        masked = isinstance(value, np.ma.MaskedArray)
        form = (
            value.shape,
            repr(value.dtype),
            masked and digest(np.ma.getmaskarray(value)),
        )
        own = self._mapping(getattr(value, "__dict__", {})) if not masked else ()
        if value.dtype.hasobject:
            return form, own, self._items(np.asarray(value, object).ravel().tolist())
        return form, own, digest(value)

    def _function(self, value: types.FunctionType) -> Hashable:
        cells = value.__closure__ or ()
        return (
            value.__code__,
            tuple(
                self.read(cell.cell_contents) if filled(cell) else None
                for cell in cells
            ),
            self._items(value.__defaults__ or ()),
            self._mapping(value.__kwdefaults__ or {}),
            self._mapping(vars(value)),
            self._globals(value),
        )

    def _globals(self, value: types.FunctionType) -> Hashable:
        """The global names that a function refers to, unless its module does not change."""
        known = value.__globals__
        if is_trusted(known.get("__name__")):
            return ()
        names = names_of(value.__code__)
        found: list[Hashable] = []
        for name in sorted(names & known.keys()):
            found.append((name, self.read(known[name])))
            if isinstance(known[name], types.ModuleType):
                found.append(self._module(known[name], names))
        return tuple(found)

    def _module(self, module: types.ModuleType, names: frozenset[str]) -> Hashable:
        """What these names may mean in a module that may change."""
        if is_trusted(module.__name__):
            return ()
        inside = vars(module)
        return tuple((n, self.read(inside[n])) for n in sorted(names & inside.keys()))

    def _class(self, value: type) -> Hashable:
        """A class that may change: itself, what it holds at present, its bases."""
        own = {
            name: item
            for name, item in vars(value).items()
            if name not in PLUMBING and not isinstance(item, MEMBERS)
        }
        return Same(value), self._mapping(own), self._items(value.__bases__)

    def _object(self, value: Any) -> Hashable:
        """An object's attributes; also itself, where they may not be all there is of it."""
        if type(value) in CONTAINERS:
            return ()
        if isinstance(value, tuple) and hasattr(value, "_fields"):  # a named tuple
            return ()
        if not tells_all(type(value)):
            return self._in_doubt(value)
        return self._state(value)

    def _state(self, value: Any) -> Hashable:
        try:
            state = object.__reduce_ex__(value, 2)[2]
        except TypeError:  # something of it is kept out of sight
            return self._in_doubt(value)
        return self._items(state if isinstance(state, tuple) else (state,))

    def _in_doubt(self, value: Any) -> Hashable:
        """The object itself, and what it shows of its present state."""
        shown = self.read(getattr(value, "__dict__", {}))
        try:
            parts = value.__reduce_ex__(2)
        except Exception:  # an object may refuse to be copied in any way it likes
            return Same(value), shown
        if not isinstance(parts, tuple):
            return Same(value), shown
        told = [
            part if index < 3 else list(part or ()) for index, part in enumerate(parts)
        ]
        return Same(value), shown, self._items(told)


def _jax_array(value: jax.Array) -> Hashable:
    if isinstance(value, Tracer) or not value.is_fully_addressable:
        return Same(value)
    if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        return str(jax.random.key_impl(value)), digest(jax.random.key_data(value))
    return value.shape, repr(value.dtype), value.weak_type, digest(value)  # type: ignore[attr-defined]


def tells_all(kind: type) -> bool:
    """Whether copying an object of this type copies its attributes, by no rule of its own."""
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
    """Whether objects of this type are their attributes and no more: most of what is read at every call.

    Only types of trusted packages, whose rules for copying do not change.
    """
    return (
        is_public(kind)
        and not issubclass(kind, MORE_THAN_ATTRIBUTES)  # type: ignore[arg-type]
        and not any("__call__" in vars(base) for base in kind.__mro__)  # may be named
        and tells_all(kind)
    )


def is_public(value: Any) -> bool:
    """Whether a value is what a trusted module holds under its name: it is then that and nothing else."""
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
    """Every global name or attribute that a function, or one made in it, may refer to."""
    inner = [names_of(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return frozenset(code.co_names).union(*inner)


def filled(cell: Any) -> bool:
    """Whether a closure's cell has a value yet."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def digest(array: Any) -> str:
    """Checksum of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(np.asarray(array)).tobytes()).hexdigest()

"""Settings compared by content, so that equal settings share a compiled program.

A compiled program depends on its static settings: optimisers, solvers, activations.  Optax makes an optimiser of
new closures, which Python treats as different from any others; so every `optax.adam(1e-2)` would be
compiled anew.  `Static` wraps a setting and compares its *content*: functions by their code, closure variables,
defaults and the global names they refer to; arrays by their values; objects by their type and attributes; all
of it as it is at the time of wrapping, so that a list changed afterwards makes another setting.

Equal settings may be treated as different (at the cost of a compilation).  Different settings must never be
treated as equal: whatever cannot be read is compared by identity.
"""

import functools
import os
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

from pcmodel.inputs.hashes import hash_array
from pcmodel.runtime.trust import (
    CONTAINERS,
    imported,
    is_public,
    is_record,
    is_trusted,
    names_of,
    tells_all,
)

PLAIN = frozenset((type(None), bool, int, str, bytes, range, type(Ellipsis)))
ITSELF = (types.ModuleType, np.ufunc)
PLUMBING = {
    "__dict__",
    "__weakref__",
    "__doc__",
    "__module__",
    "__annotations__",
    "__slotnames__",
}
MEMBERS = (types.GetSetDescriptorType, types.MemberDescriptorType)
MOST = 100_000
"""Number of objects in a setting above which it is compared by identity."""
JITTED = type(jax.jit(len))

T = TypeVar("T")


class Same:
    """An object compared by identity, and kept alive so that its identity is not reused."""

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class Content:
    """The content of a setting: hashable, and equal for settings of equal content."""

    def __init__(self, value: Any):
        try:
            self._tree = _read_whole(value)
        except RecursionError:
            self._tree = Same(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self._tree == other._tree

    def __hash__(self) -> int:
        return hash(self._tree)


class _Node:
    """A node of a content's tree.  Equal nodes are the same object, so that trees are compared by identity."""

    __slots__ = ("__weakref__", "tree")
    known: ClassVar[WeakValueDictionary] = WeakValueDictionary()

    def __init__(self, tree: Hashable):
        self.tree = tree

    @classmethod
    def of(cls, tree: Hashable) -> "_Node":
        with LOCK:
            found = cls.known.get(tree)
            if found is None:
                found = cls.known[tree] = cls(tree)
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


def _read_whole(value: Any) -> Hashable:
    """The content of a setting, including what its functions may read of modules that may change.

    The names that functions refer to are known only when all are read: a module may be read before them.
    """
    names: frozenset[str] = frozenset()
    while True:
        reader = _Reader(names)
        tree = reader.read(value)
        if not reader.met_module or reader.names <= names:
            return tree
        names |= reader.names


class _Reader:
    """Reads one setting as a tree.

    names: names that its functions refer to.

    Where an object contains itself, the tree says how many levels up it occurs.  An object is read only once
    unless its tree refers to an object that contains it: shared and repeated contents have the same tree.
    """

    def __init__(self, names: frozenset[str] = frozenset()):
        self.names = names
        self.met_module = False
        self._looked_up = names
        self._reading: dict[int, int] = {}
        self._done: dict[int, Hashable] = {}
        self._highest = MOST  # the highest level that the object being read refers to
        self._alive: list[Any] = []  # so that no identity is reused while reading

    def read(self, value: Any) -> Hashable:
        """The content of a value."""
        kind = type(value)
        if kind in PLAIN:
            return kind, value
        if kind in (float, complex):
            return kind, repr(value)
        if kind not in CONTAINERS and not is_record(kind):
            if isinstance(value, types.ModuleType) and not is_trusted(value.__name__):
                return self._module(value)
            if isinstance(value, ITSELF) or is_public(value):
                return Same(value)
        if id(value) in self._done:
            return self._done[id(value)]
        depth = len(self._reading)
        if id(value) in self._reading:
            place = self._reading[id(value)]
            self._highest = min(self._highest, place)
            return "met", depth - place
        self._alive.append(value)
        if len(self._alive) > MOST:
            raise RecursionError
        return self._read_new(value, depth)

    def _read_new(self, value: Any, depth: int) -> Hashable:
        before, self._highest = self._highest, MOST
        self._reading[id(value)] = depth
        tree = _Node.of((Same(type(value)), self._of_kind(value)))
        del self._reading[id(value)]
        if self._highest >= depth:
            self._done[id(value)] = tree
            self._highest = before
        self._highest = min(before, self._highest)
        return tree

    def _of_kind(self, value: Any) -> Hashable:
        # The common types first: settings are read at every call.
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
            # A deep copy of a jitted function has lost the function.
            inside = getattr(value, "__wrapped__", None)
            return Same(value) if inside is None else self.read(inside)
        if isinstance(value, np.dtype):
            return repr(value)
        if isinstance(value, jax.tree_util.PyTreeDef):
            node = value.node_data()
            inside = None if node is None else (Same(node[0]), self.read(node[1]))
            return value.num_nodes, inside, self._items(value.children())
        return self.read(type(value)), self._contents(value), self._object(value)

    def _contents(self, value: Any) -> Hashable:
        """The content of a container."""
        if isinstance(value, dict | types.MappingProxyType):
            return self._mapping(value)
        if isinstance(value, list | tuple):
            return self._items(value)
        if isinstance(value, set | frozenset):
            inside = _Reader(self._looked_up)
            tree = frozenset([inside.read(item) for item in tuple(value)])
            self.names |= inside.names
            self.met_module |= inside.met_module
            return tree
        return ()

    def _items(self, values: Iterable[Any]) -> Hashable:
        return tuple([self.read(value) for value in values])

    def _mapping(self, values: Mapping[Any, Any]) -> Hashable:
        own = snapshot(values)
        return tuple([(self.read(key), self.read(own[key])) for key in own])

    def _numpy_array(self, value: Any) -> Hashable:
        masked = isinstance(value, np.ma.MaskedArray)
        form = (
            value.shape,
            repr(value.dtype),
            masked and hash_array(np.ma.getmaskarray(value)),
        )
        own = self._mapping(getattr(value, "__dict__", {})) if not masked else ()
        if value.dtype.hasobject:
            return form, own, self._items(np.asarray(value, object).ravel().tolist())
        return form, own, hash_array(value)

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
        if is_trusted(value.__globals__.get("__name__")):
            return ()
        known = snapshot(value.__globals__)
        names = names_of(value.__code__)
        self.names |= names
        found: list[Hashable] = [
            (name, self.read(known[name])) for name in sorted(names & known.keys())
        ]
        found += [self.read(module) for module in imported(names, known)]
        if names & {"environ", "environb", "getenv"}:
            found.append(tuple(sorted(os.environ.items())))
        return tuple(found)

    def _module(self, module: types.ModuleType) -> Hashable:
        """A module that may change: its identity, and the values that the setting's functions may read from it."""
        self.met_module = True
        if id(module) in self._reading:
            return Same(module)
        self._reading[id(module)] = len(self._reading)
        inside = snapshot(vars(module))
        names = sorted(self._looked_up & inside.keys())
        found = tuple([(name, self.read(inside[name])) for name in names])
        del self._reading[id(module)]
        return Same(module), found

    def _class(self, value: type) -> Hashable:
        """A class that may change: its identity, present attributes and bases."""
        own = {
            name: item
            for name, item in snapshot(vars(value)).items()
            if name not in PLUMBING and not isinstance(item, MEMBERS)
        }
        return Same(value), self._mapping(own), self._items(value.__bases__)

    def _object(self, value: Any) -> Hashable:
        """An object's attributes; also its identity, where they may not be complete."""
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
        except TypeError:  # a part of its state is not accessible
            return self._in_doubt(value)
        return self._items(state if isinstance(state, tuple) else (state,))

    def _in_doubt(self, value: Any) -> Hashable:
        """The object's identity and the accessible part of its present state."""
        shown = self.read(getattr(value, "__dict__", {}))
        try:
            parts = value.__reduce_ex__(2)
        except Exception:  # copying may raise any exception
            return Same(value), shown
        if not isinstance(parts, tuple):
            return Same(value), shown
        items = [
            part if index < 3 else list(part or ()) for index, part in enumerate(parts)
        ]
        return Same(value), shown, self._items(items)


def _jax_array(value: jax.Array) -> Hashable:
    if isinstance(value, Tracer) or not value.is_fully_addressable:
        return Same(value)
    if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        return str(jax.random.key_impl(value)), hash_array(jax.random.key_data(value))
    return value.shape, repr(value.dtype), value.weak_type, hash_array(value)  # type: ignore[attr-defined]


def snapshot(values: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """A copy of the entries where it is made in one step: other threads, and the collection of garbage, may add or delete
    entries of a dictionary, such as a module's or a cache, while they are being read."""
    if type(values) in (dict, types.MappingProxyType):
        own: Any = values
        return own.copy()
    return {key: values[key] for key in list(values)}


def filled(cell: Any) -> bool:
    """Whether a closure's cell has a value yet."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True

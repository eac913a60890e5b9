"""`ByLevel`: one array (or pytree) for each level, called by name or index."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax

from pcmodel.model.levels import level_index


class ByLevel(Mapping):
    """One entry per level, bottom first: `entries["hidden1"]`, `entries[1]`, `entries["top"]`, `dict(entries)`.

    A pytree whose leaves are the entries' arrays, so that `jax.tree.map`, `jit` and `vmap` take it.
    Raises UserError for a level that does not exist.
    """

    def __init__(self, names: Sequence[str], entries: Sequence[Any]):
        self._names, self._entries = tuple(names), tuple(entries)

    @property
    def entries(self) -> tuple[Any, ...]:
        """The entries without their names, bottom first, as `infer` takes and gives latents."""
        return self._entries

    def __getitem__(self, level: Any) -> Any:
        return self._entries[level_index(level, self._names)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, level: object) -> bool:
        return level in self._names

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}: {entry}" for name, entry in self.items())
        return f"ByLevel({inside})"


def _flatten(given: ByLevel) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    return given._entries, given._names


jax.tree_util.register_pytree_with_keys(
    ByLevel,
    lambda given: (
        [
            (jax.tree_util.DictKey(name), entry)
            for name, entry in zip(given._names, given._entries, strict=True)
        ],
        given._names,
    ),
    lambda names, entries: ByLevel(names, tuple(entries)),
    _flatten,
)

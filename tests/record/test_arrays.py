"""What was flattened into an array file comes back as the tree that it was."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from jaxtyping import Float

from pcmodel.record import flatten_arrays
from pcmodel.record.arrays import read_arrays, rebuild
from pcmodel.record.files import write_arrays


@dataclass(frozen=True)
class Limits:
    most: float = 1.0


class Sampled(NamedTuple):
    rhat: float
    limits: Limits


class Settled(NamedTuple):
    falling: float


class Row(NamedTuple):
    name: str
    size: int
    told: bool
    notes: tuple[str, ...]


class Tree(NamedTuple):
    draws: dict[str, Float[np.ndarray, "chains draws"]]
    rows: tuple[Row, ...]
    found: Sampled | Settled | None
    pairs: tuple[tuple[str, str], ...] = ()


ROWS = tuple(Row(f"effect {i}", i, i % 2 == 0, ("a", "b")[: i % 3]) for i in range(12))


@pytest.mark.parametrize(
    "found", [Sampled(1.25, Limits(2.0)), Settled(-0.5), None], ids=str
)
def test_a_tree_comes_back(found, tmp_path):
    """Twelve rows: the tenth must not come before the second."""
    tree = Tree({"a": np.eye(2), "b": np.zeros((1, 3))}, ROWS, found, (("x", "y"),))
    write_arrays(tmp_path / "tree.npz", flatten_arrays(tree))
    again = rebuild(Tree, read_arrays(tmp_path / "tree.npz"))
    assert again.rows == ROWS and again.found == found and again.pairs == tree.pairs
    assert type(again.found) is type(found)
    for name, values in tree.draws.items():
        np.testing.assert_array_equal(again.draws[name], values)


def test_what_is_missing_is_named():
    with pytest.raises(KeyError, match=r"rows\.0\.size"):
        rebuild(Tree, {"rows.0.name": np.asarray("a")})

"""Mapping a function over the examples of a batch, at once or in parts that fit into memory."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np
from jax import Array

from pcmodel.api.pose import Batching, Posed
from pcmodel.model.problem import Problem
from pcmodel.runtime.matmul_precision import in_full_precision

NUMBERS_AT_ONCE = 2**24
"""Largest number of floats that the examples of a part produce together."""
MOST_EXAMPLES = 128
"""Largest number of examples at once; more are not faster, and very large batches of factors can deadlock on CPUs."""

Answer = TypeVar("Answer")


def over_examples(
    function: Callable[..., Any],
    problem: Problem,
    *arrays: Any,
    batching: Batching,
    at_once: int | None = None,
) -> Any:
    """`function(problem, *arrays)` for one example, or for every example of a batch (a leading axis).

    arrays: further pytrees that differ between examples, with a leading axis if the problem is batched.
    at_once: number of examples at a time; None: all.
    """
    if not batching.is_batched:
        return function(problem, *arrays)

    def one(example: tuple[tuple[Array, ...], tuple[Any, ...]]) -> Any:
        own, others = example
        return function(batching.with_arrays(problem, own), *others)

    examples = batching.arrays(problem), arrays
    if at_once is None:
        return jax.vmap(one)(examples)
    return jax.lax.map(one, examples, batch_size=at_once)


def run_over_examples(
    function: Callable[..., Any],
    problem: Problem,
    *arrays: Any,
    batching: Batching,
    at_once: int | None = None,
    **options: Hashable,
) -> Any:
    """`over_examples` for `function(problem, *arrays, **options)`, compiled.

    function: defined at module level, because compiled programs are cached by function and options.
    """
    return compiled(
        problem,
        arrays,
        function=function,
        batching=batching,
        at_once=at_once,
        options=tuple(options.items()),
    )


@partial(jax.jit, static_argnames=("function", "batching", "at_once", "options"))
@in_full_precision
def compiled(
    problem: Problem,
    arrays: tuple[Any, ...],
    *,
    function: Callable[..., Any],
    batching: Batching,
    at_once: int | None,
    options: tuple[tuple[str, Hashable], ...],
) -> Any:
    """The compiled part of `run_over_examples`."""
    one = partial(function, **dict(options))
    return over_examples(one, problem, *arrays, batching=batching, at_once=at_once)


def keys_of(posed: Posed, key: Array, *shape: int) -> Array:
    """Random keys ([batch,] *shape) for the examples of a problem."""
    size = posed.batch_size
    whole = shape if size is None else (size, *shape)
    return jax.random.split(key, whole) if whole else key


def num_at_once(numbers: int, most: int) -> int:
    """How many examples, at most `most`, fit into memory together if each produces `numbers` floats."""
    return int(np.clip(NUMBERS_AT_ONCE // max(numbers, 1), 1, max(most, 1)))


def places_in_parts(size: int, at_once: int) -> Iterator[np.ndarray]:
    """Indices of `size` examples in parts of equal length, so that one compiled program serves all parts.

    The last part is padded with the index of the last example.
    """
    for start in range(0, size, at_once):
        yield np.minimum(np.arange(start, start + at_once), size - 1)


class Part(NamedTuple):
    """Some examples of a batch, or the only example.

    problem: problem of these examples.
    places: their indices, padded as by `places_in_parts`; None without a batch.
    size: number of examples without padding.
    """

    problem: Problem
    places: np.ndarray | None
    size: int

    def of(self, arrays: Any) -> Any:
        """The rows of these examples from arrays over the whole batch."""
        return arrays if self.places is None else arrays[self.places]

    def kept(self, found: Any) -> Any:
        """Arrays of this part on the host, with an axis of examples and without padding."""
        if self.places is None:
            return jax.tree.map(lambda leaf: np.asarray(leaf)[None], found)
        return jax.tree.map(lambda leaf: np.asarray(leaf)[: self.size], found)


def in_parts(posed: Posed, numbers: int) -> Iterator[Part]:
    """The parts of a batch of problems, if each example produces `numbers` floats."""
    size = posed.batch_size
    if size is None:
        yield Part(posed.problem, None, 1)
        return
    at_once = num_at_once(numbers, min(size, MOST_EXAMPLES))
    for places in places_in_parts(size, at_once):
        own = [array[places] for array in posed.batching.arrays(posed.problem)]
        some = posed.batching.with_arrays(posed.problem, own)
        yield Part(some, places, min(at_once, size - int(places[0])))


def joined(posed: Posed, parts: Iterable[Answer]) -> Answer:
    """The concatenated parts; without the axis of examples for a single example."""
    whole = jax.tree.map(lambda *each: np.concatenate(each), *parts)
    if posed.batching.is_batched:
        return whole
    return jax.tree.map(lambda leaf: np.asarray(leaf[0]), whole)

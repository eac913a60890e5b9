"""A batch in parts of one size, for what would not fit into memory whole."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from pcmodel.api.pose import Posed
from pcmodel.model.problem import Problem

NUMBERS_AT_ONCE = 2**24
"""Floats of draws held at a time."""
MOST_EXAMPLES = 128
"""More at once would not be faster, and factors of very large batches can deadlock on CPUs."""


class Part(NamedTuple):
    """Some examples of a batch.

    places: their indices; the last part is filled up with the last example, so that one program serves all.
    size: how many of them count.
    """

    problem: Problem
    places: np.ndarray
    size: int

    def kept(self, found: Any) -> Any:
        """Arrays of this part on the host, without what it was filled up with."""
        return jax.tree.map(lambda leaf: np.asarray(leaf)[: self.size], found)


def in_parts(posed: Posed, numbers: int) -> Iterator[Part]:
    """The parts of a batch of problems, each example of which makes so many numbers."""
    size = posed.batch_size or 1
    most = min(size, MOST_EXAMPLES)
    together = int(np.clip(NUMBERS_AT_ONCE // max(numbers, 1), 1, most))
    for start in range(0, size, together):
        places = np.minimum(np.arange(start, start + together), size - 1)
        yield Part(_examples(posed, places), places, min(together, size - start))


def _examples(posed: Posed, places: np.ndarray) -> Problem:
    problem, batching = posed.problem, posed.batching
    inputs = problem.inputs
    values = tuple(
        value[places] if batched else value
        for value, batched in zip(inputs.values, batching.values, strict=True)
    )
    beliefs = tuple(
        replace(
            belief,
            mean=belief.mean[places] if mean else belief.mean,  # type: ignore[index]
            log_precision=belief.log_precision[places]  # type: ignore[index]
            if precision
            else belief.log_precision,
        )
        for belief, (mean, precision) in zip(
            inputs.beliefs, batching.beliefs, strict=True
        )
    )
    return Problem(problem.structure, inputs._replace(values=values, beliefs=beliefs))

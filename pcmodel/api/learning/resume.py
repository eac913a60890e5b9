"""Checkpoints of `train`, saved after every chunk and restored when training is called again."""

import os
from collections.abc import Mapping
from typing import Any

from pcmodel.inputs.hashes import hash_text
from pcmodel.learning.em import LearningState
from pcmodel.learning.loop import Chunk, Position
from pcmodel.record.checkpoints import Checkpoints
from pcmodel.record.leaves import name_arrays


class Resuming:
    """The checkpoints of one training in a folder.

    what: properties by name that must be equal to resume.
    first: state before the first step.
    batches: number of batches in an epoch.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        what: Mapping[str, Any],
        first: LearningState,
        batches: int,
    ):
        self._store = Checkpoints(folder, what)
        self._first, self._batches = first, batches

    def begin(self) -> tuple[LearningState, Position]:
        """The newest saved state and its position, or those before the first step.

        Raises UserError for a checkpoint that is damaged or belongs to another training.
        """
        if not self._store.steps():
            return self._first, Position()
        state, step, _ = self._store.restore(self._first)
        return state, Position(*divmod(step, self._batches))

    def save(self, chunk: Chunk) -> None:
        """Save the state after one chunk."""
        epoch, batch = chunk.position
        self._store.save(epoch * self._batches + batch, chunk.state)


def digest(tree: Any) -> str:
    """Sixteen hex digits of the hash of the arrays in a pytree."""
    parts = "".join(leaf.sha256 for leaf in name_arrays(tree).leaves)
    return hash_text(parts)[:16]

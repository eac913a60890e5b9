"""Checkpoints of a training in Python: saved after every chunk, taken up again when there are any."""

import os
from collections.abc import Mapping
from typing import Any

from pcmodel.inputs.hashes import hash_text
from pcmodel.learning.em import LearningState
from pcmodel.learning.loop import Chunk, Position
from pcmodel.record.checkpoints import Checkpoints
from pcmodel.record.leaves import name_arrays


class Resuming:
    """Where one training stands, in a folder.

    what: what must be the same to go on, by name.  first: the state before the first step.  batches: of
    an epoch.
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
        """The newest state and its position, or the first.

        Raises UserError for a checkpoint that is damaged or of something else.
        """
        if not self._store.steps():
            return self._first, Position()
        state, step, _ = self._store.restore(self._first)
        return state, Position(*divmod(step, self._batches))

    def save(self, chunk: Chunk) -> None:
        """Keep what one chunk reached."""
        epoch, batch = chunk.position
        self._store.save(epoch * self._batches + batch, chunk.state)


def digest(tree: Any) -> str:
    """Sixteen hex digits of the content of arrays."""
    parts = "".join(leaf.sha256 for leaf in name_arrays(tree).leaves)
    return hash_text(parts)[:16]

"""Stores of the finished chunks of long computations, from which an interrupted run is resumed."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pcmodel.record import RunIdentity
from pcmodel.record.replications import BesideOthers, StoredReplications


def open_chunks(
    folder: Path, identity: RunIdentity, *, anew: bool, shared: bool = False
) -> Callable[[str], Any]:
    """A function that opens this run's store of chunks by the name of the fit.

    anew: delete the chunks that are there.
    shared: also read the chunks that runs in neighbouring folders saved under the same name,
        so that a fit of more draws continues from a finished one.
    """
    from pcmodel.behaviour.sampling.chains import DrawBatch

    called = f"chunks-{identity.config_hash}-{identity.seed}"
    own = folder / called

    def store(name: str) -> Any:
        name = re.sub(r"[^\w.-]+", "-", name)  # of a user's own model it has a path
        stored = StoredReplications(own / name, DrawBatch)
        if anew:
            stored.clear()
        if anew or not shared:
            return stored
        beside = sorted(folder.resolve().parent.glob(f"*/{called}/{name}"))
        others = [path for path in beside if path != (own / name).resolve()]
        return BesideOthers(stored, [StoredReplications(p, DrawBatch) for p in others])

    return store


def drop_chunks(folder: Path) -> None:
    """Delete the chunks of a complete run."""
    for path in folder.glob("chunks-*"):
        shutil.rmtree(path, ignore_errors=True)

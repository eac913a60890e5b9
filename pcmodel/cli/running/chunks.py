"""Where runs keep what they have finished of long computations, so that an interrupted one goes on."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pcmodel.record import RunIdentity
from pcmodel.record.replications import BesideOthers, StoredReplications


def open_chunks(
    folder: Path, identity: RunIdentity, *, anew: bool, shared: bool = False
) -> Callable[[str], Any]:
    """Where this very run keeps the chunks of its chains, by the name of the fit.

    anew: forget those that are there.
    shared: read also those that runs in folders beside this one keep under the same name,
        so that a fit of more draws goes on from one that is finished.
    """
    from pcmodel.behaviour.sampling.chains import DrawBatch

    called = f"chunks-{identity.config_hash}-{identity.seed}"
    own = folder / called

    def store(name: str) -> Any:
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
    """Remove what a complete run needs no longer."""
    for path in folder.glob("chunks-*"):
        shutil.rmtree(path, ignore_errors=True)

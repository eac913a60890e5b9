"""From a name or a path to a protocol that can be simulated: everything in it is checked."""

import hashlib
from pathlib import Path

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import read_bytes, shown
from pcmodel.neuromodulation.compounds import Library, load_compounds
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.doses import check_doses
from pcmodel.sessions.protocol.read import read_protocol
from pcmodel.sessions.protocol.shipped import locate_protocol


@checked_arguments
def load_protocol(
    name_or_path: str | Path, *, library: Library | None = None
) -> Protocol:
    """The protocol in a file, or the one of this name that comes with the package.

    library: of compounds; None: the package's own.
    Raises UserError naming the file and the line of what is wrong, unknown compounds and impossible doses
    included.
    """
    read = read_protocol(name_or_path)
    check_doses(read, load_compounds() if library is None else library)
    return read.protocol


def protocol_sha256(name_or_path: str | Path, recorded: str = "") -> str:
    """Digest of a protocol's file, to be recorded with a run: a file may change under the same path.

    recorded: of an earlier run; UserError if it is another one.
    """
    path = locate_protocol(str(name_or_path))
    found = hashlib.sha256(read_bytes(path)).hexdigest()
    if recorded and recorded != found:
        raise UserError(
            f"is not what it was when the run was recorded (digest {recorded[:8]}, now {found[:8]})",
            where=shown(path),
            expected="the same file, or a run without the recorded digest",
        )
    return found

"""From a name or a path to a protocol that can be simulated: everything in it is checked.

Whether compounds exist and doses are possible is checked here, apart from the reading of files: the library of
compounds needs jax.
"""

import hashlib
from pathlib import Path as FilePath

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import read_bytes, shown
from pcmodel.neuromodulation.compounds import Compound, Library, load_compounds
from pcmodel.neuromodulation.dosing import Dose, regimen
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.misplaced import Misplaced, Path
from pcmodel.sessions.protocol.read import ReadProtocol, read_protocol
from pcmodel.sessions.protocol.shipped import locate_protocol
from pcmodel.sessions.timeline import planned_doses, route_of

HEAVIEST = 1e5
"""mg of anything."""
MOST_TIMES = {"k_2a": 1e3, "k_1a": 1e3, "release_ec50": 100.0, "nmda_ic50": 100.0}
"""Multiples of the concentration of half an action, in plasma, that no dose reaches."""


@checked_arguments
def load_protocol(
    name_or_path: str | FilePath, *, library: Library | None = None
) -> Protocol:
    """The protocol in a file, or the one of this name that comes with the package.

    library: of compounds; None: the package's own.
    Raises UserError naming the file and the line of what is wrong, unknown compounds and impossible doses
    included.
    """
    read = read_protocol(name_or_path)
    check_doses(read, library)
    return read.protocol


def protocol_sha256(name_or_path: str | FilePath, recorded: str = "") -> str:
    """Digest of a protocol's file and its name, to be recorded with a run: a file may change under the same path.

    recorded: what an earlier call gave; UserError if the file of this name is another one now. That of another
        protocol is nothing to compare with: an option may replace the protocol alone.
    """
    path = locate_protocol(str(name_or_path))
    found = hashlib.sha256(read_bytes(path)).hexdigest()
    digest, _, name = recorded.partition(" ")
    if recorded and name.strip() in ("", str(name_or_path)) and digest != found:
        raise UserError(
            f"is not what it was when the run was recorded (digest {digest[:8]}, now {found[:8]})",
            where=shown(path),
            expected="the same file, or a run without the recorded digest",
        )
    return f"{found} {name_or_path}"


def check_doses(read: ReadProtocol, library: Library | None = None) -> None:
    """UserError naming the line of an unknown compound or of a dose that cannot be.

    library: of compounds; None: the package's own.
    """
    known = load_compounds() if library is None else library
    try:
        check_arm_doses(read.protocol, known)
    except Misplaced as error:
        raise read.source.error(error.path, error.what, error.expected) from None


def check_arm_doses(protocol: Protocol, library: Library) -> None:
    """Misplaced for an unknown compound or a dose that cannot be, in any arm of the protocol."""
    if protocol.drug is None:
        return
    drug = protocol.drug
    _check_compound(drug.compound, library, ("drug", "compound"))
    mg = drug.dose.mg(protocol.weight)
    _check_dose(Dose(drug.compound, mg, 0.0, route_of(drug)), library, ("drug", "dose"))
    for place, arm in enumerate(protocol.arms):
        if arm.compound is not None:
            _check_compound(arm.compound, library, ("arms", place, "compound"))
        own = (arm.dose, arm.compound, arm.route) != (None, None, None)
        for path, dose in planned_doses(
            protocol, protocol.arm(arm.name), protocol.weight
        ):
            group: Path = ("arms", place, "dose") if own else ("drug", "dose")
            _check_dose(dose, library, group if own or not path else path)


def check_plausible(dose: Dose, compound: Compound) -> None:
    """UserError for an amount that must be a slip: g for mg, or one for each kilogram.

    It would bring plasma to so many times the concentration of half its action, by the numbers of the
    compound's table, that nobody can mean it.
    """
    most = HEAVIEST
    for name, times in MOST_TIMES.items():
        if name in compound.numbers:
            half = compound.numbers[name].value
            most = min(most, times * half * compound.numbers["volume"].value / 1000.0)
    if np.any(np.asarray(dose.mg) > most):
        raise UserError(
            f"{dose.mg:.6g} mg of {compound.name} for a person of the protocol's weight",
            expected=f"at most {most:.3g} mg",
        )


def _check_dose(dose: Dose, library: Library, path: Path) -> None:
    try:
        check_plausible(dose, library[dose.compound])
        regimen(dose, library=library)
    except UserError as error:
        raise Misplaced(path, f"cannot be given: {error}") from None


def _check_compound(name: str, library: Library, path: Path) -> None:
    try:
        library[name]
    except UserError as error:
        raise Misplaced(path, f"is unknown: {error}") from None

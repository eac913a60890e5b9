r"""Routes from a drug to plasticity: rival hypotheses, each a switch.

| route | source | drive | enters at |
|---|---|---|---|
| `Via2A` | Ly 2018; Vargas 2023 | effect at 5-HT2A after the second stage | BDNF release |
| `ViaSerotonin` | MDMA in Nardou 2023 | effect of released serotonin at 5-HT2A | BDNF release |
| `TrkbDirect` | Moliner 2023 | occupancy of TrkB itself | TrkB signalling |
| `ViaNmda` | ketamine | block of NMDA channels | BDNF release |

Whether plasticity needs 5-HT2A is contested: blockade by ketanserin closes the window of `Via2A` and leaves
that of `TrkbDirect`.  Vargas 2023 also holds that serotonin itself does not reach the receptors
inside the cell that matter: then `ViaSerotonin` is left out, and MDMA opens no window.

The hours of drive saturate, $s(D) = D / (D + D_{50})$ (hyperbolic), within one administration; what several
administrations do is added.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import NotNegative
from pcmodel.neuromodulation.plasticity.drive import Drive

ENTRIES = ("bdnf", "trkb")
"""The stages that a route may act on first."""

Hours = Float[Array, "*some compounds"]


@runtime_checkable
class PlasticityRoute(Protocol):
    """A strategy for what drives plasticity."""

    @property
    def subject(self) -> str:
        """The rows of the table with its reference drive and the drive of half saturation."""
        ...

    @property
    def entry(self) -> str:
        """The first stage that it acts on, one of `ENTRIES`."""
        ...

    @property
    def weight(self) -> float:
        """Its size: 1 = after the reference drive the gain's peak is that of the table."""
        ...

    def hours(self, drive: Drive) -> Hours:
        """The hours of its drive by each compound."""
        ...


@checked_arguments
@dataclass(frozen=True)
class Via2A:
    """Plasticity follows the effect at 5-HT2A, after the second stage, of compounds that bind there.

    Attributes:
        weight: of the route; 1 = alone it accounts for the window of the reference dose.
    """

    weight: NotNegative = 1.0
    subject = "via_2a"
    entry = "bdnf"

    def hours(self, drive: Drive) -> Hours:
        """Hours of full effect."""
        return drive.effect_2a


@checked_arguments
@dataclass(frozen=True)
class ViaSerotonin:
    """Plasticity follows the effect of released serotonin at 5-HT2A, behind a stage of its own.

    Behind the second stage of the experience MDMA has next to no effect (it is no psychedelic), yet its
    window is as long as psilocybin's.  So this route's stage is less demanding (`stimulus_half`).  The
    store of serotonin is finite: beyond some 75 mg of MDMA the drive falls slowly with the dose.

    Attributes:
        weight: of the route; 1 = MDMA 125 mg opens a window as high as psilocybin 25 mg does.
    """

    weight: NotNegative = 1.0
    subject = "via_serotonin"
    entry = "bdnf"

    def hours(self, drive: Drive) -> Hours:
        """Hours of full effect."""
        return drive.serotonin_2a


@checked_arguments
@dataclass(frozen=True)
class TrkbDirect:
    """Plasticity follows the occupancy of TrkB itself, whatever happens at 5-HT2A; BDNF is not released.

    Attributes:
        weight: of the route; 1 = alone it accounts for the window of the reference dose.
    """

    weight: NotNegative = 1.0
    subject = "trkb_direct"
    entry = "trkb"

    def hours(self, drive: Drive) -> Hours:
        """Hours of full occupancy."""
        return drive.trkb


@checked_arguments
@dataclass(frozen=True)
class ViaNmda:
    """Plasticity follows the block of NMDA channels.

    Attributes:
        weight: of the route; 1 = ketamine 0.5 mg/kg opens a window as high as psilocybin 25 mg does.
    """

    weight: NotNegative = 1.0
    subject = "via_nmda"
    entry = "bdnf"

    def hours(self, drive: Drive) -> Hours:
        """Hours of full block."""
        return drive.nmda_block


ROUTES: tuple[PlasticityRoute, ...] = (Via2A(), ViaSerotonin(), ViaNmda())
"""The default: each compound by the receptor that its name is known for."""


def saturated(
    hours: Float[Array, " compounds"], *, scale: Float[Array, "2"]
) -> Float[Array, " compounds"]:
    """The saturated drive of one administration over that of the reference, by compound.

    hours: of drive by each compound.
    scale: hours of the reference drive, and of half saturation.
    s(D) / s(reference) of the total drive D, split in proportion to the hours of each compound.
    """
    reference, half = scale
    return hours / reference * (1 + reference / half) / (1 + jnp.sum(hours) / half)

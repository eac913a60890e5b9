"""Which files are the core, and which of their lines are not worth a sabotage, with the reason."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

CORE = (
    "energy.py",
    "precision.py",
    "belief.py",
    "problem.py",
    "likelihood.py",
    "modulation.py",
    "model.py",
    "small.py",
    "mixing.py",
    "laplace.py",
    "fluctuations.py",
    "inference/*.py",
    "learning/*.py",
    "neuromodulation/accounts.py",
    "neuromodulation/body.py",
    "neuromodulation/course.py",
    "neuromodulation/kinetics.py",
    "neuromodulation/maps.py",
    "neuromodulation/participant.py",
    "neuromodulation/pools.py",
    "neuromodulation/receptors.py",
    "neuromodulation/transducer.py",
    "paradigms/*.py",
    "behaviour/perception/*.py",
    "behaviour/responses/*.py",
)


class Equal(NamedTuple):
    """A line of `file` that contains `text`: whatever stands there, the answers are equal."""

    file: str
    text: str
    reason: str


EQUAL_BY_DESIGN: tuple[Equal, ...] = ()


def core_files(root: Path = ROOT) -> list[str]:
    """Paths under `pcmodel/`, in order."""
    package = root / "pcmodel"
    found = {
        path.relative_to(package).as_posix()
        for pattern in CORE
        for path in package.glob(pattern)
    }
    return sorted(found)

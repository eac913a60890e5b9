"""Which files are the core."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CORE = (
    "model/discrete_energy.py",
    "model/energy.py",
    "model/precision.py",
    "model/belief.py",
    "model/problem.py",
    "model/likelihood.py",
    "model/modulation.py",
    "model/generative.py",
    "model/linalg.py",
    "inference/activity.py",
    "api/posterior.py",
    "api/activity.py",
    "inference/**/*.py",
    "learning/**/*.py",
    "neuromodulation/accounts/accounts.py",
    "neuromodulation/accounts/compatibility.py",
    "neuromodulation/body.py",
    "neuromodulation/course.py",
    "neuromodulation/pharmacology/exchange.py",
    "neuromodulation/pharmacology/kinetics.py",
    "neuromodulation/accounts/maps.py",
    "neuromodulation/participant.py",
    "neuromodulation/pharmacology/pools.py",
    "neuromodulation/pharmacology/receptors.py",
    "neuromodulation/pharmacology/transducer.py",
    "paradigms/*.py",
    "behaviour/perception/*.py",
    "behaviour/responses/*.py",
)


def core_files(root: Path = ROOT) -> list[str]:
    """Paths under `pcmodel/`, in order."""
    package = root / "pcmodel"
    found = {
        path.relative_to(package).as_posix()
        for pattern in CORE
        for path in package.glob(pattern)
    }
    return sorted(found)

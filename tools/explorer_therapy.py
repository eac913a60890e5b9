"""The simulated people of the therapy scene of `pcmodel explore`, written as small arrays.

    python tools/explorer_therapy.py

About a minute on two cores. Writes `pcmodel/explorer/data/therapy.npz` (see `pcmodel.explorer.therapy`), with a record
of how it was made.
"""

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pcmodel.explorer.therapy import NUM_PEOPLE, SEED, all_arrays  # noqa: E402
from pcmodel.record.files import write_arrays  # noqa: E402

FILE = ROOT / "pcmodel" / "explorer" / "data" / "therapy.npz"
PACKAGES = ("jax", "numpy")


def main():
    """Simulate and write."""
    record = {
        "command": "python tools/explorer_therapy.py",
        "seed": SEED,
        "people": NUM_PEOPLE,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }
    write_arrays(FILE, {**all_arrays(), "record": np.array(json.dumps(record))})
    print(json.dumps(record, indent=1), FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()

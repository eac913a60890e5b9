"""The digits hierarchy that `pcmodel explore` ships: trained as in the main job, written as small arrays.

    python tools/explorer_digits.py

About a minute on two cores. Writes `pcmodel/explorer/data/digits.npz`: float32 weights of the trained hierarchy and of
the untrained one (its initial weights, with the learned precisions), the learned log-precisions, the first test image
of each digit, and a record of how it was made. Images: Alpaydin & Kaynak 1998, UCI Optical Recognition of Handwritten
Digits (CC BY 4.0), from scikit-learn.
"""

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from experiments.belief_revision.config import Training  # noqa: E402
from experiments.belief_revision.network import (  # noqa: E402
    accuracy,
    readout_accuracy,
    train_digits,
)
from pcmodel.data.digits import load_digits_split  # noqa: E402
from pcmodel.networks.layers.dense import identity  # noqa: E402
from pcmodel.networks.pure import as_model  # noqa: E402
from pcmodel.record.files import write_arrays  # noqa: E402
from pcmodel.runtime.progress import Progress  # noqa: E402

SEED = 0
FILE = ROOT / "pcmodel" / "explorer" / "data" / "digits.npz"
PACKAGES = ("jax", "flax", "optax", "numpy", "scikit-learn")


def weights_of(network, name):
    """Arrays of a network by name, weights (width below, width above)."""
    arrays = {}
    for level, layer in enumerate(as_model(network).weights["layers"]):
        arrays[f"{name}_weight{level}"] = np.asarray(layer["weight"], np.float32)
        arrays[f"{name}_bias{level}"] = np.asarray(layer["bias"], np.float32)
    return arrays


def main():
    """Train, measure, write."""
    data, training = load_digits_split(), Training()
    trained = train_digits(data, training, seed=SEED, progress=Progress(lines=True))
    learned = as_model(trained.network)
    record = {
        "command": "python tools/explorer_digits.py",
        "seed": SEED,
        "epochs": training.epochs,
        "widths": [64, *training.hidden, 10],
        "activations": [
            "identity" if layer.activation is identity else "tanh"
            for layer in trained.network.layers
        ],
        "test_images": len(data.test_images),
        "test_accuracy": accuracy(trained.network, data.test_images, data.test_labels),
        "test_readout_accuracy": readout_accuracy(
            trained.network, data.test_images, data.test_labels
        ),
        "untrained_readout_accuracy": readout_accuracy(
            trained.untrained, data.test_images, data.test_labels
        ),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }
    first = [int(np.flatnonzero(data.test_labels == digit)[0]) for digit in range(10)]
    levels = [np.asarray(each, np.float32) for each in learned.log_precisions]
    arrays = {
        **weights_of(trained.network, "trained"),
        **weights_of(trained.untrained, "untrained"),
        "log_precisions": np.stack([level.reshape(()) for level in levels]),
        "prior_mean": np.asarray(learned.weights["prior_mean"], np.float32),
        "images": np.asarray(data.test_images[first], np.float32),
        "record": np.array(json.dumps(record)),
    }
    write_arrays(FILE, arrays)
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()

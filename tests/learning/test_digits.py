"""The digits hierarchy learns to tell digits apart."""

import numpy as np
import pytest

from experiments.belief_revision.config import Training
from experiments.belief_revision.network import (
    accuracy,
    readout_accuracy,
    train_digits,
)
from pcmodel.data.digits import load_digits_split
from pcmodel.runtime.progress import Progress


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_five_digits_networks_recognise_held_out_images():
    """Prevents belief revision from being studied in networks that know no digits."""
    data = load_digits_split()
    test = data.test_images, data.test_labels
    accuracies, readouts = [], []
    for seed in range(5):
        trained = train_digits(
            data, Training(), seed=seed, progress=Progress(silent=True)
        )
        accuracies.append(accuracy(trained.network, *test))
        readouts.append(readout_accuracy(trained.network, *test))
        # What the weights know must come from learning, not from the precisions.
        assert accuracy(trained.untrained, *test) < 0.5
        assert readout_accuracy(trained.untrained, *test) < 0.5
    assert np.mean(accuracies) >= 0.93, accuracies
    # The free top is a Gaussian that stands for ten digits: it says a little less.
    assert np.mean(readouts) >= 0.92, readouts

"""The digits hierarchy learns to tell digits apart."""

import numpy as np
import pytest

from experiments.belief_revision.config import Training
from experiments.belief_revision.network import accuracy, train_digits
from pcmodel.data.digits import load_digits_split
from pcmodel.progress import Progress


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_five_digits_networks_recognise_held_out_images():
    """Prevents belief revision from being studied in networks that know no digits."""
    data = load_digits_split()
    accuracies = []
    for seed in range(5):
        trained = train_digits(
            data, Training(), seed=seed, progress=Progress(silent=True)
        )
        accuracies.append(accuracy(trained.network, data.test_images, data.test_labels))
        # What the weights know must come from learning, not from the precisions.
        chance = accuracy(trained.untrained, data.test_images, data.test_labels)
        assert chance < 0.5
    assert np.mean(accuracies) >= 0.93, accuracies

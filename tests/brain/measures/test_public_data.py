"""Public recordings: nine people after placebo and after psilocybin, 90 regions."""

import jax
import numpy as np
import pytest
from shared_brain_data import shared_brain

from pcmodel.brain.measures import (
    correlations,
    eigenspectrum_entropy,
    mean_coupling,
    paired_statistics,
)

PLACEBO, PSILOCYBIN = 2, 3  # scans


def test_the_numbers_of_the_psilocybin_study_come_out():
    """Mean Fisher z .189 and .237 (dz .65, p .09); entropy of the eigenspectrum .592 and .591."""
    with np.load(shared_brain("psilocybin_aal90", "bold.npz")) as archive:
        bold = archive["bold"]
    matrices = [
        [correlations(person[scan].T) for person in bold]
        for scan in (PLACEBO, PSILOCYBIN)
    ]
    z = [[mean_coupling(one).fisher_z for one in people] for people in matrices]
    found = paired_statistics(*z, key=jax.random.key(0))
    assert (found.mean_a, found.mean_b) == pytest.approx((0.189, 0.237), abs=5e-4)
    assert found.dz == pytest.approx(0.65, abs=5e-3)
    assert found.p == pytest.approx(0.087, abs=5e-3) and found.people == 9
    entropies = [
        np.mean([eigenspectrum_entropy(one).value for one in people])
        for people in matrices
    ]
    assert entropies == pytest.approx([0.592, 0.591], abs=5e-4)

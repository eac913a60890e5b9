"""`pcmodel.train(..., checkpoints=folder)`: a training that is cut ends in the same bits."""

import jax
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.learning import Learning
from pcmodel.networks.pure import as_model

DATA = np.random.default_rng(0).normal(size=(24, 4))
LEARNING = Learning()


class Cut(Exception):
    """Stands for a kill."""


def train(
    folder, *, data=DATA, seed=0, epochs=4, advance=lambda: None, widths=(4, 3, 2)
):
    return pcmodel.train(
        pcmodel.dense(widths, rngs=nnx.Rngs(0)),
        data,
        key=jax.random.key(seed),
        learning=LEARNING,
        num_epochs=epochs,
        batch_size=8,
        advance=advance,
        checkpoints=folder,
    )


def arrays(result):
    return as_model(result.network)[1:]


def cut():
    raise Cut


@pytest.mark.slow
def test_a_training_that_is_cut_ends_in_the_same_bits(tmp_path):
    """Prevents checkpoints from changing a result, or from being written and never read."""
    whole = train(None)
    folder = tmp_path / "checkpoints"
    for _ in range(2):
        with pytest.raises(Cut):
            train(folder, advance=cut)
    resumed = train(folder)
    jax.tree.map(np.testing.assert_array_equal, arrays(resumed), arrays(whole))
    np.testing.assert_array_equal(resumed.curve.energy, whole.curve.energy[2:])
    again = train(folder)
    jax.tree.map(np.testing.assert_array_equal, arrays(again), arrays(whole))
    for change, words in (
        ({"data": DATA + 1e-6}, "another data"),
        ({"seed": 1}, "another key"),
        ({"epochs": 5}, "another sizes"),
        ({"widths": (4, 5, 2)}, "another network .4, 3, 2.; expected 4, 5, 2"),
    ):
        with pytest.raises(pcmodel.UserError, match=words):
            train(folder, **change)

"""Where inference starts: beside the sweep, a little above it, and nowhere else."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.start import START, raised, start_of
from pcmodel.inference.whitened import unroll


def lifted(precision, *, width=200, size=0.01, full=False):
    """How far above its prediction each unit of the top is put, in latents."""
    if full:
        precision = np.eye(width) * precision
    network = pcmodel.dense((1, width), precisions=(1.0, precision), rngs=nnx.Rngs(0))
    problem = pose(network, np.zeros(1)).problem
    top = unroll(problem, raised(problem, size)).latents[-1]
    return np.asarray(top - network.prior_mean[...]) / size


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("precision", "unit"), [(1e-4, 1.0), (0.25, 1.0), (1.0, 1.0), (1e4, 1e-2)]
)
def test_every_unit_is_raised_by_an_amount_of_its_own(precision, unit, full):
    """Latents where the prior is wide, standard deviations where it is narrow: 0.5 to 1.5 times the size."""
    amounts = lifted(precision, full=full) / unit
    assert 0.5 <= amounts.min() < 0.52 and 1.48 < amounts.max() <= 1.5
    assert len(np.unique(amounts)) == len(amounts)


def test_stacked_levels_start_where_single_ones_do():
    """Prevents equal layers, which are run as one, from starting elsewhere."""
    precisions = (1.0, 4.0, 9.0, 0.25, 1e4, 1.0, 1.0)
    network = pcmodel.dense((3,) * 7, precisions=precisions, rngs=nnx.Rngs(0))
    problem = pose(network, np.zeros(3)).problem
    amounts = np.asarray(raised(problem, 1.0)).reshape(6, 3)
    roots = np.sqrt(np.asarray(precisions[1:]))[:, None]
    latents = amounts / roots / np.minimum(1, 1 / roots)
    assert np.all((latents >= 0.5) & (latents <= 1.5))
    assert len(np.unique(latents.round(12))) == latents.size


def test_affine_predictions_start_at_the_sweep_and_others_beside_it():
    affine = pcmodel.linear_gaussian([np.ones((2, 3))], [1.0, 1.0])
    assert np.all(start_of(pose(affine, np.zeros(2)).problem) == 0)
    bent = pose(pcmodel.dense((2, 3, 1), rngs=nnx.Rngs(0)), np.zeros(2)).problem
    np.testing.assert_array_equal(start_of(bent), raised(bent, START))


def test_a_batch_starts_at_one_point():
    """So that what is made of the start alone is made once for all examples."""
    network = pcmodel.dense((2, 3, 2), rngs=nnx.Rngs(0))
    one = start_of(pose(network, np.zeros(2)).problem)
    other = start_of(pose(network, jnp.ones(2)).problem)
    np.testing.assert_array_equal(one, other)

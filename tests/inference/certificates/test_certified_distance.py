"""The certificate's number is the distance to the mode, and what it certifies lies within the tolerance."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.certificates.certify import certify


@pytest.mark.parametrize("tolerance", [1e-2, 1.0])
def test_a_point_so_many_deviations_from_the_mode_is_said_to_be_there(tolerance):
    """Prevents a certificate that is too lenient, or too strict, by any factor.

    In whitened units the posterior of a linear network has precision H = I + S'S; H^-1/2 u leads one standard deviation
    away from the mode, whatever the unit vector u.
    """
    rng = np.random.default_rng(0)
    weight, data = rng.normal(size=(3, 4)), rng.normal(size=3)
    network = pcmodel.linear_gaussian([weight], [100.0, 0.5])
    problem = pose(network, data).problem
    root = np.sqrt(100.0 / 0.5) * weight
    hessian = np.eye(4) + root.T @ root
    mode = np.linalg.solve(hessian, root.T @ (10.0 * data))
    values, vectors = np.linalg.eigh(hessian)
    inverse_root = vectors / np.sqrt(values) @ vectors.T
    told = jax.jit(partial(certify, problem, tolerance=tolerance))
    for share in (0.5, 0.98, 1.02, 2.0, 50.0):
        direction = rng.normal(size=4)
        direction /= np.linalg.norm(direction)
        away = mode + share * tolerance * inverse_root @ direction
        found = told(jnp.asarray(away))
        np.testing.assert_allclose(found.residual, share * tolerance, rtol=1e-3)
        assert bool(found.converged) == (share < 1)

"""The quadrature oracle against adaptive quadrature, against the sum over all data, and against linear closed forms."""

import itertools

import numpy as np
import pytest
from directed import Numbers, draw_numbers, shape_of
from directed_oracles import truth
from quadrature import (
    Bent,
    energy,
    gradient_and_curvature,
    hessian,
    integrate,
    laplace,
    modes,
)
from two_ends import draw_bent


def test_gradients_are_those_of_the_energy():
    """Central differences of the energy at random points."""
    rng = np.random.default_rng(0)
    for name in ("shared middle", "two tops", "gaussian end beside"):
        bent = draw_bent(rng, name)
        point = rng.normal(size=len(bent.free))
        gradient, _ = gradient_and_curvature(bent, point)
        for unit, direction in enumerate(np.eye(len(point))):
            ahead, behind = energy(
                bent, point + 1e-6 * np.array([[1], [-1]]) * direction
            )
            np.testing.assert_allclose(
                gradient[unit], (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-6
            )


def test_the_evidence_of_all_data_sums_to_one():
    """Twelve data, each integrated: the sum is one only if every normaliser is there."""
    bent = draw_bent(np.random.default_rng(1), "two tops")
    total = 0.0
    for label, bits in itertools.product(
        np.eye(3), itertools.product((0.0, 1.0), repeat=2)
    ):
        numbers = bent.numbers._replace(values={0: label, 1: np.array(bits)})
        seen = bent._replace(numbers=numbers)
        total += np.exp(integrate(seen, modes(seen)[0]).log_evidence)
    np.testing.assert_allclose(total, 1.0, rtol=1e-8)


def test_the_grid_agrees_with_another_rule():
    """Evidence, means and variances of two free units, by Gauss and Legendre's rule in the latents themselves."""
    bent = draw_bent(np.random.default_rng(2), "two tops")
    mode = modes(bent)[0]
    lowest = energy(bent, mode[None])[0]
    found = integrate(bent, mode)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    spread = 13 * np.sqrt(np.diagonal(found.covariance))
    lines = [m + s * nodes for m, s in zip(mode, spread, strict=True)]
    points = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2)
    mass = np.outer(weights, weights).ravel() * np.prod(spread)
    mass = mass * np.exp(lowest - energy(bent, points))
    whole = np.sum(mass)
    np.testing.assert_allclose(found.log_evidence, np.log(whole) - lowest, rtol=1e-9)
    mean = mass @ points / whole
    np.testing.assert_allclose(found.mean, mean, rtol=1e-8)
    covariance = (points - mean).T @ (mass[:, None] * (points - mean)) / whole
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize(
    "name",
    [
        "two tops",
        pytest.param("shared middle", marks=pytest.mark.slow),
        pytest.param("gaussian end beside", marks=pytest.mark.slow),
    ],
)
def test_a_finer_and_a_wider_grid_give_the_same_integrals(name):
    """Two problems of each kind: what the grid leaves out is below a hundred-thousandth."""
    rng = np.random.default_rng(3)
    for _ in range(2):
        bent = draw_bent(rng, name)
        mode = modes(bent)[0]
        usual = integrate(bent, mode)
        other = integrate(bent, mode, reach=18.0, spacing=0.3)
        for ours, theirs in zip(usual, other, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_linear_gaussian_hierarchies_are_integrated_exactly():
    """Modes, evidence and moments equal weighted least squares; Laplace's approximation is exact."""
    rng = np.random.default_rng(4)
    shape = shape_of(
        (2, 1, 1),
        {0: (1, 2), 1: (2,)},
        clamped={0: ()},
        kinds=("full", "unit", "scalar"),
    )
    numbers = draw_numbers(rng, shape, span=1.0)
    bent = Bent(shape, numbers, {}, bends=False)
    exact = truth(shape, numbers)
    (mode,) = modes(bent, reach=60.0, steps=61)
    np.testing.assert_allclose(mode, exact.mean[2:], rtol=1e-8, atol=1e-8)
    for found in (laplace(bent, mode), integrate(bent, mode)):
        np.testing.assert_allclose(found.log_evidence, exact.log_evidence, rtol=1e-8)
        np.testing.assert_allclose(
            found.covariance, exact.covariance.astype(float), rtol=1e-7, atol=1e-9
        )


def test_modes_are_all_found_where_there_are_two():
    """A precise sense says tanh(x) = 0.9, the prior x = -4, where tanh no longer tells: both are minima."""
    shape = shape_of((1, 1), {0: (1,)}, clamped={0: ()})
    steep = Numbers(
        [[np.full((1, 1), 1.0)], []],
        [np.zeros(1), np.array([-4.0])],
        [np.array(30.0), np.array(1.0)],
        {0: np.array([0.9])},
        {},
        [],
    )
    bent = Bent(shape, steep, {})
    found = modes(bent, reach=8.0, steps=161)
    assert len(found) == 2
    for mode in found:
        assert np.all(np.linalg.eigvalsh(hessian(bent, mode)) > 0)
        assert np.abs(gradient_and_curvature(bent, mode)[0]).max() < 1e-9

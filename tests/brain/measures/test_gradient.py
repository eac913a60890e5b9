"""The principal gradient: definition by other means, planted order, and where there is none."""

import numpy as np
import pytest
from brain_series import block_correlation, smooth_series

from pcmodel.brain.measures import principal_gradient


def by_definition(matrix, kept=0.1):
    """Row by row, with the eigenvectors of the random walk itself."""
    number = len(matrix)
    rows = np.zeros_like(matrix)
    for i, row in enumerate(matrix):
        best = np.argsort(row)[::-1][: max(1, int(kept * number + 1e-9))]
        rows[i, best] = np.maximum(row[best], 0)
    affinity = np.asarray(
        [[a @ b / np.sqrt((a @ a) * (b @ b)) for b in rows] for a in rows]
    )
    density = affinity.sum(axis=1)
    walk = affinity / np.sqrt(np.outer(density, density))
    share = walk.sum(axis=1) / walk.sum()
    values, vectors = np.linalg.eig(walk / walk.sum(axis=1, keepdims=True))
    order = np.argsort(values.real)[::-1]
    value, vector = values.real[order[1]], vectors.real[:, order[1]]
    vector = vector / np.sqrt(share @ vector**2)
    return value, vector * value / (1 - value), share


def ring(number=40, reach=6.0):
    """Correlations that fall with distance along a line."""
    place = np.arange(number)
    return np.exp(-np.abs(place[:, None] - place[None, :]) / reach)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_second_eigenvector_of_the_walk(seed):
    matrix = np.corrcoef(smooth_series(30, 60, seed=seed))
    found = principal_gradient(matrix)
    value, vector, share = by_definition(matrix)
    assert found.eigenvalue == pytest.approx(value, rel=1e-8)
    sign = np.sign(vector[np.argmax(np.abs(vector))])
    np.testing.assert_allclose(found.values, vector * sign, rtol=1e-6, atol=1e-8)
    assert found.range == pytest.approx(np.ptp(vector), rel=1e-8)
    assert share @ found.values == pytest.approx(0, abs=1e-8)


def test_a_line_is_found_in_its_order():
    found = principal_gradient(ring())
    steps = np.diff(found.values)
    assert found.undefined == "" and (np.all(steps > 0) or np.all(steps < 0))
    order = np.random.default_rng(0).permutation(40)
    moved = principal_gradient(ring()[np.ix_(order, order)])
    assert moved.range == pytest.approx(found.range, rel=1e-8)


def test_a_flatter_hierarchy_has_a_smaller_range():
    """A part that all regions share brings the ends nearer."""
    apart = principal_gradient(ring(), kept=0.5)
    nearer = principal_gradient(0.5 * ring() + 0.5, kept=0.5)
    assert nearer.range < 0.9 * apart.range


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (block_correlation([10, 10], 0.5, 0.0)[0], "fall into 2 groups"),
        (np.eye(30), "fall into 30 groups"),
        (np.array([[1.0, 0.2], [0.2, 1.0]]), "it needs three regions, there are 2"),
    ],
)
def test_where_there_is_no_first_gradient_it_says_why(matrix, said):
    found = principal_gradient(matrix)
    assert np.isnan(found.range) and np.isnan(found.values).all()
    assert said in found.undefined


def test_a_plane_of_gradients_has_no_first():
    alike = np.where(np.eye(12, dtype=bool), 1.0, 0.5)
    found = principal_gradient(alike, kept=1.0)
    assert np.isnan(found.range)
    assert found.undefined == "the first two gradients are equally strong"

"""Directed linear hierarchies from their matrices, against the joint Gaussian written out by hand."""

import numpy as np
import pytest

import pcmodel
from pcmodel.errors import UserError
from pcmodel.networks.architectures.hierarchy import Level
from pcmodel.networks.architectures.linear_hierarchy import linear_hierarchy


def test_the_posterior_is_that_of_the_joint_gaussian():
    rng = np.random.default_rng(0)
    to_a, to_b, to_middle = (
        rng.normal(size=(2, 3)),
        rng.normal(size=(4, 3)),
        rng.normal(size=(3, 2)),
    )
    more = rng.normal(size=(4, 2))
    network = linear_hierarchy(
        {
            "a": Level(2, parents=["middle"], precision=2.0),
            "b": Level(4, parents=["middle", "top"], precision=0.5),
            "middle": Level(3, parents=["top"], precision=3.0),
            "top": Level(2, precision=1.5, prior_mean=[1.0, -1.0]),
        },
        weights={"a": [to_a], "b": [to_b, more], "middle": [to_middle]},
    )
    a, b = rng.normal(size=2), rng.normal(size=4)
    found = pcmodel.posterior(network, {"a": a, "b": b})
    # Precision matrix and information vector of (middle, top).
    errors = [
        (2.0, np.hstack([to_a, np.zeros((2, 2))]), a),
        (0.5, np.hstack([to_b, more]), b),
        (3.0, np.hstack([np.eye(3), -to_middle]), np.zeros(3)),
        (1.5, np.hstack([np.zeros((2, 3)), np.eye(2)]), np.array([1.0, -1.0])),
    ]
    matrix = sum(p * m.T @ m for p, m, _ in errors)
    mean = np.linalg.solve(matrix, sum(p * m.T @ y for p, m, y in errors))
    np.testing.assert_allclose(np.concatenate(found.mean[2:]), mean, rtol=1e-9)
    variances = np.diag(np.linalg.inv(matrix))
    np.testing.assert_allclose(np.concatenate(found.variances[2:]), variances)


def test_levels_without_weights_repeat_their_parents():
    network = linear_hierarchy(
        {"end": Level(2, parents=["top"]), "top": Level(2, prior_mean=[3.0, 4.0])}
    )
    np.testing.assert_array_equal(network.layers[0].weight[...], np.eye(2))
    assert network.layers[0].bias is None


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"nd": [np.eye(2)]}, "no level with parents is called 'nd'"),
        ({"top": [np.eye(2)]}, "no level with parents is called 'top'"),
        ({"end": []}, "has 0 matrices; expected one for each of its parents, top"),
        ({"end": [np.eye(3)]}, r"have shape \(3, 3\); expected \(2, 2\)"),
        ({"end": [np.full((2, 2), np.nan)]}, "weights of level 'end' on 'top'"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, message):
    with pytest.raises(UserError, match=message):
        linear_hierarchy(
            {"end": Level(2, parents=["top"]), "top": Level(2)}, weights=weights
        )

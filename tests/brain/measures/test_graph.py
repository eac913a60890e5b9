"""Modularity and participation: networkx, brute force, planted communities."""

import jax
import networkx as nx
import numpy as np
import pytest
from brain_series import block_correlation, exact_series, smooth_series

from pcmodel import UserError
from pcmodel.brain.measures import (
    correlations,
    modularity,
    modularity_of,
    participation,
)
from pcmodel.brain.measures.random_numbers import generator

KEY = jax.random.key(0)


def graph_of(matrix):
    weights = np.maximum(matrix, 0.0) * (1 - np.eye(len(matrix)))
    return weights, nx.from_numpy_array(weights)


@pytest.mark.parametrize("sizes", [[4, 4], [3, 6, 5], [2, 2, 2, 2]])
def test_planted_modules_are_found_with_their_closed_form(sizes):
    matrix, labels = block_correlation(sizes, 0.6, 0.05)
    found = modularity(correlations(exact_series(matrix, 50)), key=KEY)
    planted = np.asarray([int(label[3:]) for label in labels])
    assert np.array_equal(found.communities, planted)
    inside = np.asarray([0.6 * size * (size - 1) for size in sizes])
    size = np.asarray(sizes)
    strength = inside + 0.05 * size * (sum(sizes) - size)
    total = strength.sum()
    expected = (inside / total - (strength / total) ** 2).sum()
    assert found.value == pytest.approx(expected, rel=1e-8)
    assert modularity_of(matrix, labels).value == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("resolution", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_modularity_is_networkxs(seed, resolution):
    matrix = np.corrcoef(smooth_series(12, 20, seed=seed))
    _, graph = graph_of(matrix)
    found = modularity(matrix, key=KEY, resolution=resolution)
    parts = [
        set(np.flatnonzero(found.communities == c)) for c in set(found.communities)
    ]
    expected = nx.community.modularity(graph, parts, resolution=resolution)
    assert found.value == pytest.approx(expected, abs=1e-10)
    labels = list("aabbccddabcd")
    given = [{i for i, label in enumerate(labels) if label == name} for name in "abcd"]
    expected = nx.community.modularity(graph, given, resolution=resolution)
    got = modularity_of(matrix, labels, resolution=resolution).value
    assert got == pytest.approx(expected, abs=1e-10)


def test_more_starts_are_never_worse_and_a_key_says_all():
    matrix = np.corrcoef(np.random.default_rng(3).standard_normal((40, 30)))
    few, many = (modularity(matrix, key=KEY, num_starts=n) for n in (1, 8))
    assert many.value >= few.value
    again = modularity(matrix, key=KEY, num_starts=8)
    assert again.value == many.value
    assert np.array_equal(again.communities, many.communities)


def test_tiny_correlations_have_modules_too():
    """Prevents a threshold on gains that weights of 1e-8 never reach."""
    matrix, _ = block_correlation([3, 3], 6e-9, 1e-10)
    assert modularity(matrix, key=KEY).communities.tolist() == [0, 0, 0, 1, 1, 1]


def test_without_positive_correlations_it_is_undefined():
    matrix = np.where(np.eye(3, dtype=bool), 1.0, -0.4)
    for found in (modularity(matrix, key=KEY), modularity_of(matrix, list("aab"))):
        assert np.isnan(found.value)
        assert found.undefined == "no correlation is positive"
    found = participation(matrix, list("aab"))
    assert np.isnan(found.mean) and np.isnan(found.value).all()
    assert found.undefined == "3 regions have no positive correlation"


@pytest.mark.parametrize("seed", range(4))
def test_participation_is_that_of_the_graphs_own_strengths(seed):
    rng = np.random.default_rng(seed)
    matrix = np.corrcoef(smooth_series(10, 20, seed=seed))
    labels = list(rng.permutation(list("aaaabbbccd")))
    weights, graph = graph_of(matrix)
    found = participation(matrix, labels)
    for i in range(10):
        strength = graph.degree(i, weight="weight")
        shares = {
            name: sum(weights[i, j] for j in graph[i] if labels[j] == name)
            for name in "abcd"
        }
        expected = 1 - sum((share / strength) ** 2 for share in shares.values())
        assert found.value[i] == pytest.approx(expected, rel=1e-8)
    assert found.mean == pytest.approx(found.value.mean())


def test_participation_has_its_limits():
    apart, labels = block_correlation([3, 3], 0.5, 0.0)
    np.testing.assert_allclose(participation(apart, labels).value, 0.0, atol=1e-12)
    alone, labels = block_correlation([1] * 5, 0.0, 0.3)
    np.testing.assert_allclose(participation(alone, labels).value, 1 - 1 / 4)
    one, labels = block_correlation([4], 0.3, 0.0)
    np.testing.assert_allclose(participation(one, labels).value, 0.0, atol=1e-12)


def test_a_seed_is_no_key():
    with pytest.raises(UserError, match=r"jax.random.key\(3\)"):
        generator(3)
    old, new = generator(jax.random.PRNGKey(3)), generator(jax.random.key(3))
    assert old.random() == new.random()

"""What is seen from the sides of a point on a corner: a way down, where there is one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.certificates.kinks import directions, way_down
from pcmodel.inference.solvers.sufficient_decrease import point_at, point_energy
from pcmodel.inference.start import raised


def one_unit(activation, y, widths=(1, 1, 1)):
    """A chain of ones, at rest."""
    network = pcmodel.dense(widths, activation=activation, rngs=nnx.Rngs(0))
    for layer in network.layers:
        layer.weight[...] = jnp.ones_like(layer.weight[...])
    return pose(network, np.full(widths[0], y)).problem


def look(problem, whitened, wanted=True, precondition=lambda vector: vector):
    return jax.jit(
        lambda z, wanted: way_down(problem, point_at(problem, z), precondition, wanted)
    )(whitened, jnp.asarray(wanted))


def energy(problem, whitened):
    return float(point_energy(problem, point_at(problem, whitened)))


def steep(x):
    """Twenty times as steep at 0.2 as at 0: a step made for its slope at the corner is far too long."""
    return jnp.maximum(x, 0) * (1 + 50 * x)


@pytest.mark.parametrize(
    ("activation", "y", "best"),
    [
        # x^2 / 4 is the prior's share of the middle unit.
        (jax.nn.relu, 3.0, lambda x: 0.5 * (3 - x) ** 2 + x**2 / 4),
        (jnp.abs, 3.0, lambda x: 0.5 * (3 - x) ** 2 + x**2 / 4),
        (steep, 1.0, lambda x: 0.5 * (1 - x * (1 + 50 * x)) ** 2 + x**2 / 4),
    ],
)
def test_beside_a_dead_corner_there_is_a_way_down(activation, y, best):
    problem = one_unit(activation, y)
    found = look(problem, jnp.zeros(2))
    assert found.lower
    fallen = energy(problem, jnp.zeros(2)) - energy(problem, found.step)
    least = min(best(x) for x in np.linspace(0, 4, 4001))
    assert fallen > 0.3 * (energy(problem, jnp.zeros(2)) - least)


def test_a_way_down_to_the_left_is_seen_too():
    """A rectifier of -x: from above it is off, from below it explains the data."""
    problem = one_unit(lambda x: jax.nn.relu(-x), 2.0)
    found = look(problem, jnp.zeros(2))
    assert found.lower
    assert energy(problem, found.step) < energy(problem, jnp.zeros(2)) - 0.5


@pytest.mark.parametrize("wanted", [True, False])
def test_where_there_is_none_or_it_is_not_asked_nothing_moves(wanted):
    """Senses of -1 hold a rectifier at rest; and at a smooth mode every side is higher."""
    for problem, whitened in (
        (one_unit(jax.nn.relu, -1.0), jnp.zeros(2)),
        (one_unit(jax.nn.relu, 3.0), jnp.array([1.0, 1.0])),
    ):
        assert not look(problem, whitened, wanted).lower
    asked = look(one_unit(jax.nn.relu, 3.0), jnp.zeros(2), wanted)
    assert bool(asked.lower) == wanted
    if not wanted:
        assert np.all(np.asarray(asked.step) == 0)


def test_all_units_are_raised_and_those_of_each_level_alone():
    problem = one_unit(jax.nn.relu, 1.0, widths=(2, 3, 4, 2))
    whole = np.asarray(raised(problem, 1.0))
    expected = np.zeros((4, 9))
    expected[0] = whole
    for row, part in enumerate((slice(0, 3), slice(3, 7), slice(7, 9)), start=1):
        expected[row, part] = whole[part]
    found = np.asarray(directions(problem))
    np.testing.assert_array_equal(found[:4], expected)
    np.testing.assert_array_equal(np.abs(found[4:]), np.tile(np.abs(whole), (4, 1)))
    assert all(len(set(np.sign(row / whole))) == 2 for row in found[4:])


def test_in_deep_hierarchies_every_second_level_stands_for_one():
    problem = one_unit(jax.nn.relu, 1.0, widths=(1,) * 12)
    rows = np.asarray(directions(problem))
    whole = np.asarray(raised(problem, 1.0))
    assert rows.shape == (3 + 4, 11)
    np.testing.assert_array_equal(rows[1], np.where(np.arange(11) % 2 == 0, whole, 0))
    np.testing.assert_array_equal(rows[2], np.where(np.arange(11) % 2 == 1, whole, 0))

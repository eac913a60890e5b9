"""Single steps of the Gauss-Newton descents, and what they decide: damping, arrival, leaving."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import ConjugateGradient
from pcmodel.inference.certificates import saddles
from pcmodel.inference.certificates.corners import (
    Place,
    at_corners,
    corner_table,
    place_of,
    unpinned,
)
from pcmodel.inference.certificates.saddles import Around, escape
from pcmodel.inference.linear.conjugate_gradient import conjugate_gradient
from pcmodel.inference.linear.equation import Moving
from pcmodel.inference.solvers import active_set, gauss_newton
from pcmodel.inference.solvers.active_set import Task, _checked, _iterate, _State
from pcmodel.inference.solvers.damping import adapted, as_batched
from pcmodel.inference.solvers.line_search import Move
from pcmodel.inference.solvers.sufficient_decrease import point_at
from pcmodel.inference.whitened import Linearisation, linearise

NONE = np.zeros((), int)


@pytest.mark.parametrize(
    ("damping", "share", "length", "accepted", "expected"),
    [
        # A full step of an exact quadratic realises half its slope; a quarter is good enough.
        (1.0, 0.5, 1.0, True, 0.1),
        (1.0, 0.26, 1.0, True, 0.1),
        (1.0, 0.24, 1.0, True, 1.0),
        (1.0, 0.5, 0.5, True, 10.0),
        (1.0, 0.5, 1.0, False, 10.0),
        (0.0, 0.5, 0.5, True, 1e-2),
        (5e-8, 0.5, 1.0, True, 0.0),
        (2e-7, 0.5, 1.0, True, 2e-8),
    ],
)
@pytest.mark.parametrize("slope", [-8.0, -1e-3, -1e6])
def test_damping_fades_after_good_steps_and_rises_after_poor_ones(
    damping, share, length, accepted, expected, slope
):
    """Whatever the size of the energy: the share of its slope that the step has realised is what counts."""
    moved = Move(
        None, jnp.asarray(length), jnp.asarray(accepted), jnp.asarray(share * slope)
    )
    found = adapted(jnp.asarray(damping), moved, jnp.asarray(slope))
    assert float(found) == pytest.approx(expected, rel=1e-9)


def posed(act, y, mean):
    """One unit on one on one, weights and precisions 1."""
    network = pcmodel.dense((1, 1, 1), activation=act, rngs=nnx.Rngs(0))
    for layer in network.layers:
        layer.weight[...] = jnp.ones((1, 1))
    network.prior_mean[...] = jnp.full(1, mean)
    return pose(network, np.array([y])).problem


def state_of(place, *, scale=1.0, residual=np.inf, arrived=False):
    one, no = jnp.ones(()), jnp.asarray(False)
    known = jnp.asarray(arrived)
    return _State(
        place=place,
        damping=0 * one,
        residual=residual * one,
        best=jnp.inf * one,
        distance=1e-9 * one,
        patience=jnp.asarray(10),
        scale=scale * one,
        arrived=known,
        cautious=no,
        near=known,
        stop=no,
        iterations=jnp.asarray(NONE),
        products=jnp.asarray(NONE),
    )


def task_of(problem, tolerance=1e-2):
    return Task(problem, corner_table(problem), ConjugateGradient(), tolerance, 10)


@cache
def on_its_linear_side():
    """The problem and its mode."""
    problem = posed(jax.nn.relu, 2.0, 1.0)
    found = pcmodel.inference.infer_one(problem, pcmodel.GaussNewton())
    return problem, found.whitened


@pytest.mark.parametrize(("scale", "arrived"), [(1.0, True), (100.0, False)])
def test_what_the_true_hessian_widens_is_asked_to_be_smaller(scale, arrived):
    """relu with its data at 2, on its linear side: a hundredth from the mode is near, unless it counts a hundredfold."""
    problem, mode = on_its_linear_side()
    beside = mode + 3e-3 / np.sqrt(2)
    found = _iterate(task_of(problem), state_of(unpinned(beside), scale=scale))
    assert bool(found.arrived) == arrived


def test_a_place_that_is_left_has_not_arrived():
    """A dead rectifier, data 3: what was measured there says nothing of where the way down leads."""
    problem = posed(jax.nn.relu, 3.0, -0.1)
    start = Place(jnp.zeros(2), unpinned(jnp.zeros(2)).pins)
    before = state_of(start, residual=1e-6, arrived=True)
    found = _checked(task_of(problem), before)
    moved = np.abs(np.asarray(found.place.whitened) - np.asarray(start.whitened)).max()
    assert moved > 0 and not found.arrived and not found.near and not found.stop
    assert int(found.iterations) == 1 and np.isinf(found.residual)


def level_way(problem):
    """A way out along which the energy changes by less than its rounding."""
    size = problem.structure.num_free
    return Around(
        jnp.full((size,), 1e-12),
        leaving=jnp.asarray(True),
        certain=jnp.asarray(False),
        widening=jnp.ones(()),
        products=jnp.asarray(3),
    )


def test_a_saddle_without_a_visible_way_down_is_not_left(monkeypatch):
    """Prevents a descent from wandering over a plateau, each step of it within rounding, until its steps run out."""
    problem = posed(jnp.tanh, 0.3, 1.0)
    mode = pcmodel.inference.infer_one(problem, pcmodel.GaussNewton()).whitened
    monkeypatch.setattr(gauss_newton, "look_around", lambda *_: level_way(problem))
    yes, zero = jnp.asarray(True), jnp.zeros(())
    state = gauss_newton.first_state(point_at(problem, mode))
    state = state._replace(residual=zero, near=yes)
    found = gauss_newton.checked(
        problem, state, Moving(ConjugateGradient()), None, 1e-6
    )
    assert found.stop and found.near and int(found.iterations) == 0
    np.testing.assert_array_equal(found.point.whitened, mode)


def test_nor_is_one_among_corners(monkeypatch):
    problem = posed(jax.nn.relu, 2.0, 1.0)
    mode = pcmodel.inference.infer_one(problem, pcmodel.GaussNewton()).whitened
    found_around = lambda *_: level_way(problem)  # noqa: E731
    monkeypatch.setattr(active_set, "curvature_around", found_around)
    found = _checked(
        task_of(problem), state_of(unpinned(mode), residual=0.0, arrived=True)
    )
    assert found.stop and found.near and int(found.iterations) == 0
    np.testing.assert_array_equal(found.place.whitened, mode)


@pytest.mark.parametrize(
    ("act", "widths", "batch"),
    [
        (jnp.tanh, (1, 1, 1), ()),
        pytest.param(jnp.tanh, (3, 4, 2), (2,), marks=pytest.mark.slow),
        (jax.nn.relu, (3, 4, 2), (2,)),
        pytest.param(jax.nn.relu, (1, 1, 1), (), marks=pytest.mark.slow),
    ],
)
def test_where_nothing_is_observed_the_mode_is_the_sweep(act, widths, batch):
    """No outputs, no corrections: every error is zero and the energy that of the precisions alone."""
    network = pcmodel.dense(
        widths, activation=act, precisions=(5.0, 3.0, 0.2), rngs=nnx.Rngs(1)
    )
    network.prior_mean[...] = jnp.linspace(0.5, 1.5, widths[-1])
    missing = np.ma.masked_all((*batch, widths[0]))
    found = pcmodel.infer(network, missing)
    top = np.linspace(0.5, 1.5, widths[-1])
    hidden = network.layers[1](jnp.asarray(top))
    np.testing.assert_allclose(
        found.latents[1], np.broadcast_to(hidden, (*batch, widths[1])), atol=1e-6
    )
    assert np.all(found.converged) and np.all(found.residual < 1e-3)


@pytest.mark.parametrize("row", [0.0, np.nan, np.inf])
def test_what_batches_a_state_changes_nothing_in_it(row):
    """Whatever the rows hold: prevents an answer that is no number from counting as found."""
    start = posed(jnp.tanh, 0.3, 1.0)
    state = gauss_newton.first_state(point_at(start, jnp.zeros(2)))
    found = as_batched(state, jnp.array([row, 1.0]))
    jax.tree.map(np.testing.assert_array_equal, found, state)


@pytest.mark.parametrize("slope", [0.0, 1e-9, -1e-9, 0.5, -0.5, 1e3, -1e3])
def test_a_saddle_is_left_downhill_and_as_far_as_is_looked(slope):
    """H = diag(1, 10): along the second unit, 32 of its standard deviations, on the side where the energy falls."""
    root = jnp.array([[0.0, 3.0]])
    linear = Linearisation(
        jnp.zeros(()),
        jnp.array([7.0, slope]),
        lambda v: root @ v,
        lambda u: u @ root,
        1,
    )
    found = np.asarray(escape(linear, jnp.array([0.0, -0.2])))
    length = 32 / np.sqrt(10)
    np.testing.assert_allclose(np.abs(found), [0.0, length], rtol=1e-12)
    assert found[1] * slope <= 0
    np.testing.assert_array_equal(escape(linear, jnp.zeros(2)), 0)


@pytest.mark.parametrize(
    ("mean", "y", "pinned"),
    [(1.0, -2.0, True), (-0.6, -2.0, False), (1.0, -0.2, False), (0.001, -0.1, True)],
)
def test_an_answer_lies_at_a_corner_if_both_sides_lead_up(mean, y, pinned):
    """relu at x = 0 under a top at m / 2: slopes -m / 2 to the left and -y - m / 2 to the right."""
    problem = posed(jax.nn.relu, y, mean)
    none = unpinned(jnp.zeros(2)).pins
    free = place_of(problem, jnp.array([0.0, mean / 2]), none)
    found = at_corners(problem, corner_table(problem), free.whitened)
    assert found.pins.mask.tolist() == [pinned, False]


@pytest.mark.parametrize(
    ("left", "wanted", "widens"),
    [(1e-3, True, False), (0.5, True, True), (np.nan, True, True), (0.5, False, False)],
)
def test_what_products_leave_unexplained_lets_nothing_be_certified(
    monkeypatch, left, wanted, widens
):
    """A quarter of Gauss-Newton's curvature doubles a residual; where a direction may hide none is small enough."""
    problem = posed(jnp.tanh, 0.3, 1.0)
    point = point_at(problem, jnp.zeros(2))
    linear = linearise(problem, point.whitened)

    def products(_, rhs, *args, **options):
        plain = conjugate_gradient(lambda v: v, rhs, 1e-3, jnp.asarray(2))
        least, share = jnp.asarray(0.25), jnp.asarray(left)
        return plain._replace(negative=jnp.asarray(False), least=least, left=share)

    monkeypatch.setattr(saddles, "conjugate_gradient", products)
    ground = saddles.Ground(point, linear, lambda v: v)
    found = saddles.curvature_around(problem, ground, jnp.asarray(wanted))
    assert not found.leaving
    assert (found.widening > 1e15) if widens else float(found.widening) == 2.0

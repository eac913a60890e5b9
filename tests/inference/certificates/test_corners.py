"""Modes on a corner of the energy: found, held there, and certified by the slopes to both sides.

One unit on one unit on one unit, weights 1, biases 0: with the top integrated out, x has prior N(m, 1 / k),
1 / k = 1 / p1 + 1 / p2, and predicts y by act(x) with precision p0.  Every branch is a parabola, so that every local
minimum is known by hand.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import ConjugateGradient, GaussNewton, infer, infer_one
from pcmodel.inference.certificates.activations import corner_values
from pcmodel.inference.certificates.corners import (
    bend,
    blocked,
    corner_table,
    crossed,
    joined,
    nearest,
    place_of,
    settled,
    state_at,
)
from pcmodel.inference.solvers.active_set import Task, _conclusion, _State
from pcmodel.model.problem import Pins, Problem

BRANCHES = {"relu": (0.0, 1.0), "leaky_relu": (0.01, 1.0), "abs": (-1.0, 1.0)}
"""Slopes of the activation left and right of 0."""


def activation(name):
    return jnp.abs if name == "abs" else getattr(jax.nn, name)


def chain(act, mean, precisions=(1.0, 1.0, 1.0), widths=(1, 1, 1)):
    """Weights 1, biases 0."""
    network = pcmodel.dense(
        widths, activation=act, precisions=precisions, rngs=nnx.Rngs(0)
    )
    for layer in network.layers:
        layer.weight[...] = jnp.ones_like(layer.weight[...])
        layer.bias[...] = jnp.zeros_like(layer.bias[...])
    network.prior_mean[...] = jnp.full(widths[-1], mean)
    return network


def minima(name, y, mean, p0, k):
    """Every local minimum of p0 (y - act(x))^2 / 2 + k (x - m)^2 / 2."""
    left, right = BRANCHES[name]
    found = []
    for slope, side in ((left, -1), (right, 1)):
        x = (p0 * slope * y + k * mean) / (p0 * slope**2 + k)
        if side * x > 0:
            found.append(x)
    if -p0 * left * y - k * mean < 0 < -p0 * right * y - k * mean:
        found.append(0.0)
    return np.array(found)


def one_unit(name, y, mean, precisions):
    return pcmodel.infer(chain(activation(name), mean, precisions), np.array([y]))


@pytest.mark.parametrize(
    "name",
    [
        "relu",
        pytest.param("leaky_relu", marks=pytest.mark.slow),
        pytest.param("abs", marks=pytest.mark.slow),
    ],
)
def test_every_mode_of_one_unit_is_found_and_certified(name):
    """Precisions 1e-4 to 1e4, data and prior means of either sign; on corners and beside them."""
    rng = np.random.default_rng(0)
    network = chain(activation(name), 0.0)
    posed = pose(network, np.zeros(1)).problem
    count = 200
    ys, means = rng.normal(size=(2, count))
    logs = rng.uniform(np.log(1e-4), np.log(1e4), size=(count, 3))

    def solve(y, mean, log_precision):
        weights = {**posed.inputs.weights, "prior_mean": mean[None]}
        inputs = posed.inputs._replace(
            values=(y[None], *posed.inputs.values[1:]),
            weights=weights,
            log_precisions=tuple(
                jnp.broadcast_to(own, was.shape)
                for own, was in zip(
                    log_precision, posed.inputs.log_precisions, strict=True
                )
            ),
        )
        return infer_one(Problem(posed.structure, inputs), GaussNewton())

    found = jax.jit(jax.vmap(solve))(ys, means, logs)
    corners = 0
    for number in range(count):
        p0, p1, p2 = np.exp(logs[number])
        k = 1 / (1 / p1 + 1 / p2)
        known = minima(name, ys[number], means[number], p0, k)
        x = float(found.latents[1][number, 0])
        distance = np.min(np.abs(known - x)) * np.sqrt(p0 + k)
        assert found.converged[number], (ys[number], means[number], logs[number])
        assert distance < 1e-4, (known, x, ys[number], means[number], logs[number])
        corners += x == 0.0
    assert corners >= 10


@pytest.mark.parametrize(("beside", "corner"), [(1.001, True), (0.999, False)])
def test_a_unit_just_beside_the_edge_of_its_interval_is_let_go(beside, corner):
    """relu, m = 1, k = 1/2: the right slope at 0 is -y - 1/2, so the corner holds x for y < -1/2 only."""
    y = -0.5 * beside
    found = one_unit("relu", y, 1.0, (1.0, 1.0, 1.0))
    expected = 0.0 if corner else (y + 0.5) / 1.5
    assert found.converged
    assert float(found.latents[1][0]) == pytest.approx(expected, abs=1e-9)
    assert (float(found.latents[1][0]) == 0.0) == corner


@pytest.mark.slow
def test_two_units_on_corners_are_coupled_through_the_level_above():
    """y = (-2, -1), relu, both predicted by one top unit of mean 1: both at 0, the top at p2 / (p2 + 2 p1)."""
    network = chain(jax.nn.relu, 1.0, (1.0, 2.0, 3.0), widths=(2, 2, 1))
    network.layers[0].weight[...] = jnp.eye(2)
    found = pcmodel.infer(network, np.array([-2.0, -1.9]))
    assert found.converged
    np.testing.assert_array_equal(found.latents[1], 0)
    assert float(found.latents[2][0]) == pytest.approx(3 / (3 + 4), rel=1e-9)


def test_a_corner_that_is_not_at_zero():
    """clip(x, -.7, .7), m = 0, y = 3: left slope -(3 - .7) + .35, right slope .35."""
    network = chain(lambda x: jnp.clip(x, -0.7, 0.7), 0.0)
    found = pcmodel.infer(network, np.array([3.0]))
    assert found.converged
    assert float(found.latents[1][0]) == pytest.approx(0.7, rel=1e-9)


def test_a_step_is_no_corner():
    """act(x) = x + 1 above 0, else 0; m = 1, y = -1: slopes of either sign at 0, and a jump down to its left."""
    network = chain(lambda x: jnp.where(x >= 0, x + 1, 0.0), 1.0)
    assert not pcmodel.infer(network, np.array([-1.0])).converged


@pytest.mark.parametrize(
    ("derivative", "dense"),
    [
        pytest.param(jax.jacfwd, 512, marks=pytest.mark.slow),
        (jax.jacrev, 512),
        (jax.jacrev, 0),
    ],
)
def test_derivatives_at_a_corner_keep_the_unit_there(monkeypatch, derivative, dense):
    """x = 0, top = p2 m / (p1 + p2): by hand, in forward and reverse mode, by either solve."""
    monkeypatch.setattr(infer, "DENSE_TANGENT", dense)
    network = chain(jax.nn.relu, 1.0, (1.0, 2.0, 3.0))
    problem = pose(network, np.array([-3.0])).problem

    def latents(mean, y):
        weights = {**problem.inputs.weights, "prior_mean": mean}
        values = (y, *problem.inputs.values[1:])
        inputs = problem.inputs._replace(weights=weights, values=values)
        found = infer_one(Problem(problem.structure, inputs), GaussNewton())
        return jnp.concatenate([*found.latents[1:], found.energy[None]])

    at = (jnp.ones(1), jnp.full(1, -3.0))
    # energy = y^2 / 2 + m^2 k / 2 there, k = 6 / 5.
    expected = np.array([[0, 0], [0.6, 0], [1.2, -3.0]])
    found = jax.jit(derivative(latents, argnums=(0, 1)))(*at)
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected, atol=1e-9)


def test_corners_of_single_units_are_read_from_operations():
    """Known values, none, or (None) corners of mixtures, at which nothing can be pinned."""
    for act, expected in (
        (jax.nn.relu, (0.0,)),
        (jax.nn.leaky_relu, (0.0,)),
        (jnp.abs, (0.0,)),
        (jax.nn.relu6, (0.0, 6.0)),
        (jax.nn.hard_tanh, (-1.0, 1.0)),
        (lambda x: jax.nn.relu(2 * x - 1), (0.5,)),
        (lambda x: jax.nn.relu(1 - x), (1.0,)),
        (lambda x: jnp.maximum(0.1 * x, x), (0.0,)),
        (jnp.tanh, ()),
        (jax.nn.gelu, ()),
        (lambda x: jax.nn.relu(x + x[::-1]), None),
        (lambda x: jnp.maximum(x, x[::-1]), None),
        (lambda x: x * jnp.max(x), None),
    ):
        problem = pose(chain(act, 0.0), np.zeros(1)).problem
        assert corner_values(problem, 0) == expected, (act, expected)


AFFINE = {
    "add": (lambda x: x + 3.0, lambda x: x - 3.0),
    "added to": (lambda x: 3.0 + x, lambda x: x - 3.0),
    "sub": (lambda x: x - 0.75, lambda x: x + 0.75),
    "subtracted from": (lambda x: 0.75 - x, lambda x: 0.75 - x),
    "mul": (lambda x: -2.0 * x, lambda x: x / -2.0),
    "multiplied by": (lambda x: x * 4.0, lambda x: x / 4.0),
    "div": (lambda x: x / 8.0, lambda x: 8.0 * x),
    "neg": (lambda x: -x, lambda x: -x),
}


@pytest.mark.parametrize("first", AFFINE)
def test_a_corner_is_where_what_comes_before_it_puts_it(first):
    """Two affine steps and a rectifier: the corner is where their inverses send 0; a clip has two."""
    before, undone = AFFINE[first]
    for then, back in AFFINE.values():
        problem = pose(
            chain(lambda x, then=then: jax.nn.relu(then(before(x))), 0.0), np.zeros(1)
        )
        assert corner_values(problem.problem, 0) == pytest.approx((undone(back(0.0)),))
    clipped = pose(chain(lambda x: jnp.clip(before(x), -1.5, 0.5), 0.0), np.zeros(1))
    expected = sorted([undone(-1.5), undone(0.5)])
    assert corner_values(clipped.problem, 0) == pytest.approx(tuple(expected))


def test_two_lines_meet_at_a_corner():
    """max(a x + b, c x + d) bends at (d - b) / (a - c)."""
    problem = pose(chain(lambda x: jnp.maximum(3 * x + 1, x - 2), 0.0), np.zeros(1))
    assert corner_values(problem.problem, 0) == pytest.approx((-1.5,))


def test_smooth_networks_have_no_corner_to_pay_for():
    """No table: the program of a smooth network is the one without corners."""
    for act in (jnp.tanh, jax.nn.gelu, jax.nn.sigmoid):
        assert corner_table(pose(chain(act, 0.0), np.zeros(1)).problem) is None


def pinned_at_rest(act, y, mean=1.0):
    """The chain with its x pinned at 0 and the top at its best, m / 2."""
    problem = pose(chain(act, mean), np.array([y])).problem
    pins = Pins(jnp.array([True, False]), jnp.zeros(2))
    return problem, place_of(problem, jnp.array([0.0, mean / 2]), pins)


def asked(problem, place, *, certain=True, cautious=False, distance=1e-9):
    """What becomes of the place's pins."""
    return settled(
        problem,
        corner_table(problem),
        place,
        certain=jnp.asarray(certain),
        cautious=jnp.asarray(cautious),
        distance=jnp.asarray(distance),
    )


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize(("y", "held"), [(-0.5005, True), (-0.4995, False)])
def test_a_pinned_unit_is_held_by_slopes_that_lead_up_on_both_sides(y, held, certain):
    """Slopes -1/2 and -y - 1/2; one that leads down lets it go to that side, however little it does."""
    problem, place = pinned_at_rest(jax.nn.relu, y)
    found = asked(problem, place, certain=certain)
    assert bool(found.pins.mask[0]) == held
    x = float(state_at(problem, found)[0])
    assert x == 0.0 if held else 0 < x < 1e-12


def test_slopes_and_the_jump_at_a_pin_are_those_by_hand():
    """relu: -1/2 and 2 - 1/2 for y = -2; a step of height 1 does not meet itself."""
    problem, place = pinned_at_rest(jax.nn.relu, -2.0)
    found = bend(problem, state_at(problem, place), place.pins)
    assert float(found.left[0]) == pytest.approx(-0.5)
    assert float(found.right[0]) == pytest.approx(1.5)
    assert bool(found.meets)
    problem, place = pinned_at_rest(lambda x: jnp.where(x >= 0, x + 1, 0.0), -2.0)
    assert not bend(problem, state_at(problem, place), place.pins).meets


@pytest.mark.parametrize("corner", [1e-6, 1000.0, -1e6])
def test_both_sides_of_a_pin_are_told_apart_at_any_distance_from_zero(corner):
    """relu(x - c) under y = -2: level to the left, 2 to the right, whatever the digits of c."""
    problem = pose(chain(lambda x: jax.nn.relu(x - corner), 0.0), np.full(1, -2.0))
    pins = Pins(jnp.array([True, False]), jnp.array([corner, 0.0]))
    # The top predicts the corner, so that the slopes are those of the data.
    found = bend(problem.problem, jnp.array([corner, corner]), pins)
    assert float(found.left[0]) == pytest.approx(0, abs=1e-6)
    assert float(found.right[0]) == pytest.approx(2, abs=1e-6)


@pytest.mark.parametrize(("mean", "side"), [(1.0, 1), (-1.0, -1)])
def test_from_a_ridge_a_unit_goes_down_the_steeper_side(mean, side):
    """abs under y = 2: slopes 2 - m / 2 to the left and -2 - m / 2 to the right, both down."""
    problem, place = pinned_at_rest(jnp.abs, 2.0, mean)
    found = asked(problem, place, certain=False)
    assert not found.pins.mask[0]
    assert np.sign(float(state_at(problem, found)[0])) == side


@pytest.mark.parametrize(("y", "side"), [(-0.5005, 1), (-1e4, -1)])
def test_a_unit_that_may_be_level_goes_to_its_levelest_side(y, side):
    """Slopes -1/2 and -y - 1/2; from a mode so uncertain that the lesser of them may be none."""
    problem, place = pinned_at_rest(jax.nn.relu, y)
    assert asked(problem, place).pins.mask[0]
    found = asked(problem, place, distance=1.0)
    assert not found.pins.mask[0]
    assert np.sign(float(state_at(problem, found)[0])) == side


def test_a_unit_as_near_to_its_corner_as_the_mode_is_uncertain_is_asked_too():
    """x = 1e-3 under y = -2, both slopes up: pinned from a mode known to 1e-2, not to 1e-4, nor before one is found."""
    problem = pose(chain(jax.nn.relu, 1.0), np.array([-2.0])).problem
    none = Pins(jnp.zeros(2, bool), jnp.zeros(2))
    place = place_of(problem, jnp.array([1e-3, 0.5]), none)
    for certain, distance, held in ((True, 1e-2, 1), (True, 1e-4, 0), (False, 1e-2, 0)):
        found = asked(problem, place, certain=certain, distance=distance)
        assert bool(found.pins.mask[0]) == held
        assert float(state_at(problem, found)[0]) == pytest.approx(
            0 if held else 1e-3, rel=1e-9
        )
        assert not found.pins.mask[1]


def test_with_caution_only_the_unit_that_leads_down_most_is_let_go():
    """Two units under y = (2, 3), slopes -2.5 and -3.5 to the right: both go, or one, or before a mode is found none."""
    network = chain(jax.nn.relu, 1.0, widths=(2, 2, 1))
    network.layers[0].weight[...] = jnp.eye(2)
    problem = pose(network, np.array([2.0, 3.0])).problem
    pins = Pins(jnp.array([True, True, False]), jnp.zeros(3))
    place = place_of(problem, jnp.array([0.0, 0.0, 0.5]), pins)
    for certain, cautious, held in (
        (True, False, [False, False]),
        (False, False, [False, False]),
        (True, True, [True, False]),
        (False, True, [True, True]),
    ):
        found = asked(problem, place, certain=certain, cautious=cautious)
        assert found.pins.mask[:2].tolist() == held
        state = np.asarray(state_at(problem, found))[:2]
        np.testing.assert_array_equal(state == 0, held)
        assert np.all(state >= 0)


def test_the_first_corner_on_a_way_is_the_one_passed():
    """Corners at -1 and 1: from either side, past both, past none, up to one, and where there are none."""
    table = np.array([[-1.0, 1.0]] * 5 + [[np.inf, np.inf]])
    old = jnp.array([-3.0, 3.0, 0.0, 0.5, -0.5, 0.0])
    new = jnp.array([3.0, -3.0, 0.9, 1.0, -2.0, 9.0])
    passed = crossed(table, old, new)
    assert passed.mask.tolist() == [True, True, False, False, True, False]
    np.testing.assert_array_equal(passed.values[passed.mask], [-1, 1, -1])
    np.testing.assert_array_equal(nearest(table, old), [-1, 1, -1, 1, -1, np.inf])


def test_pins_are_joined_and_the_first_keep_their_values():
    first = Pins(jnp.array([True, False, True, False]), jnp.array([1.0, 2.0, 3.0, 4.0]))
    more = Pins(jnp.array([True, True, False, False]), jnp.array([5.0, 6.0, 7.0, 8.0]))
    both = joined(first, more)
    assert both.mask.tolist() == [True, True, True, False]
    np.testing.assert_array_equal(both.values[:3], [1, 6, 3])


@pytest.mark.parametrize(
    ("y", "old", "new", "held"),
    [(-2.0, -1.0, 1.0, True), (2.0, -1.0, 1.0, False), (2.0, 1.0, -1.0, False)],
)
def test_a_way_ends_at_a_corner_beyond_which_the_energy_rises(y, old, new, held):
    """relu with the top at -1/2: to the right of 0 the slope is 1/2 - y, to the left 1/2, down in the way's direction."""
    problem = pose(chain(jax.nn.relu, -1.0), np.array([y])).problem
    old, new = jnp.array([old, -0.5]), jnp.array([new, -0.5])
    passed = crossed(corner_table(problem), old, new)
    assert passed.mask.tolist() == [True, False]
    assert blocked(problem, passed, old, new).mask.tolist() == [held, False]


@pytest.mark.parametrize("amiss", ["", "stop", "near", "residual", "scale"])
def test_certified_is_what_was_found_looked_around_and_measured(amiss):
    """Any one of them amiss is enough against it: a saddle that could not be left has an infinite residual."""
    problem, place = pinned_at_rest(jax.nn.relu, -2.0)
    task = Task(problem, corner_table(problem), ConjugateGradient(), 1e-6, 10)
    one, yes, no = jnp.ones(()), jnp.asarray(True), jnp.asarray(False)
    end = _State(place, *[one] * 6, yes, no, yes, yes, *[jnp.zeros((), int)] * 2)
    end = end._replace(residual=1e-8 * one)
    wrong = {"stop": no, "near": no, "residual": jnp.inf * one, "scale": 1e4 * one}
    end = end._replace(**{amiss: wrong[amiss]} if amiss else {})
    assert bool(_conclusion(task, end).converged) == (not amiss)

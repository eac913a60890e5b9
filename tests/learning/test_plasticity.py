"""Plasticity multiplies what every M-step and every rule changes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.learning import (
    Backpropagation,
    ClosedForm,
    Equilibrium,
    FixedHiddenPrecision,
    Frozen,
    GradientStep,
    Incremental,
    Learning,
    MovingAverage,
    NaturalGradient,
    Nudged,
    PointEstimate,
)
from pcmodel.learning.em import em_step, init_learning, level_rules
from pcmodel.learning.precisions.m_step import Draws, LevelRule, precision_energy
from pcmodel.learning.precisions.scores import Scores
from pcmodel.networks.pure import as_model

SHARES = (0.0, 0.25, 0.6)


def levels(rng):
    """A scalar, a per-unit and a full log-precision, and errors that fit none of them."""
    values = (
        jnp.asarray(0.3),
        jnp.asarray([0.1, -0.4]),
        jnp.asarray([[0.2, 0.0], [0.5, -0.1]]),
    )
    errors = tuple(jnp.asarray(rng.normal(size=(6, 4, 2))) for _ in values)
    return values, errors


@partial(jax.jit, static_argnums=0)
def moved_by(step, rate):
    """What one update adds, by level."""
    rng = np.random.default_rng(0)
    values, errors = levels(rng)
    shapes = ((), (2,))
    made = [
        jnp.asarray(rng.normal(size=(6, 4, *shape))) for shape in shapes for _ in "ab"
    ]
    both = Scores((made[0], made[2], None), (made[1], made[3], None))
    rules = tuple(LevelRule(rate) for _ in values)
    draws = Draws(errors, lambda: both)
    found, _ = step.update(values, draws, rules, step.init(values))
    return [new - old for new, old in zip(found, values, strict=True)]


STEPS = {"adam": GradientStep(optax.adam(0.1)), "sgd": GradientStep(optax.sgd(0.05))}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("share", SHARES)
def test_a_gradient_step_on_precisions_is_as_long_as_plasticity_says(name, share):
    """Prevents a drug that stops learning from leaving the precisions plastic."""
    part, whole = moved_by(STEPS[name], share), moved_by(STEPS[name], 1.0)
    for got, expected in zip(part, whole, strict=True):
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(got, share * expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("share", SHARES)
def test_a_natural_step_is_as_long_as_plasticity_says(share):
    """The same; a full precision moves by its variance, as all do under a moving average."""
    step = NaturalGradient(burn_in=0, settle=0, largest_move=10.0)
    part, whole = moved_by(step, share), moved_by(step, 1.0)
    for got, expected in zip(part[:2], whole[:2], strict=True):
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(got, share * expected, rtol=1e-9, atol=1e-14)
    average = moved_by(MovingAverage(0.3), share)
    np.testing.assert_allclose(part[2], average[2], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("rate", [1.0, 0.3])
@pytest.mark.parametrize("share", (*SHARES, 5.0))
def test_a_moving_average_moves_variances_by_as_much_as_plasticity_says(rate, share):
    """Of what is known now 1 - rate x share is kept, never less than nothing: written out for every kind of precision."""
    values, errors = levels(np.random.default_rng(0))
    step = ClosedForm() if rate == 1 else MovingAverage(rate)
    moved = moved_by(step, share)
    flat = [np.asarray(each).reshape(-1, 2) for each in errors]
    weight = min(rate * share, 1.0)
    scalar = (1 - weight) * np.exp(-0.3) + weight * np.mean(flat[0] ** 2)
    np.testing.assert_allclose(values[0] + moved[0], -np.log(scalar), rtol=1e-12)
    units = (1 - weight) * np.exp(-values[1]) + weight * np.mean(flat[1] ** 2, axis=0)
    np.testing.assert_allclose(values[1] + moved[1], -np.log(units), rtol=1e-12)
    root = lower(values[2])
    full = (1 - weight) * np.linalg.inv(root @ root.T)
    full += weight * flat[2].T @ flat[2] / len(flat[2])
    root = lower(values[2] + moved[2])
    np.testing.assert_allclose(root @ root.T, np.linalg.inv(full), rtol=1e-10)


def lower(log_precision):
    """The factor of a full precision: its diagonal is kept as twice a logarithm."""
    value = np.asarray(log_precision)
    return np.tril(value, -1) + np.diag(np.exp(0.5 * np.diag(value)))


@pytest.mark.parametrize(
    "rule",
    [Equilibrium(), Backpropagation(), Nudged(), Incremental(1)],
    ids=lambda rule: type(rule).__name__,
)
def test_every_rule_changes_weights_by_as_much_as_plasticity_says(rule):
    """Under Adam, whose steps a rescaled gradient would leave as they are."""
    rng = np.random.default_rng(1)
    network = pcmodel.linear_gaussian([rng.normal(size=(2, 2))], [2.0, 1.0])
    pure = as_model(network)
    labels, images = rng.normal(size=(2, 4, 2))
    structure = pose(pure, labels, clamp={"top": images}).problem.structure
    learning = Learning(
        optax.adam(0.1),
        precision_step=Frozen(),
        gauge=FixedHiddenPrecision(),
        e_step=PointEstimate(),
        rule=rule,
    )
    start = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )

    @jax.jit
    def change(plasticity):
        state, _ = em_step(
            start,
            (jnp.asarray(labels), jnp.asarray(images)),
            jax.random.key(0),
            structure=structure,
            learning=learning,
            plasticity=plasticity,
        )
        return jax.tree.map(
            lambda a, b: a - b, state.weights["layers"], pure.weights["layers"]
        )

    whole, part = jax.tree.leaves(change(1.0)), jax.tree.leaves(change(0.3))
    for got, expected in zip(part, whole, strict=True):
        np.testing.assert_allclose(got, 0.3 * expected, rtol=1e-9, atol=1e-12)
    assert max(np.abs(each).max() for each in whole) > 0.05


@pytest.mark.parametrize("floor", [0.0, 0.7])
def test_a_floor_is_noise_of_that_variance_on_the_errors(floor):
    """Prevents a floor that is added to precisions, or to couplings between units, or to another step than the closed form."""
    values, errors = levels(np.random.default_rng(0))
    rules = tuple(LevelRule(1.0, floor) for _ in values)

    @jax.jit
    def step(values, errors):
        draws = Draws(errors, lambda: None)
        found, _ = ClosedForm().update(values, draws, rules, ())
        slopes = [
            [
                jax.grad(precision_energy)(value, each, floor)
                for value, each in zip(at, errors, strict=True)
            ]
            for at in (found, values)
        ]
        return found, slopes

    found, (there, elsewhere) = step(values, errors)
    flat = [np.asarray(each).reshape(-1, 2) for each in errors]
    np.testing.assert_allclose(np.exp(-found[0]), np.mean(flat[0] ** 2) + floor)
    units = np.mean(flat[1] ** 2, axis=0) + floor
    np.testing.assert_allclose(np.exp(-found[1]), units)
    full = flat[2].T @ flat[2] / len(flat[2]) + floor * np.eye(2)
    root = lower(found[2])
    np.testing.assert_allclose(root @ root.T, np.linalg.inv(full), rtol=1e-10)
    # The gradient of the expected energy is zero there and by hand elsewhere: (1 - Pi m) / -2 a unit.
    for slope in there:
        np.testing.assert_allclose(slope, np.zeros(slope.shape), atol=1e-12)
    np.testing.assert_allclose(
        elsewhere[1], 0.5 * (np.exp(values[1]) * units - 1), rtol=1e-10
    )


def test_only_the_data_s_level_has_a_floor_and_only_learned_levels_a_rate():
    """Prevents pixels' quantisation from being taken for noise of hidden causes."""
    pure = as_model(pcmodel.linear_gaussian([np.ones((2, 2))] * 3, [1.0] * 4))
    structure = pose(pure, np.zeros(2)).problem.structure
    learning = Learning(frozen_precisions=(1,), variance_floor=0.2)
    rules = level_rules(learning, structure, None)
    assert rules == ((1.0, 0.2), (None, 0.0), (1.0, 0.0), (1.0, 0.0))
    held = Learning(gauge=FixedHiddenPrecision(), variance_floor=0.2)
    rules = level_rules(held, structure, jnp.asarray(0.5))
    assert rules == ((0.5, 0.2), (None, 0.0), (None, 0.0), (0.5, 0.0))

"""Learning under a modulation is learning without one from the modulated precisions, given back at the end.

With gains g a network of stored precisions Pi infers, and moves its weights, as one of precisions g Pi does without a
drug; what that one would then store is g times what the modulated one stores.  This holds for every rule and every
M-step of the package, draw by draw, because both see the same random numbers.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.learning import (
    Backpropagation,
    ClosedForm,
    Equilibrium,
    Frozen,
    GradientStep,
    Incremental,
    Learning,
    MovingAverage,
    NaturalGradient,
    Nudged,
    PointEstimate,
    PosteriorSamples,
)
from pcmodel.learning.em import em_step, init_learning
from pcmodel.model.slopes import Factors, factors_of
from pcmodel.networks.pure import as_model

RNG = np.random.default_rng(5)
BOTTOM, TOP = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))
UNITS = np.array([0.2, 5.0])
POINT = {"precision_step": Frozen(), "e_step": PointEstimate(pcmodel.GaussNewton())}


def network_with(gains=(1.0, 1.0, 1.0), dtype=np.float64):
    """Three levels, with one precision, one per unit, and a full one; multiplied by gains."""
    full = np.array([[2.0, 0.4], [0.4, 1.0]])
    root = np.sqrt(np.broadcast_to(gains[2], 2))
    precisions = [
        3.0 * gains[0],
        np.array([1.0, 2.0, 0.5, 1.5]) * gains[1],
        root[:, None] * full * root[None],
    ]
    with jax.enable_x64(dtype == np.float64):
        return pcmodel.dense((3, 4, 2), precisions=precisions, rngs=nnx.Rngs(0))


def steps(network, learning, factors=None, *, number=2, clamp=True, data=BOTTOM):
    """Weights and log-precisions after some learning steps."""
    pure = as_model(network)
    above = {"clamp": {"top": TOP}} if clamp else {}
    posed = pose(pure, data, **above).problem
    values = tuple(
        jnp.broadcast_to(one, (len(data), one.shape[-1])) for one in posed.inputs.values
    )
    step = jax.jit(partial(em_step, structure=posed.structure, learning=learning))
    state = init_learning(
        pure.weights,
        pure.log_precisions,
        learning,
        structure=posed.structure,
        num_examples=len(data),
        key=jax.random.key(1),
    )
    for key in jax.random.split(jax.random.key(2), number):
        state, _ = step(state, values, key, factors=factors)
    return state.weights, state.log_precisions


def precisions_of(log_precisions):
    """Precisions as numbers, vectors or matrices."""
    found = []
    for value in map(np.asarray, log_precisions):
        if value.ndim < 2:
            found.append(np.exp(value))
            continue
        lower = np.tril(value, -1) + np.diag(np.exp(np.diag(value) / 2))
        found.append(lower @ lower.T)
    return found


def compare(learning, gains, *, dtype=np.float64, tolerance=1e-7, **options):
    """Assert that learning under gains is drug-free learning from the modulated precisions."""
    wide = dtype == np.float64
    with jax.enable_x64(wide):
        factors = Factors(tuple(jnp.asarray(gain, dtype) for gain in gains))
        weights, inside = steps(network_with(dtype=dtype), learning, factors, **options)
        other, outside = steps(network_with(gains, dtype), learning, **options)
        start = steps(network_with(dtype=dtype), learning, **{**options, "number": 0})
    for got, expected in zip(
        jax.tree.leaves(weights), jax.tree.leaves(other), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
    found = precisions_of(inside)
    root = np.sqrt(np.broadcast_to(gains[2], 2))
    found[2] = root[:, None] * found[2] * root[None]
    for level in (0, 1):
        found[level] = found[level] * gains[level]
    for got, expected in zip(found, precisions_of(outside), strict=True):
        np.testing.assert_allclose(got, expected, rtol=10 * tolerance)
    moved = [
        np.abs(np.asarray(a) - np.asarray(b)).max()
        for a, b in zip(
            jax.tree.leaves(weights), jax.tree.leaves(start[0]), strict=True
        )
    ]
    assert max(moved) > 1e-3
    return found


@pytest.mark.parametrize(
    "rule",
    [Equilibrium(), Backpropagation(), Nudged(), Incremental(5)],
    ids=lambda rule: type(rule).__name__,
)
def test_every_rule_moves_weights_by_the_modulated_energy(rule):
    """Prevents a drug that acts in inference from being forgotten by the rule that follows it."""
    learning = Learning(optax.sgd(0.02), rule=rule, **POINT)
    compare(learning, (0.5, np.array([0.2, 1.0, 3.0, 2.0]), 0.3))


@pytest.mark.parametrize(
    "step",
    [
        MovingAverage(0.3),
        ClosedForm(),
        GradientStep(optax.sgd(0.05)),
        NaturalGradient(burn_in=0, settle=0),
    ],
    ids=lambda step: type(step).__name__,
)
def test_every_m_step_learns_precisions_from_gain_times_squared_error(step):
    """Prevents a relaxed level from learning that it is imprecise, or the noise floor from being counted otherwise."""
    learning = Learning(
        optax.sgd(0.02),
        precision_step=step,
        e_step=PosteriorSamples(2),
        variance_floor=0.1,
        frozen_precisions=("top",) if isinstance(step, GradientStep) else (),
    )
    gains = (0.5, np.array([0.2, 1.0, 3.0, 2.0]), UNITS)
    compare(learning, gains, clamp=False)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("gain", [1e-8, 1e-3, 1e3, 1e8])
def test_gains_of_any_size_agree(gain, dtype):
    """Relaxed or strengthened beyond all measure, in both dtypes."""
    learning = Learning(
        optax.sgd(0.01), precision_step=MovingAverage(0.1), variance_floor=0.1
    )
    wide = dtype == np.float64
    compare(
        learning,
        (1.0, 1.0, gain),
        dtype=dtype,
        number=1,
        tolerance=1e-6 if wide else 1e-3,
        data=BOTTOM.astype(dtype),
        # A free top without a prior is drawn 1e4 wide: in float32 no digit of the errors below it is left.
        clamp=not wide and gain < 1e-6,
    )


def test_gains_of_units_that_share_one_precision_are_averaged_in_it():
    """By hand, with every unit clamped: 1 / Pi is the mean of gain times squared error, floor included."""
    gains = (np.array([0.3, 1.0, 4.0]), 1.0)
    network = pcmodel.linear_gaussian(
        [np.ones((3, 2))], [2.0, np.array([1.0, 2.0])], prior_mean=np.array([0.2, -0.1])
    )
    pure = as_model(network)
    structure = pose(pure, BOTTOM, clamp={"top": TOP}).problem.structure
    learning = Learning(precision_step=ClosedForm(), variance_floor=0.3)
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )
    state, _ = em_step(
        state,
        (jnp.asarray(BOTTOM), jnp.asarray(TOP)),
        jax.random.key(0),
        structure=structure,
        learning=learning,
        factors=Factors(tuple(map(jnp.asarray, gains))),
    )
    errors = BOTTOM - TOP @ np.ones((2, 3))
    expected = np.mean(gains[0] * (errors**2 + 0.3))
    np.testing.assert_allclose(np.exp(-state.log_precisions[0]), expected, rtol=1e-12)
    expected = np.mean((TOP - [0.2, -0.1]) ** 2, axis=0)
    np.testing.assert_allclose(np.exp(-state.log_precisions[1]), expected, rtol=1e-12)


def test_slopes_scale_the_input_of_the_layer_that_learns():
    """By hand, with every unit clamped: dE/dW = -Pi e (a x)' for a linear layer under slopes a."""
    matrix, slopes = RNG.normal(size=(3, 2)), np.array([0.4, 2.5])
    network = pcmodel.linear_gaussian([matrix], [2.0, 1.0])
    pure = as_model(network)
    structure = pose(pure, BOTTOM, clamp={"top": TOP}).problem.structure
    learning = Learning(
        optax.sgd(0.1), **POINT, gauge=pcmodel.learning.FixedHiddenPrecision()
    )
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )
    modulation = pcmodel.Modulation({"data": 0.5}, slopes={"top": slopes})
    factors = factors_of(modulation, pure.model, jnp.dtype(float))
    state, _ = em_step(
        state,
        (jnp.asarray(BOTTOM), jnp.asarray(TOP)),
        jax.random.key(0),
        structure=structure,
        learning=learning,
        factors=factors,
    )
    felt = TOP * slopes
    errors = BOTTOM - felt @ matrix.T
    expected = matrix + 0.1 * 0.5 * 2.0 * errors.T @ felt / len(TOP)
    np.testing.assert_allclose(
        state.weights["layers"][0]["weight"], expected, rtol=1e-10
    )


@pytest.mark.parametrize("kind", [pcmodel.Categorical(), pcmodel.Bernoulli()])
def test_the_gain_of_discrete_data_tempers_what_is_learned_of_them(kind):
    """Its gradient is the gain times that of the likelihood, here of clamped tops, where nothing is inferred."""
    data = np.eye(3)[[0, 1, 2, 0, 2, 2]]
    network = pcmodel.linear_gaussian(
        [RNG.normal(size=(3, 2))], [None, 1.0], likelihood=kind
    )
    pure = as_model(network)
    structure = pose(pure, data, clamp={"top": TOP}).problem.structure
    learning = Learning(
        optax.sgd(0.1), **POINT, gauge=pcmodel.learning.FixedHiddenPrecision()
    )
    start = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )
    moves = []
    for factors in (None, Factors((jnp.asarray(0.3), jnp.asarray(1.0)))):
        state, _ = em_step(
            start,
            (jnp.asarray(data), jnp.asarray(TOP)),
            jax.random.key(0),
            structure=structure,
            learning=learning,
            factors=factors,
        )
        new, old = state.weights["layers"][0], start.weights["layers"][0]
        moves.append(np.asarray(new["weight"]) - np.asarray(old["weight"]))
    np.testing.assert_allclose(moves[1], 0.3 * moves[0], rtol=1e-10)
    assert np.abs(moves[0]).max() > 1e-3


def test_a_gain_without_evidence_moves_neither_mean_nor_precision():
    """Prevents relaxed beliefs from lasting by themselves: E[g e^2] = 1 / Pi, whatever g, so the top stays as it is."""
    network = pcmodel.linear_gaussian(
        [np.array([[1.0, 0.5]])],
        [1.0, np.array([4.0, 0.5])],
        prior_mean=np.array([1.0, -2.0]),
    )
    pure = as_model(network)
    count = 4000
    posed = pose(pure, np.zeros((count, 1))).problem
    learning = Learning(
        optax.sgd(0.1), precision_step=ClosedForm(), frozen_precisions=("data",)
    )
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=posed.structure
    )
    # The senses say nothing: their gain is as good as zero, and the precision of their level is known.
    modulation = pcmodel.Modulation({"data": 1e-12, "top": np.array([0.05, 20.0])})
    state, _ = jax.jit(partial(em_step, structure=posed.structure, learning=learning))(
        state,
        (jnp.zeros((count, 1)), jnp.zeros((count, 0))),
        jax.random.key(3),
        factors=factors_of(modulation, pure.model, jnp.dtype(float)),
    )
    error = np.sqrt(2 / count)
    assert np.all(np.abs(state.log_precisions[1] - pure.log_precisions[1]) < 4 * error)
    # One step of descent: Pi g times the mean error of the draws, whose sd is 1 / sqrt(g Pi count).
    pull = np.abs(state.weights["prior_mean"] - np.array([1.0, -2.0])) / 0.1
    assert np.all(pull < 4 * np.sqrt(np.array([0.2, 10.0]) / count))

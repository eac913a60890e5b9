"""`NudgedLoss`: the gradient of a small nudge, against the closed form, against predictive coding and backpropagation."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.errors import UserError
from pcmodel.learning import (
    Backpropagation,
    Equilibrium,
    EvenOdd,
    FixedHiddenPrecision,
    FixedPoint,
    Frozen,
    Learning,
    NudgedLoss,
    PointEstimate,
)
from pcmodel.learning.em import em_step, init_learning
from pcmodel.networks.pure import as_model

RNG = np.random.default_rng(3)
BATCH = 5


def data_of(widths, kind="gaussian"):
    images = RNG.normal(size=(BATCH, widths[-1]))
    if kind == "categorical":
        return np.eye(widths[0])[RNG.integers(0, widths[0], BATCH)], images
    return RNG.normal(size=(BATCH, widths[0])), images


def network_of(widths, *, hidden=1.0, kind="gaussian", seed=0, scale=1.0, **options):
    """Label precision 1, every hidden level's `hidden`."""
    bottom = None if kind == "categorical" else 1.0
    likelihood = pcmodel.Categorical() if kind == "categorical" else pcmodel.Gaussian()
    network = pcmodel.dense(
        widths,
        precisions=(bottom, *[hidden] * (len(widths) - 2), 1.0),
        likelihood=likelihood,
        rngs=nnx.Rngs(seed),
        **options,
    )
    for layer in network.layers:
        layer.weight[...] *= scale  # pyright: ignore[reportAttributeAccessIssue]
    return network


def gradient_of(network, rule, labels, images):
    """What plain gradient descent with a rate of 1 takes from the weights in one step."""
    return gradients_of(network, rule, labels, images)(0)


def gradients_of(network, rule, labels, images):
    """`gradient_of` as a function of the number of the key, compiled once."""
    pure = as_model(network)
    structure = pose(pure, labels, clamp={"top": images}).problem.structure
    solver = pcmodel.GaussNewton(tolerance=1e-13, max_iterations=100)
    learning = Learning(
        optax.sgd(1.0),
        precision_step=Frozen(),
        gauge=FixedHiddenPrecision(),
        e_step=PointEstimate(solver),
        rule=rule,
    )
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )
    dtype = pure.weights["prior_mean"].dtype
    empty = jnp.zeros((len(labels), 0), dtype)
    hidden = [empty] * (len(network.widths) - 2)
    values = (jnp.asarray(labels, dtype), *hidden, jnp.asarray(images, dtype))
    step = jax.jit(partial(em_step, structure=structure, learning=learning))

    def taken(key):
        moved, info = step(state, values, jax.random.key(key))
        change = jax.tree.map(lambda a, b: a - b, pure.weights, moved.weights)
        return change["layers"], info

    return taken


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def relative(got, expected):
    return np.linalg.norm(flat(got) - flat(expected)) / np.linalg.norm(flat(expected))


@pytest.mark.parametrize(
    "kind, precision",
    [
        ("gaussian", 100.0),
        ("categorical", 3.0),
        pytest.param("gaussian", 3.0, marks=pytest.mark.slow),
        pytest.param("gaussian", 1e4, marks=pytest.mark.slow),
        pytest.param("categorical", 100.0, marks=pytest.mark.slow),
        pytest.param("categorical", 1e4, marks=pytest.mark.slow),
    ],
)
def test_hidden_precision_over_label_precision_is_positive_nudging(kind, precision):
    """Theorem: E = pi/2 sum e^2 + C, divided by pi, is the nudged energy with beta = 1/pi.

    The left side is `Equilibrium` with the exact mode of `GaussNewton`; nothing of it is shared with the right.
    """
    widths = (3, 5, 4, 6)
    labels, images = data_of(widths, kind)
    # Weak weights, so that the iteration contracts even at a strength of 1/3.
    for seed in range(2):
        stiff = network_of(widths, hidden=precision, kind=kind, seed=seed, scale=0.5)
        soft = network_of(widths, kind=kind, seed=seed, scale=0.5)
        rule = NudgedLoss(1 / precision, "positive", FixedPoint(200))
        expected, _ = gradient_of(stiff, Equilibrium(), labels, images)
        got, _ = gradient_of(soft, rule, labels, images)
        assert relative(got, expected) < 1e-6


def linear_gradients(weights, label, image, weight):
    """Stationary point and local gradient of a linear chain with precisions 1, solved as one system in numpy.

    Latents of the two hidden levels minimise |y - W0 h1|^2 w/2 + |h1 - W1 h2|^2/2 + |h2 - W2 x|^2/2.
    """
    w0, w1, w2 = weights
    a, b = w1.shape
    system = np.block(
        [
            [weight * w0.T @ w0 + np.eye(a), -w1],
            [-w1.T, w1.T @ w1 + np.eye(b)],
        ]
    )
    right = np.concatenate([weight * w0.T @ label, w2 @ image])
    h1, h2 = np.split(np.linalg.solve(system, right), [a])
    errors = weight * (label - w0 @ h1), h1 - w1 @ h2, h2 - w2 @ image
    return [-np.outer(e, x) for e, x in zip(errors, (h1, h2, image), strict=True)]


@pytest.mark.parametrize("sign", ["centred", "positive", "negative"])
@pytest.mark.parametrize("inference", [FixedPoint(60), EvenOdd(120)])
def test_linear_networks_have_the_closed_form(sign, inference):
    """Prevents a wrong sign, weight or level, and a stationary point that is not one."""
    widths, strength = (3, 4, 2, 5), 0.1
    weights = [
        0.7 * RNG.normal(size=shape) / np.sqrt(shape[1]) for shape in pairwise(widths)
    ]
    labels, images = data_of(widths)
    network = pcmodel.linear_gaussian(weights, [1.0] * 4)
    got, _ = gradient_of(network, NudgedLoss(strength, sign, inference), labels, images)
    signs = {"centred": (1, -1), "positive": (1,), "negative": (-1,)}[sign]
    for level in range(3):
        terms = [
            s * linear_gradients(weights, y, x, s * strength)[level]
            for y, x in zip(labels, images, strict=True)
            for s in signs
        ]
        expected = np.sum(terms, axis=0) / (strength * len(signs) * BATCH)
        np.testing.assert_allclose(
            got[level]["weight"], expected, rtol=1e-8, atol=1e-10
        )


@pytest.mark.parametrize("kind", ["gaussian", "categorical"])
def test_the_bias_is_first_order_for_one_sign_and_second_for_both(kind):
    """Slopes 1 and 2 of the distance to backpropagation's gradient against the strength, in log-log."""
    widths = (3, 6, 5, 4)
    labels, images = data_of(widths, kind)
    network = network_of(widths, kind=kind)
    twin, _ = gradient_of(network, Backpropagation(), labels, images)
    strengths = np.array([0.02, 0.01, 0.005])

    def slope(sign):
        rules = [NudgedLoss(float(s), sign, FixedPoint(12)) for s in strengths]
        off = [
            relative(gradient_of(network, r, labels, images)[0], twin) for r in rules
        ]
        return np.polyfit(np.log(strengths), np.log(off), 1)[0]

    assert abs(slope("positive") - 1) < 0.1
    assert abs(slope("negative") - 1) < 0.1
    assert abs(slope("centred") - 2) < 0.1


def test_random_signs_are_centred_nudging_on_average():
    """Prevents one sign for all examples' keys, and a gradient that is not divided by its sign."""
    widths = (2, 3, 4)
    labels, images = data_of(widths)
    network = network_of(widths)
    rule = NudgedLoss(0.3, "random", FixedPoint(30))
    both = [
        gradient_of(network, NudgedLoss(0.3, sign, FixedPoint(30)), labels, images)[0]
        for sign in ("positive", "negative")
    ]
    centred = (flat(both[0]) + flat(both[1])) / 2
    half = (flat(both[0]) - flat(both[1])) / 2
    draw = gradients_of(network, rule, labels, images)
    draws = [flat(draw(key)[0]) for key in range(60)]
    # Each of 5 examples takes either sign: the mean over 60 keys lies within four standard errors.
    error = np.std(draws, axis=0) / np.sqrt(60) + 1e-12
    assert np.all(np.abs(np.mean(draws, axis=0) - centred) < 4.5 * error)
    assert np.linalg.norm(half) > 3 * np.linalg.norm(error)


@pytest.mark.parametrize("dtype, floor", [(np.float32, 3e-5), (np.float64, 1e-8)])
@pytest.mark.parametrize("strength", [1e-8, 1e-4])
def test_tiny_nudges_keep_their_digits(dtype, floor, strength):
    """Prevents errors that are differences of latents: at 1e-8 nothing of them would be left in float32."""
    widths = (3, 6, 5, 4)
    labels, images = data_of(widths)
    with jax.enable_x64(dtype == np.float64):
        network = network_of(widths)
        twin, _ = gradient_of(network, Backpropagation(), labels, images)
        got, _ = gradient_of(network, NudgedLoss(strength), labels, images)
        assert relative(got, twin) < max(floor, 100 * strength**2)


@pytest.mark.parametrize("widths", [(1, 1, 1), (3, 8, 8, 8, 8, 8, 6)])
def test_even_and_odd_levels_meet_at_the_fixed_point(widths):
    """Two inferences of one stationary point; the deep one is a stack of equal layers."""
    labels, images = data_of(widths)
    network = network_of(widths, scale=0.8)
    one, _ = gradient_of(
        network, NudgedLoss(0.05, "centred", FixedPoint(30)), labels, images
    )
    two, _ = gradient_of(
        network, NudgedLoss(0.05, "centred", EvenOdd(60)), labels, images
    )
    assert relative(two, one) < 1e-7


def test_what_cannot_be_nudged_is_a_sentence():
    for options in ({"strength": 0}, {"sign": "both"}, {"inference": 3}):
        with pytest.raises((UserError, TypeError)) as told:
            NudgedLoss(**options)  # pyright: ignore[reportArgumentType]
        assert next(iter(options)) in str(told.value)
    with pytest.raises(UserError):
        EvenOdd(0)

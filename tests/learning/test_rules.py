"""Rules of learning: each gradient against the mathematics it claims to be."""

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
from pcmodel.inference import TruncatedNewton
from pcmodel.learning import (
    Backpropagation,
    Equilibrium,
    FixedHiddenPrecision,
    Frozen,
    Incremental,
    Learning,
    Nudged,
    PointEstimate,
)
from pcmodel.learning.em import em_step, init_learning
from pcmodel.networks.pure import as_model

WIDTHS = (3, 4, 5, 6)
PRECISIONS = (2.0, 5.0, 3.0, 1.0)
RNG = np.random.default_rng(0)
LABELS = RNG.normal(size=(7, 3))
IMAGES = RNG.normal(size=(7, 6))


def classifier(**options):
    """A network with the label at the bottom and the image at the top."""
    options = {"precisions": PRECISIONS, **options}
    return pcmodel.dense(WIDTHS, rngs=nnx.Rngs(0), **options)


def gradient_of(network, rule, *, e_step=None, labels=LABELS, rate=1.0):
    """What plain gradient descent takes from the weights in one step, and the energies."""
    pure = as_model(network)
    structure = pose(pure, labels, clamp={"top": IMAGES}).problem.structure
    learning = Learning(
        optax.sgd(rate),
        precision_step=Frozen(),
        gauge=FixedHiddenPrecision(),
        e_step=e_step or PointEstimate(pcmodel.GaussNewton()),
        rule=rule,
    )
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )
    empty = jnp.zeros((len(labels), 0))
    values = (jnp.asarray(labels), empty, empty, jnp.asarray(IMAGES))
    step = jax.jit(partial(em_step, structure=structure, learning=learning))
    moved, info = step(state, values, jax.random.key(0))
    taken = jax.tree.map(lambda a, b: (a - b) / rate, pure.weights, moved.weights)
    return taken["layers"], info


def forward(layers, image, activation=jnp.tanh):
    """The network written out by hand, from the image to the label."""
    above = layers[2]["weight"] @ image + layers[2]["bias"]
    above = layers[1]["weight"] @ activation(above) + layers[1]["bias"]
    return layers[0]["weight"] @ activation(above) + layers[0]["bias"]


def assert_same(got, expected, **tolerance):
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


@pytest.mark.parametrize("kind", ["gaussian", "categorical"])
def test_backpropagation_is_the_gradient_of_the_loss_written_by_hand(kind):
    """Prevents the twin from being another algorithm than the one it is compared as."""
    if kind == "gaussian":
        network, labels = classifier(), LABELS

        def loss(output, label):
            return 0.5 * PRECISIONS[0] * jnp.sum((label - output) ** 2)
    else:
        network = classifier(
            precisions=(None, *PRECISIONS[1:]), likelihood=pcmodel.Categorical()
        )
        labels = np.eye(3)[RNG.integers(0, 3, 7)]

        def loss(output, label):
            return -jnp.sum(label * jax.nn.log_softmax(output))

    def mean_loss(layers):
        outputs = [forward(layers, image) for image in IMAGES]
        return jnp.mean(
            jnp.stack([loss(o, y) for o, y in zip(outputs, labels, strict=True)])
        )

    expected = jax.grad(mean_loss)(as_model(network).weights["layers"])
    got, info = gradient_of(network, Backpropagation(), labels=labels)
    assert_same(got, expected, rtol=1e-9, atol=1e-12)
    assert np.isnan(info.residual) and np.isnan(info.converged)


def linear_classifier():
    """Weights, and the covariance S of the label given the image."""
    weights = [RNG.normal(size=shape) for shape in pairwise(WIDTHS)]
    network = pcmodel.linear_gaussian(weights, PRECISIONS)

    def loss(layers, label, image):
        """(y - mu)' S^-1 (y - mu) / 2: the energy at the mode of the hidden levels."""
        w0, w1 = layers[0]["weight"], layers[1]["weight"]
        spread = jnp.eye(3) / PRECISIONS[0] + w0 @ w0.T / PRECISIONS[1]
        spread += w0 @ w1 @ w1.T @ w0.T / PRECISIONS[2]
        error = label - forward(layers, image, lambda x: x)
        return 0.5 * error @ jnp.linalg.solve(spread, error), (spread, error)

    return network, loss


def test_the_equilibrium_rule_descends_the_energy_of_the_mode():
    """Prevents latents from being differentiated through, or left out, or half settled.

    By the envelope theorem the local gradient at the mode is the total one of the minimum.
    """
    network, loss = linear_classifier()

    def mean_loss(layers):
        terms = [loss(layers, y, x)[0] for y, x in zip(LABELS, IMAGES, strict=True)]
        return jnp.mean(jnp.stack(terms))

    expected = jax.grad(mean_loss)(as_model(network).weights["layers"])
    got, _ = gradient_of(network, Equilibrium())
    assert_same(got, expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("strength", [pytest.param(0.1, marks=pytest.mark.slow), 1.5])
def test_centred_nudging_is_the_mahalanobis_loss_with_its_covariance_held(strength):
    """Prevents a wrong sign, scale or target.

    Linear: the energy of the mode is d' S^-1 d / 2 with d the nudge; in the centred difference its
    dependence on S cancels, at any strength.  Positive nudging keeps strength / 2 of it.
    """
    network, loss = linear_classifier()
    layers = as_model(network).weights["layers"]

    def mean_loss(layers, *, share):
        terms = []
        for y, x in zip(LABELS, IMAGES, strict=True):
            _, (spread, error) = loss(layers, y, x)
            fixed = jax.lax.stop_gradient((spread, error))
            prediction = forward(layers, x, lambda x: x)
            force = jnp.linalg.solve(fixed[0], fixed[1])
            along_mean = -force @ prediction
            along_spread = -0.5 * share * force @ spread @ force
            terms.append(along_mean + along_spread)
        return jnp.mean(jnp.stack(terms))

    for signs, share in (((1, -1), 0.0), ((1,), strength), ((-1,), -strength)):
        expected = jax.grad(partial(mean_loss, share=share))(layers)
        got, info = gradient_of(network, Nudged(strength, signs))
        assert_same(got, expected, rtol=1e-6, atol=1e-9)
        # A mode was found, and by no chain.
        assert info.residual < 1e-8 and info.converged == 1
        assert np.isnan(info.acceptance)


@pytest.mark.slow
def test_a_nudge_of_one_is_the_target_itself():
    """Prevents nudging and clamping from being different conventions."""
    categorical = {
        "precisions": (None, *PRECISIONS[1:]),
        "likelihood": pcmodel.Categorical(),
    }
    for options, labels in (
        ({}, LABELS),
        (categorical, np.eye(3)[[0, 1, 2, 0, 1, 2, 0]]),
    ):
        network = classifier(**options)
        whole, _ = gradient_of(network, Nudged(1.0, (1,)), labels=labels)
        clamped, _ = gradient_of(network, Equilibrium(), labels=labels)
        assert_same(whole, clamped, rtol=1e-9, atol=1e-12)


def test_incremental_learning_moves_weights_and_latents_at_once():
    """Prevents either from waiting for the other, or from being moved by the other's rate.

    A scalar chain label <- h <- image, written out: both move by the slopes before the move.
    """
    p0, p1, rate, pace = 2.0, 3.0, 0.01, 0.05
    w0, w1 = 0.7, -0.4
    label, image = np.array([1.2, -0.3]), np.array([0.5, 2.0])
    network = pcmodel.linear_gaussian([w0, w1], [p0, p1, 1.0])
    pure = as_model(network)
    clamps = {"top": image[:, None]}
    structure = pose(pure, label[:, None], clamp=clamps).problem.structure
    learning = Learning(
        optax.sgd(rate),
        precision_step=Frozen(),
        gauge=FixedHiddenPrecision(),
        rule=Incremental(3, optax.sgd(pace)),
    )
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )
    values = (
        jnp.asarray(label[:, None]),
        jnp.zeros((2, 0)),
        jnp.asarray(image[:, None]),
    )
    moved, info = em_step(
        state, values, jax.random.key(0), structure=structure, learning=learning
    )
    b0 = b1 = 0.0
    h = w1 * image
    for _ in range(3):
        e0, e1 = label - w0 * h - b0, h - w1 * image - b1
        seen = np.mean(0.5 * p0 * e0**2)
        steps = np.mean(p0 * e0 * h), np.mean(p0 * e0)
        steps += np.mean(p1 * e1 * image), np.mean(p1 * e1)
        h = h - pace * (p1 * e1 - p0 * w0 * e0)
        w0, b0, w1, b1 = np.array([w0, b0, w1, b1]) + rate * np.array(steps)
    layers = moved.weights["layers"]
    got = [layers[i][name].item() for i in (0, 1) for name in ("weight", "bias")]
    np.testing.assert_allclose(got, [w0, b0, w1, b1], rtol=1e-9)
    normaliser = 0.5 * np.log(2 * np.pi / p0)
    np.testing.assert_allclose(info.level_energies[0] - normaliser, seen, rtol=1e-9)


@pytest.mark.parametrize("rate", [np.nan, np.inf])
def test_steps_that_are_no_numbers_are_refused_when_the_rule_is_made(rate):
    """Prevents latents of NaN, and with them weights, from a rate that was computed wrong."""
    with pytest.raises(pcmodel.UserError, match=r"Incremental.*step of"):
        Incremental(2, optax.sgd(rate))
    assert Incremental(2).num_steps == 2


@pytest.mark.slow
def test_truncated_newton_is_exact_when_given_enough_products():
    """Prevents the few products of training from converging to something else."""
    network, _ = linear_classifier()
    posed = pose(network, LABELS[0], clamp={"top": IMAGES[0]}).problem
    start = jnp.zeros(9)
    exact = pcmodel.GaussNewton().minimise(posed, start).whitened
    found = TruncatedNewton(3).minimise(posed, start)  # as many as label units
    np.testing.assert_allclose(found.whitened, exact, atol=1e-9)
    assert found.converged and found.products == 3
    # Once there, no product moves it, and nothing is divided by zero.
    again = TruncatedNewton(5).minimise(posed, exact)
    np.testing.assert_allclose(again.whitened, exact, atol=1e-9)


@pytest.mark.slow
def test_truncated_newton_never_raises_the_energy():
    """Prevents a bold step in a curved network from being taught to the weights."""
    from pcmodel.inference.whitened import objective

    network = classifier(
        precisions=(200.0, 1.0, 1.0, 1.0), activation=jnp.sin, scale=3.0
    )
    refused = 0
    for label, image in zip(3 * LABELS, 3 * IMAGES, strict=True):
        problem = pose(network, label, clamp={"top": image}).problem
        start = jnp.zeros(9)
        found = TruncatedNewton(9).minimise(problem, start)
        before, after = objective(problem, start), objective(problem, found.whitened)
        assert after <= before
        refused += int(after == before)
        assert (found.residual > 1) or after < before
    assert refused > 0  # the guard was needed

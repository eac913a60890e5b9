"""One step of training in single precision, at hidden precisions that make errors smaller than a last digit."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.learning import (
    FixedHiddenPrecision,
    Frozen,
    Learning,
    Nudged,
    PointEstimate,
)
from pcmodel.learning.em import problem_of
from pcmodel.learning.rules import RuleContext, local_slope
from pcmodel.model.energy import level_energies
from pcmodel.model.generative import learned
from pcmodel.networks.pure import as_model

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.normal(size=(16, 8)), np.eye(3)[RNG.integers(3, size=16)]
E_STEP = PointEstimate(pcmodel.GaussNewton(tolerance=1e-12, checked=False))


def moved(precision, widths, rule, dtype):
    """Minus the gradient of every layer's weights: one step of descent at rate 1."""
    hidden = [precision] * (len(widths) - 2)
    network = pcmodel.dense(widths, precisions=[1.0, *hidden, 1.0], rngs=nnx.Rngs(0))
    for number, layer in enumerate(network.layers):
        shape = layer.weight.shape
        weight = np.random.default_rng(number).normal(size=shape) / shape[1] ** 0.5
        layer.weight[...] = jnp.asarray(np.float32(weight), dtype)
    learning = Learning(
        optax.sgd(1.0),
        rule=rule,
        precision_step=Frozen(),
        e_step=E_STEP,
        gauge=FixedHiddenPrecision(),
    )
    done = pcmodel.train(
        network,
        LABELS.astype(dtype),
        clamp={"top": IMAGES.astype(dtype)},
        key=jax.random.key(0),
        num_epochs=1,
        batch_size=16,
        learning=learning,
    )
    pairs = zip(done.network.layers, network.layers, strict=True)
    return [np.asarray(a.weight[...] - b.weight[...], float) for a, b in pairs]


@pytest.mark.parametrize(
    ("widths", "rule"),
    [
        ((3, 6, 5, 8), pcmodel.Learning().rule),
        pytest.param((3, 6, 5, 8), Nudged(0.1), marks=pytest.mark.slow),
        pytest.param(
            (3, 4, 4, 4, 4, 4, 4, 8), pcmodel.Learning().rule, marks=pytest.mark.slow
        ),
    ],
    ids=["equilibrium", "nudged", "stack"],
)
@pytest.mark.parametrize("precision", [1e4, 1e8])
def test_gradients_are_those_of_double_precision(precision, widths, rule):
    """Prevents weights from following the last digits of their latents instead of the errors."""
    exact = moved(precision, widths, rule, np.float64)
    with jax.enable_x64(False):
        found = moved(precision, widths, rule, np.float32)
    for one, other in zip(found, exact, strict=True):
        off = np.linalg.norm(one - other) / np.linalg.norm(other)
        assert off < (2e-2 if isinstance(rule, Nudged) else 1e-3)


def test_a_line_search_is_told_the_energy_at_other_weights():
    """Known errors hold at the weights of the mode alone: elsewhere errors are values minus predictions again."""
    network = pcmodel.dense((3, 5, 8), precisions=[1.0, 4.0, 1.0], rngs=nnx.Rngs(0))
    pure = as_model(network)
    structure = pose(network, LABELS, clamp={"top": IMAGES}).problem.structure
    values = (jnp.asarray(LABELS), jnp.zeros((16, 0)), jnp.asarray(IMAGES))
    keys = jax.random.split(jax.random.key(0), 16)

    def posed(weights, example):
        return problem_of(structure, weights, pure.log_precisions, example)

    def infer(example, key):
        return E_STEP.expect(posed(pure.weights, example), key)[0]

    found = jax.vmap(infer)(values, keys)
    context = RuleContext(posed, lambda *_: None, E_STEP)
    slope = local_slope(pure.weights, values, found, context).slope
    weights = {**pure.weights}
    for factor in (1.0, 0.5, -2.0):
        own = jax.tree.map(lambda leaf, by=factor: by * leaf, learned(weights))

        def energy(example, *latents, own=own):
            problem = posed({**weights, **own}, example)
            return jnp.sum(level_energies(problem, latents))

        latents = tuple(level[:, 0] for level in found.latents)
        expected = jnp.mean(jax.vmap(energy)(values, *latents))
        np.testing.assert_allclose(slope.objective(own), expected, rtol=1e-12)
        if factor == 1.0:
            np.testing.assert_allclose(slope.value, expected, rtol=1e-10)

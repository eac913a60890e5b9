"""Layers made of layers, and the parameterisation that lets them be stacked a hundred deep."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.learning.optimisation.optimisers import as_kept, as_optimised
from pcmodel.model.generative import sweep
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.layers.scaling import (
    Scaling,
    gain,
    mupc_hidden,
    mupc_input,
    mupc_readout,
)
from pcmodel.networks.pure import as_model
from pcmodel.networks.storage.description import build_layer, describe_layer

SEEDS = range(4)


def dense(above, below, seed=0, **options):
    return pcmodel.Dense(above, below, rngs=nnx.Rngs(seed), **options)


def test_a_residual_layer_with_zero_weights_is_the_identity(getkey):
    """Prevents the level above from being activated, scaled or dropped on its way down."""
    branch = dense(5, 5)
    branch.weight[...] = jnp.zeros((5, 5))
    x = 10 * jax.random.normal(getkey(), (5,))
    np.testing.assert_array_equal(pcmodel.Residual(branch, scale=3.0)(x), x)


def test_a_residual_layer_adds_the_scaled_branch_to_the_skip(getkey):
    """Prevents the scale from acting on the skip, or twice on the branch."""
    branch, skip = dense(5, 3), dense(5, 3, 1, activation=identity)
    x = jax.random.normal(getkey(), (5,))
    w, s = np.asarray(branch.weight[...]), np.asarray(skip.weight[...])
    found = pcmodel.Residual(branch, skip=skip, scale=0.2)(x)
    np.testing.assert_allclose(found, s @ x + 0.2 * w @ np.tanh(x), rtol=1e-12)


def test_a_chain_applies_its_layers_downwards(getkey):
    """Prevents the layers of a block from being applied in the wrong order."""
    first, second = dense(4, 4, 0), dense(4, 4, 1, activation=jax.nn.relu)
    x = jax.random.normal(getkey(), (4,))
    chain = pcmodel.Sequential([first, second])
    np.testing.assert_array_equal(chain(x), second(first(x)))
    assert not np.allclose(chain(x), first(second(x)))


def test_widths_that_do_not_add_up_are_named():
    """Prevents an identity between different widths from being broadcast."""
    with pytest.raises(pcmodel.UserError, match="equal widths"):
        pcmodel.Network(
            [pcmodel.Residual(dense(4, 1))], (1, 4), log_precisions=(0.0, 0.0)
        )
    with pytest.raises(pcmodel.UserError, match="at least one layer"):
        pcmodel.Sequential([])


def test_a_multiplier_is_the_same_as_smaller_weights(getkey):
    """Prevents the multiplier from reaching the bias, or from being forgotten."""
    plain, scaled = dense(6, 3), dense(6, 3, scaling=Scaling(multiplier=0.25))
    bias = jnp.array([1.0, -2.0, 0.5])
    plain.weight[...] = 0.25 * scaled.weight[...]
    plain.bias[...] = scaled.bias[...] = bias
    x = jax.random.normal(getkey(), (6,))
    np.testing.assert_allclose(scaled(x), plain(x), rtol=1e-12)


def test_mupc_has_the_published_multipliers():
    """Innocenti et al. 2025: 1/sqrt(D), 1/sqrt(N L), 1/N, weights of unit variance.

    Prevents hidden layers from being counted in place of layers (L = hidden levels + 1).
    """
    network = pcmodel.residual_mlp(100, 64, depth=3, num_classes=10, rngs=nnx.Rngs(0))
    readout, *hidden, first = network.layers
    assert [part.branch.scaling.multiplier for part in hidden] == [(64 * 4) ** -0.5] * 2
    assert first.scaling.multiplier == 0.1 and readout.scaling.multiplier == 1 / 64
    for layer in (first, hidden[0].branch):
        np.testing.assert_allclose(np.std(layer.weight[...]), 1.0, rtol=0.05)
    for build in (mupc_input, mupc_readout, lambda n: mupc_hidden(4, n)):
        with pytest.raises(pcmodel.UserError, match="positive"):
            build(0)


def spreads(depth, width, activation):
    """Mean square of every level's units, bottom first, over seeds and inputs."""

    def down(model, weights, tops):
        def one(top):
            levels = sweep(model, {**weights, "prior_mean": top})
            return jnp.stack([jnp.mean(level**2) for level in levels])

        return jnp.mean(jax.vmap(one)(tops), axis=0)

    found = []
    down = jax.jit(down, static_argnums=0)
    for seed in SEEDS:
        network = pcmodel.residual_mlp(
            200, width, depth, 10, activation=activation, rngs=nnx.Rngs(seed)
        )
        model, weights, _ = as_model(network)
        tops = jax.random.normal(jax.random.key(seed), (8, 200))
        found.append(down(model, weights, tops))
    return np.mean(found, axis=0)


@pytest.mark.parametrize("depth", [2, 16, pytest.param(128, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "activation, share", [(identity, 1.0), (jax.nn.relu, 0.5)], ids=["linear", "relu"]
)
def test_activity_neither_dies_nor_explodes_with_depth(depth, activation, share):
    """Where E[act^2] = share x variance the k-th hidden level has (1 + share/L)^(k-1).

    Independence of the weights makes this exact in expectation; 4 networks of width 128
    fluctuate around it by a few per cent. The label has E[act^2] / N.
    """
    width = 128
    found = spreads(depth, width, activation)
    hidden = found[1:-1][::-1]
    expected = (1 + share / (depth + 1)) ** np.arange(depth)
    np.testing.assert_allclose(hidden, expected, rtol=0.25)
    assert 0.75 < hidden.min() and hidden.max() < 1.25 * np.e**share
    np.testing.assert_allclose(found[0] * width, share * hidden[-1], rtol=0.4)


@pytest.mark.slow
@pytest.mark.parametrize("activation", [jnp.tanh, jax.nn.gelu])
def test_other_activations_stay_within_the_same_bounds(activation):
    """Prevents the bound e from holding for rectifiers only (act^2 <= x^2 suffices)."""
    hidden = spreads(32, 128, activation)[1:-1]
    assert 0.75 < hidden.min() and hidden.max() < 1.25 * np.e


def change_by_one_step(depth, rate=0.01, scaled=True):
    """Root mean square change of the last hidden level and of the label, in units of the
    rate, by one step of Adam on the label's squared error."""
    network = pcmodel.residual_mlp(64, 128, depth, 4, rngs=nnx.Rngs(1))
    model, weights, _ = as_model(network)
    keys = jax.random.split(jax.random.key(0))
    tops, labels = (
        jax.random.normal(keys[0], (16, 64)),
        jax.nn.one_hot(jnp.arange(16) % 4, 4),
    )

    def outputs(weights):
        down = jax.vmap(lambda top: sweep(model, {**weights, "prior_mean": top}))
        return down(tops)

    def loss(weights):
        return jnp.mean((outputs(weights)[0] - labels) ** 2)

    after_adam = pcmodel.scale_by_depth(network) if scaled else optax.identity()
    optimiser = optax.chain(optax.adam(rate), after_adam)

    @jax.jit
    def step(weights):
        # An optimiser sees one entry a layer, however the layers are kept.
        seen = as_optimised(model, weights)
        slopes = as_optimised(model, jax.grad(loss)(weights))
        updates, _ = optimiser.update(slopes, optimiser.init(seen), seen)
        moved = as_kept(model, optax.apply_updates(seen, updates))
        return outputs(weights), outputs(moved)

    before, after = step(weights)
    changes = [jnp.sqrt(jnp.mean((after[i] - before[i]) ** 2)) for i in (1, 0)]
    return np.array(changes) / rate


@pytest.mark.slow
def test_one_step_of_adam_changes_what_is_predicted_alike_at_every_depth():
    """The last hidden level and the label move by order `rate`, at depth 8 as at 64.

    Unscaled, the same step moves the last hidden level several times as far in the deep network as
    in the shallow one. Prevents a learning rate tuned on a shallow network from destroying a deep one.
    """
    shallow, deep = change_by_one_step(8), change_by_one_step(64)
    assert np.all(shallow < 10) and np.all(shallow > 0.02)
    assert np.all(np.abs(np.log(deep / shallow)) < np.log(2.0))
    plain = change_by_one_step(64, scaled=False) / change_by_one_step(8, scaled=False)
    assert plain[0] > 3


def test_rates_are_those_of_depth_mup():
    """Prevents a bias from learning at its weights' rate, or a rate from being skipped."""
    network = pcmodel.residual_mlp(100, 64, depth=3, num_classes=10, rngs=nnx.Rngs(0))
    rates = pcmodel.learning_rates(network)
    weights = as_model(network).weights
    assert jax.tree.structure(rates) == jax.tree.structure(weights)
    readout, one, _, first = rates["layers"]
    assert readout == {"weight": 1.0, "bias": 1.0}
    assert one["branch"] == {"weight": (64 * 4) ** -0.5, "bias": 0.25}
    assert first == {"weight": 0.1, "bias": 1.0}
    ones = jax.tree.map(jnp.ones_like, weights)
    transform = pcmodel.scale_by_depth(network)
    updates, _ = transform.update(ones, transform.init(weights), weights)
    jax.tree.map(lambda u, r: np.testing.assert_allclose(u, r), updates, rates)


def test_rates_are_one_where_nothing_is_scaled():
    """Prevents standard, convolutional or custom layers from learning at another rate."""

    class Custom(nnx.Module):
        def __init__(self):
            self.factor = nnx.Param(jnp.array(2.0))

        def __call__(self, above):
            return self.factor[...] * above

    network = pcmodel.Network(
        [
            pcmodel.Convolution((2, 2, 1), 1, rngs=nnx.Rngs(0)),
            pcmodel.Residual(pcmodel.Sequential([dense(4, 4), dense(4, 4)])),
            pcmodel.Residual(dense(3, 4), skip=dense(3, 4)),
            Custom(),
        ],
        (4, 4, 4, 3, 3),
        log_precisions=[0.0] * 5,
    )
    rates = pcmodel.learning_rates(network)
    assert jax.tree.structure(rates) == jax.tree.structure(as_model(network).weights)
    assert set(jax.tree.leaves(rates)) == {1.0}


def test_the_gain_keeps_a_units_variance():
    """sqrt 2 for relu (He et al. 2015), 1 for the identity; pools by simulation."""
    np.testing.assert_allclose(gain(jax.nn.relu), np.sqrt(2), rtol=0.01)
    np.testing.assert_allclose(gain(identity), 1.0, rtol=0.01)
    rng = np.random.default_rng(5)
    largest = np.maximum(rng.normal(size=(200_000, 4)).max(1), 0)
    found = gain(jax.nn.relu, pcmodel.MaxPool(2))
    np.testing.assert_allclose(found, np.mean(largest**2) ** -0.5, rtol=0.01)


def test_a_description_by_either_name_is_read():
    """Prevents files of either version from being refused."""
    layer = pcmodel.Sequential([dense(4, 3), dense(3, 2)])
    description = describe_layer(layer)
    for name in ("Chain", "Sequential"):
        built = build_layer(description | {"layer": name})
        assert isinstance(built, pcmodel.Sequential) and len(built.layers) == 2

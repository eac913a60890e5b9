"""One parameter at several levels: one gradient, one optimiser's entry, one array on disk."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.learning import FixedHiddenPrecision, Frozen, Learning, PointEstimate
from pcmodel.learning.optimisation.optimisers import as_optimised
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.pure import as_model

RNG = np.random.default_rng(0)
BOTTOM, TOP = RNG.normal(size=(2, 6, 3))
PRECISIONS = (2.0, 0.7, 1.5, 3.0, 0.5, 4.0)


class Transposed(nnx.Module):
    """Reads another layer's matrix from the other side, as an embedding is read."""

    def __init__(self, other):
        self.kernel = other.weight

    def __call__(self, above):
        return self.kernel[...].T @ above


def linear(depth, kind="object"):
    """`depth` linear layers with one matrix; level 0 and the top have three units."""
    dense = pcmodel.Dense(3, 3, activation=identity, rngs=nnx.Rngs(1))
    layers = [dense] * depth
    if kind == "transposed":
        layers[1::2] = [Transposed(dense) for _ in layers[1::2]]
    logs = list(np.log(PRECISIONS[: depth + 1]))
    return pcmodel.Network(
        layers, (3,) * (depth + 1), log_precisions=logs, is_linear=True
    )


def energy_of_the_mode(shared, depth, kind):
    """Mean of -log p(bottom | top) up to a constant of the weights' normaliser, written by hand."""
    total = 0.0
    for bottom, top in zip(BOTTOM, TOP, strict=True):
        mean, covariance = jnp.asarray(top), jnp.zeros((3, 3))
        for level in reversed(range(depth)):
            matrix, bias = shared["weight"], shared["bias"]
            if kind == "transposed" and level % 2:
                matrix, bias = matrix.T, jnp.zeros(3)
            mean = matrix @ mean + bias
            covariance = matrix @ covariance @ matrix.T
            covariance += jnp.eye(3) / PRECISIONS[level]
        error = bottom - mean
        total += 0.5 * error @ jnp.linalg.solve(covariance, error)
    return total / len(BOTTOM)


PLAIN = Learning(
    optax.sgd(0.5),
    gauge=FixedHiddenPrecision(),
    precision_step=Frozen(),
    e_step=PointEstimate(pcmodel.GaussNewton()),
)


def one_step(network, **options):
    return pcmodel.train(
        network,
        BOTTOM,
        clamp={"top": TOP},
        key=jax.random.key(0),
        **{"num_epochs": 1, "batch_size": 6, "learning": PLAIN, **options},
    )


@pytest.mark.parametrize(
    ("depth", "kind"),
    [
        (2, "object"),
        pytest.param(5, "object", marks=pytest.mark.slow),
        (3, "transposed"),
    ],
)
def test_a_shared_matrix_moves_by_the_sum_of_its_gradients(depth, kind):
    """By the envelope theorem the step is that of the energy of the mode in the one matrix.

    Prevents a layer at two levels from being trained as two, of which the last one's weights win.
    """
    network = linear(depth, kind)
    before = {
        "weight": network.layers[0].weight[...],
        "bias": network.layers[0].bias[...],
    }
    wanted = jax.grad(energy_of_the_mode)(before, depth, kind)
    moved = one_step(network).network
    for name, value in before.items():
        taken = (value - getattr(moved.layers[0], name)[...]) / 0.5
        np.testing.assert_allclose(taken, wanted[name], rtol=1e-7, atol=1e-10)
    last = moved.layers[depth - 1]
    kept = last.weight if kind == "object" else moved.layers[1].kernel
    assert kept is moved.layers[0].weight


@pytest.mark.parametrize("depth", [2, 5])
def test_an_optimiser_sees_a_shared_layer_once_and_levels_keep_their_index(depth):
    """Prevents a shared matrix from being decayed, or counted in a norm, once for every level."""
    pure = as_model(linear(depth))
    seen = as_optimised(pure.model, pure.weights)["layers"]
    assert len(seen) == depth and [len(jax.tree.leaves(e)) for e in seen] == [2] + [
        0
    ] * (depth - 1)


@pytest.mark.parametrize("depth", [pytest.param(2, marks=pytest.mark.slow), 5])
def test_a_tied_network_is_that_of_equal_layers(depth):
    """Prevents the loop over one shared layer from reading it as several, or backwards."""
    tied = linear(depth)
    apart = pcmodel.Network(
        [nnx.clone(layer) for layer in tied.layers],
        tied.widths,
        log_precisions=[value[...] for value in tied.log_precision],
        is_linear=True,
    )
    one, other = (
        pcmodel.infer(n, BOTTOM[0], clamp={"top": TOP[0]}) for n in (tied, apart)
    )
    np.testing.assert_allclose(one.energy, other.energy, rtol=1e-10)
    np.testing.assert_allclose(
        pcmodel.predict(tied, TOP[0]), pcmodel.predict(apart, TOP[0]), rtol=1e-12
    )


def test_what_is_tied_is_saved_and_loaded_tied(tmp_path):
    """Prevents a recurrent network from coming back as a deep one."""
    dense = pcmodel.Dense(3, 3, rngs=nnx.Rngs(0))
    half = pcmodel.Dense(3, 3, rngs=nnx.Rngs(1))
    half.weight = dense.weight  # the matrix alone
    network = pcmodel.Network([dense, half, dense], (3,) * 4, log_precisions=[0.0] * 4)
    pcmodel.save(network, tmp_path / "tied.npz")
    found = pcmodel.load(tmp_path / "tied.npz")
    first, second, third = found.layers
    assert first is third and second.weight is first.weight
    assert second.bias is not first.bias
    one, other = as_model(found), as_model(network)
    assert one.model == other.model
    jax.tree.map(np.testing.assert_array_equal, one[1:], other[1:])
    untied = pcmodel.dense((3,) * 4, rngs=nnx.Rngs(0))
    with pytest.raises(pcmodel.UserError, match="does not fit"):
        pcmodel.load(tmp_path / "tied.npz", into=untied)


class Interrupted(Exception):
    """Ends a training after its first epoch."""


def interrupt():
    raise Interrupted


@pytest.mark.slow
def test_a_checkpoint_of_a_tied_network_goes_on_tied(tmp_path):
    """Prevents training that was broken off from ending in other bits, or untied."""
    sizes = {"num_epochs": 2, "batch_size": 3}
    whole = one_step(linear(2), **sizes).network
    with pytest.raises(Interrupted):
        one_step(linear(2), **sizes, checkpoints=tmp_path, advance=interrupt)
    again = one_step(linear(2), **sizes, checkpoints=tmp_path).network
    assert again.layers[0] is again.layers[1]
    jax.tree.map(
        np.testing.assert_array_equal, as_model(again)[1:], as_model(whole)[1:]
    )


def test_a_log_precision_of_two_levels_is_learned_and_stored_as_one(tmp_path):
    """Prevents two levels that share a precision from being given one each."""
    network = linear(2)
    network.log_precision[1] = network.log_precision[0]
    network.log_precision[0].set_value(jnp.asarray(0.7))
    data = np.random.default_rng(0).normal(size=(32, network.widths[0]))
    trained = pcmodel.train(
        network, data, key=jax.random.key(0), num_epochs=3, batch_size=8
    ).network
    first, second = (np.asarray(value[...]) for value in trained.log_precision[:2])
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - 0.7).min() > 1e-3
    pcmodel.save(trained, tmp_path / "tied.npz")
    found = pcmodel.load(tmp_path / "tied.npz")
    assert found.log_precision[0] is found.log_precision[1]
    assert as_model(found).model == as_model(trained).model
    with pytest.raises(pcmodel.UserError, match="shared precisions"):
        pcmodel.load(tmp_path / "tied.npz", into=linear(2))

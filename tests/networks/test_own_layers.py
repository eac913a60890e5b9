"""Layers of the user's own: what learns, what stays, what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.inference import TruncatedNewton
from pcmodel.learning import Learning, PosteriorSamples
from pcmodel.networks.pure import as_model

MASK = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
DATA = np.random.default_rng(0).normal(size=(12, 4))


class Masked(nnx.Module):
    """A sparse map: its mask, its normaliser and a plain array are no parameters."""

    def __init__(self, mask, rngs):
        self.weight = nnx.Param(jax.random.normal(rngs.params(), mask.shape))
        self.mask = nnx.Variable(jnp.asarray(mask, bool))
        self.mean = nnx.BatchStat(jnp.full(mask.shape[1], 0.25))
        self.shift = np.full(mask.shape[0], 0.5)

    def __call__(self, above):
        kept = jnp.where(self.mask[...], self.weight[...], 0.0)
        return kept @ (above - self.mean[...]) + jnp.asarray(self.shift)


def sparse(seed=0):
    layer = Masked(MASK, nnx.Rngs(seed))
    return pcmodel.Network([layer], (4, 3), log_precisions=[0.0, 0.0], is_linear=True)


def trained(network, **options):
    solver = TruncatedNewton(3)
    learning = Learning(optax.adamw(0.05), e_step=PosteriorSamples(solver=solver))
    return pcmodel.train(
        network,
        DATA,
        key=jax.random.key(0),
        learning=learning,
        num_epochs=2,
        batch_size=6,
        **options,
    ).network


def test_only_parameters_learn_and_the_rest_is_saved_as_it_was(tmp_path):
    """Prevents a mask from being decayed, or turned into numbers, and statistics from drifting."""
    before, after = sparse(), trained(sparse())
    old, new = before.layers[0], after.layers[0]
    for name in ("mask", "mean"):
        kept = getattr(new, name)[...]
        np.testing.assert_array_equal(kept, getattr(old, name)[...])
        assert kept.dtype == getattr(old, name)[...].dtype
    np.testing.assert_array_equal(new.shift, old.shift)
    assert float(jnp.abs(new.weight[...] - old.weight[...]).max()) > 1e-2
    pcmodel.save(after, tmp_path / "own.npz")
    other = Masked(1 - MASK, nnx.Rngs(5))
    into = pcmodel.Network([other], (4, 3), log_precisions=[0.0, 0.0], is_linear=True)
    found = pcmodel.load(tmp_path / "own.npz", into=into)
    jax.tree.map(
        np.testing.assert_array_equal, as_model(found)[1:], as_model(after)[1:]
    )


def test_a_mask_acts_in_inference_and_outside_the_optimiser():
    """The posterior is that of the masked matrix, and an optimiser is not shown the mask."""
    network = sparse()
    layer = network.layers[0]
    matrix = MASK * np.asarray(layer.weight[...])
    shift = 0.5 - matrix @ np.full(3, 0.25)
    plain = pcmodel.linear_gaussian([matrix], [1.0, 1.0], biases=[shift])
    one, other = (pcmodel.infer(n, DATA[0]) for n in (network, plain))
    np.testing.assert_allclose(one.latents[1], other.latents[1], rtol=1e-8)
    assert jax.tree.structure(as_model(network).weights["layers"][0]).num_leaves == 1


def test_own_arrays_of_stacked_layers_are_each_layers_own():
    """Prevents four masked layers of one shape from being given the first one's mask."""
    rng = np.random.default_rng(1)
    layers = [Masked(rng.integers(0, 2, (3, 3)), nnx.Rngs(i)) for i in range(5)]
    network = pcmodel.Network(layers, (3,) * 6, log_precisions=[0.0] * 6)
    assert as_model(network).model.spans == ((0, 5),)
    above = expected = rng.normal(size=3)
    for layer in reversed(layers):
        expected = layer(expected)
    np.testing.assert_allclose(pcmodel.predict(network, above), expected, rtol=1e-12)


class Doubled(nnx.Module):
    """A layer without any array."""

    def __call__(self, above):
        return 2 * above


def test_a_stack_of_layers_without_arrays_still_predicts():
    """Prevents a loop over nothing from having no length."""
    network = pcmodel.Network(
        [Doubled() for _ in range(4)], (2,) * 5, log_precisions=[0.0] * 5
    )
    np.testing.assert_array_equal(
        pcmodel.predict(network, np.array([1.0, -1.0])), [16.0, -16.0]
    )


class Whole(nnx.Module):
    """A parameter that is no floating-point number."""

    def __init__(self):
        self.steps = nnx.Param(jnp.arange(3))

    def __call__(self, above):
        return above * self.steps[...]


class Worded(nnx.Module):
    """A variable that is no array."""

    def __init__(self):
        self.name = nnx.Variable("name")

    def __call__(self, above):
        return above


class Counting(nnx.Module):
    """Remembers what it was last asked, as batch normalisation in training does."""

    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros(3))

    def __call__(self, above):
        self.mean[...] = 0.9 * self.mean[...] + 0.1 * above
        return above - self.mean[...]


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (lambda: nnx.Dropout(0.5, rngs=nnx.Rngs(0)), "random generator"),
        (lambda: nnx.Dropout(0.5), "layer 0 cannot take level 1"),
        (
            lambda: nnx.BatchNorm(3, dtype=jnp.float32, rngs=nnx.Rngs(0)),
            "running averages",
        ),
        (Whole, "no gradient can move"),
        (Worded, "arrays of numbers"),
        (lambda: nnx.LSTMCell(3, 3, rngs=nnx.Rngs(0)), "layer 0"),
    ],
)
def test_layers_that_cannot_predict_are_refused_in_a_sentence(layer, words):
    """Prevents flax's own errors, and predictions that differ from call to call."""
    with pytest.raises(pcmodel.UserError, match=words):
        pcmodel.Network([layer()], (3, 3), log_precisions=[0.0, 0.0])


def test_batch_normalisation_with_its_averages_held_is_a_layer():
    """Prevents a network trained elsewhere from being refused for its running statistics."""
    norm = nnx.BatchNorm(3, use_running_average=True, rngs=nnx.Rngs(0))
    norm.mean[...], norm.var[...] = (
        jnp.array([1.0, 2.0, 3.0], jnp.float32),
        jnp.array([4.0, 1.0, 1.0], jnp.float32),
    )
    network = pcmodel.Network([norm], (3, 3), log_precisions=[0.0, 0.0])
    found = pcmodel.predict(network, np.array([3.0, 2.0, 4.0]))
    np.testing.assert_allclose(found, [1.0, 0.0, 1.0], rtol=1e-4)

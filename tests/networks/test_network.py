"""The network at the door: what it is built from, and what crosses to the pure side."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.errors import UserError
from pcmodel.model.generative import LinearModel, sweep
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.pure import as_model, with_arrays


def network(seed=0, **options):
    return pcmodel.dense((3, 4, 2), rngs=nnx.Rngs(seed), **options)


def test_networks_of_one_architecture_share_their_static_side():
    """Prevents every trained network from compiling inference anew."""
    one, other = as_model(network(0)), as_model(network(1, precisions=(3.0, 2.0, 1.0)))
    assert one.model == other.model and hash(one.model) == hash(other.model)
    assert as_model(network(activation=identity)).model != one.model


def test_a_network_survives_the_way_to_arrays_and_back():
    """Prevents training or saving from losing or permuting what was learned."""
    first, second = network(0), network(1, precisions=(5.0, 0.1, 2.0))
    second.prior_mean[...] = jnp.array([1.0, -1.0])
    pure = as_model(second)
    copy = with_arrays(first, pure.weights, pure.log_precisions)
    data = np.ones(3)
    np.testing.assert_array_equal(
        pcmodel.infer(copy, data).whitened, pcmodel.infer(second, data).whitened
    )
    # The original is untouched.
    np.testing.assert_array_equal(
        first.layers[0].weight[...], network(0).layers[0].weight[...]
    )


def test_a_modulation_never_changes_the_network():
    """Prevents a dose from lasting beyond its session."""
    one = network()
    before = as_model(one)
    pcmodel.infer(one, np.ones(3), modulation=pcmodel.relax("top", 0.1))
    after = as_model(one)
    np.testing.assert_array_equal(after.log_precisions, before.log_precisions)


def test_the_layer_out_of_the_top_is_linear():
    """Prevents a belief's units from saturating before they predict anything."""
    one = network()
    weight, bias = one.layers[1].weight[...], one.layers[1].bias[...]
    top = jnp.array([30.0, -40.0])
    np.testing.assert_allclose(one.layers[1](top), weight @ top + bias, rtol=1e-12)
    below = one.layers[0](jnp.array([30.0, 0, 0, 0]))
    np.testing.assert_allclose(below, one.layers[0].weight[...][:, 0], rtol=1e-6)


def test_a_linear_network_is_its_matrices():
    """Prevents the tests' oracle from being another model than the one described."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(3, 2)), rng.normal(size=(2, 1))]
    biases = [rng.normal(size=3), rng.normal(size=2)]
    built = as_model(pcmodel.linear_gaussian(weights, [1.0] * 3, biases=biases))
    plain = LinearModel((3, 2, 1), ("data", "hidden1", "top"))
    arrays = {
        "layers": tuple(
            zip(map(jnp.array, weights), map(jnp.array, biases), strict=True)
        ),
        "prior_mean": jnp.array([0.7]),
    }
    built.weights["prior_mean"] = arrays["prior_mean"]
    for ours, by_hand in zip(
        sweep(built.model, built.weights), sweep(plain, arrays), strict=True
    ):
        np.testing.assert_allclose(ours, by_hand, rtol=1e-12)
    assert built.model.is_linear and plain.is_linear


def test_an_activation_changed_after_building_ends_linearity():
    """Prevents one Newton step, exact for affine predictions only, from being all that a bent network gets."""
    changed = pcmodel.linear_gaussian([np.ones((2, 2))] * 2, [1.0] * 3)
    changed.layers[0].activation = jnp.tanh
    replaced = pcmodel.dense((3, 4, 2), activation=identity, rngs=nnx.Rngs(0))
    replaced.layers[1] = pcmodel.Residual(pcmodel.Dense(2, 4, rngs=nnx.Rngs(1)))
    same = pcmodel.dense((3, 4, 2), activation=identity, rngs=nnx.Rngs(0))
    same.layers[0] = pcmodel.Dense(4, 3, activation=identity, rngs=nnx.Rngs(1))
    assert not changed.is_linear and not replaced.is_linear and same.is_linear
    same.is_linear = False
    assert not same.is_linear
    found = pcmodel.infer(changed, np.array([0.9, -0.3]))
    assert (
        found.converged
        and jax.tree.reduce(
            max, jax.tree.map(lambda g: float(jnp.abs(g).max()), slopes(changed, found))
        )
        < 1e-3
    )


class Squares(pcmodel.Dense):
    def __call__(self, above):
        return self.weight[...] @ above**2


class Applied(nnx.Module):
    """A layer that its user has called affine, whose function has another name."""

    def __init__(self):
        self.function = identity

    def __call__(self, above):
        return self.function(above)


def test_a_layer_of_another_kind_or_another_function_ends_linearity():
    """Prevents a saddle at zero from being certified: both are squares in the end, seen as 4."""
    replaced = pcmodel.linear_gaussian([np.ones((1, 1))], [1.0, 1.0])
    replaced.layers[0] = Squares(1, 1, activation=identity, rngs=nnx.Rngs(0))
    replaced.layers[0].weight[...] = jnp.ones((1, 1))
    changed = pcmodel.Network(
        [Applied()], [1, 1], log_precisions=[0.0, 0.0], is_linear=True
    )
    assert changed.is_linear
    changed.layers[0].function = jnp.square
    for bent in (replaced, changed):
        assert not bent.is_linear
        found = pcmodel.infer(bent, np.array([4.0]))
        np.testing.assert_allclose(found.latents[1] ** 2, 3.5, rtol=1e-5)
        assert found.converged


def test_a_deep_copy_is_the_same_network():
    """Prevents copied activations, which jax can no longer read."""
    given = network()
    copied = copy.deepcopy(given)
    copied.prior_mean[...] += 1.0
    first = pcmodel.infer(given, np.ones(3)).latents
    second = pcmodel.infer(copied, np.ones(3)).latents
    assert not np.allclose(first[2], second[2])
    copied.prior_mean[...] -= 1.0
    np.testing.assert_array_equal(
        pcmodel.infer(copied, np.ones(3)).latents[2], first[2]
    )


@pytest.mark.parametrize(
    ("held", "said"),
    [(None, "is None"), (0.5, "is 0.5"), (nnx.Param(jnp.zeros(4)), r"shape \(4,\)")],
)
def test_a_level_whose_precision_was_replaced_is_told(held, said):
    changed = network()
    changed.log_precision[2] = held
    with pytest.raises(UserError, match=rf"log_precision\[2\].*{said}|{said}"):
        pcmodel.infer(changed, np.ones(3))


def slopes(network, found):
    """Slopes of a tanh-identity hierarchy's energy with unit precisions and weights, by hand."""
    data, hidden, top = (np.asarray(level, float) for level in found.latents)
    below = data - np.tanh(hidden).sum()
    middle = hidden - top.sum()
    return (
        middle - below.sum() * (1 - np.tanh(hidden) ** 2),
        top - middle.sum(),
    )


def test_initial_weights_have_the_stated_variance():
    """Prevents activity from growing or dying with the width of a level."""
    wide = pcmodel.dense((400, 500), rngs=nnx.Rngs(0), scale=2.0)
    spread = np.std(wide.layers[0].weight[...])
    np.testing.assert_allclose(spread, 2.0 / np.sqrt(500), rtol=0.01)
    assert not np.any(wide.layers[0].bias[...])


def test_a_layer_that_does_not_fit_is_named():
    """Prevents a wrong layer from showing only as a shape error inside inference."""
    layer = pcmodel.Dense(4, 3, rngs=nnx.Rngs(0))
    with pytest.raises(pcmodel.UserError, match="layer 0"):
        pcmodel.Network([layer], (3, 2), log_precisions=(0.0, 0.0))
    with pytest.raises(pcmodel.UserError, match="predicts shape"):
        pcmodel.Network([layer], (2, 4), log_precisions=(0.0, 0.0))
    with pytest.raises(pcmodel.UserError, match="prior mean"):
        pcmodel.Network(
            [layer],
            (3, 4),
            log_precisions=(0.0, 0.0),
            prior_mean=np.array([np.nan] * 4),
        )


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (lambda x: x + 1j, "complex128"),
        (lambda x: jnp.round(x).astype(int), "int64"),
        (lambda x: x > 0, "bool"),
    ],
    ids=["complex", "whole", "true or false"],
)
def test_predictions_that_are_no_floats_are_refused(layer, kind):
    """Prevents an energy that is no number, or has no slopes, so that every point of it is at rest."""

    class Own(nnx.Module):
        def __call__(self, above):
            return layer(above)

    with pytest.raises(pcmodel.UserError, match=f"layer 0 predicts {kind} .*floats"):
        pcmodel.Network([Own()], (2, 2), log_precisions=[0.0, 0.0])

"""Energies of levels: against NumPy, against `infer`, and for what other packages print."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from api.mechanics import by_hand
from flax import nnx
from hierarchies import network_of as linear_network
from hierarchies import random_hierarchy

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.model.energy import level_energies


def test_energies_at_given_latents_are_those_by_hand():
    """Prevents a lost normaliser, half, precision or sign, and levels in another order."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples()
    latents = by_hand.random_latents(3)
    found = pcmodel.energies(network, images, clamp={"top": labels}, latents=latents)
    bare = pcmodel.energies(
        network, images, clamp={"top": labels}, latents=latents, errors_only=True
    )
    model, whole = by_hand.by_hand(network), (images, *latents[1:3], labels)
    for number in range(3):
        own = by_hand.example_of(whole, number)
        expected = by_hand.energies(model, own)
        got = [level[number] for level in found.levels.values()]
        np.testing.assert_allclose(got, expected, rtol=1e-12)
        np.testing.assert_allclose(found.total[number], np.sum(expected), rtol=1e-12)
        # The prior of the clamped top is no error of inference.
        expected = [*by_hand.error_energies(model, own)[:-1], 0.0]
        got = [level[number] for level in bare.levels.values()]
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_a_free_top_keeps_its_error():
    network, (images, _) = by_hand.network_of(), by_hand.examples()
    latents = tuple(x[0] for x in by_hand.random_latents(3))
    found = pcmodel.energies(network, images[0], latents=latents, errors_only=True)
    whole = [images[0], *latents[1:]]
    expected = by_hand.error_energies(by_hand.by_hand(network), whole)
    np.testing.assert_allclose(found.levels.entries, expected, rtol=1e-12)


def test_energies_of_the_mode_sum_to_that_of_inference():
    network, (images, labels) = by_hand.network_of(), by_hand.examples()
    found = pcmodel.energies(network, images, clamp={"top": labels})
    expected = pcmodel.infer(network, images, clamp={"top": labels}).energy
    np.testing.assert_allclose(found.total, expected, rtol=1e-12)


KINDS = ("full", "unit", "scalar", "full")


def full_belief(rng, levels, size):
    root = rng.normal(size=(size, size))
    return pcmodel.Belief.of(
        rng.normal(size=size), root @ root.T + np.eye(size), level=levels
    )


@pytest.mark.parametrize("levels", [None, ("hidden1",), ("hidden2", "top"), ("top",)])
def test_full_precisions_beliefs_and_masks(levels):
    """Against `level_energies`, which has its own tests; with the mode's errors taken from whitened ones."""
    rng = np.random.default_rng(3)
    widths = (4, 3, 3, 2)
    network = linear_network(random_hierarchy(rng, widths, KINDS))
    sizes = {None: 0, ("hidden1",): 3, ("hidden2", "top"): 5, ("top",): 2}
    prior = None if levels is None else full_belief(rng, levels, sizes[levels])
    mask = np.array([True, False, True, True])
    clamp = {
        0: pcmodel.Clamp(rng.normal(size=4), mask),
        2: pcmodel.Clamp(rng.normal(size=3), mask[:3]),
    }
    found = pcmodel.energies(network, clamp=clamp, prior=prior)
    mode = pcmodel.infer(network, clamp=clamp, prior=prior)
    problem = pose(network, clamp=clamp, prior=prior).problem
    expected = level_energies(problem, mode.latents)
    np.testing.assert_allclose(found.levels.entries, expected, rtol=1e-8, atol=1e-10)
    # Without normalisers: twice the energy is a square, so halving the precisions of everything halves it.
    bare = pcmodel.energies(network, clamp=clamp, prior=prior, errors_only=True)
    halved = pcmodel.Modulation({level: 0.5 for level in range(4)})
    half = pcmodel.energies(
        network, clamp=clamp, prior=prior, modulation=halved, errors_only=True
    )
    np.testing.assert_allclose(
        half.levels.entries,
        np.multiply(bare.levels.entries, 0.5),
        rtol=1e-7,
        atol=1e-12,
    )


@pytest.mark.parametrize("likelihood", [pcmodel.Bernoulli(), pcmodel.Categorical()])
def test_discrete_data_count_as_their_negative_log_likelihood(likelihood):
    network = pcmodel.dense(
        (3, 4, 2), likelihood=likelihood, precisions=[None, 2.0, 1.0], rngs=nnx.Rngs(0)
    )
    data, latents = (
        np.array([0.0, 1.0, 0.0]),
        (np.zeros(3), np.arange(4.0) / 4, np.ones(2)),
    )
    found = pcmodel.energies(network, data, latents=latents, errors_only=True)
    layer = network.layers[0]
    logits = np.asarray(layer.weight[...]) @ np.tanh(latents[1]) + np.asarray(
        layer.bias[...]
    )
    if isinstance(likelihood, pcmodel.Bernoulli):
        expected = np.sum(np.log1p(np.exp(logits)) - data * logits)
    else:
        expected = np.log(np.sum(np.exp(logits))) - logits[1]
    np.testing.assert_allclose(found.levels["data"], expected, rtol=1e-12)


@pytest.mark.parametrize("precision", [1e-8, 1.0, 1e8])
def test_single_precision_keeps_errors_under_high_precisions(precision):
    """Value minus prediction loses all digits where the precision is 1e8; the mode's own errors do not."""
    precisions = (2.0, precision, precision, 1.0)
    network, (images, labels) = by_hand.network_of(precisions), by_hand.examples()
    exact = pcmodel.energies(network, images, clamp={"top": labels}, errors_only=True)
    with jax.enable_x64(False):
        single = by_hand.in_single_precision(network, precisions)
        found = pcmodel.energies(
            single,
            images.astype(np.float32),
            clamp={"top": labels.astype(np.float32)},
            errors_only=True,
        )
    assert found.total.dtype == np.float32
    for level in ("data", "hidden1", "hidden2"):
        np.testing.assert_allclose(
            found.levels[level], exact.levels[level], rtol=2e-3, atol=1e-5
        )


def test_levels_are_called_by_name_and_index_and_survive_jax():
    names = ("z", "a", "m")  # whose alphabetical order is another
    given = pcmodel.ByLevel(names, [jnp.zeros(2), jnp.ones(3), jnp.full(4, 2.0)])
    twice = jax.jit(lambda levels: jax.tree.map(lambda x: 2 * x, levels))(given)
    assert (
        list(twice) == list(names) and twice["top"][0] == 4 and twice[0].shape == (2,)
    )
    assert twice["data"] is twice["z"] and twice.entries[1] is twice["a"]
    assert "a" in given and "b" not in given and len(given) == 3
    with pytest.raises(pcmodel.UserError, match="unknown level 'b'"):
        given["b"]


def test_latents_of_another_shape_are_refused_by_name():
    network, (images, _) = by_hand.network_of(), by_hand.examples()
    with pytest.raises(pcmodel.UserError, match="latents of level 'hidden1'"):
        latents = (images, *(np.zeros((3, 2)) for _ in range(3)))
        pcmodel.energies(network, images, latents=latents)
    with pytest.raises(pcmodel.UserError, match="latents: got 2 arrays"):
        pcmodel.energies(network, images, latents=(images, images))

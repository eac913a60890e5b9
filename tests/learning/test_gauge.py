"""The gauge: what a rescaled hidden level may change, and what each gauge holds still."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from hierarchies import network_of, random_hierarchy

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.learning import (
    FixedHiddenPrecision,
    FixedWeightNorm,
    Learning,
    MovingAverage,
)
from pcmodel.learning.gauge import fix_norms
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.pure import as_model
from pcmodel.paradigms.revision import revise

WIDTHS = (5, 4, 3, 2)
KINDS = ("unit", "full", "unit", "full")


def rescaled(hierarchy, level, scale):
    """The same beliefs about the world with one hidden level in other units.

    scale: one number per unit of the level.
    """
    weights, biases = list(hierarchy.weights), list(hierarchy.biases)
    precisions = list(hierarchy.precisions)
    weights[level] = scale[:, None] * weights[level]
    biases[level] = scale * biases[level]
    weights[level - 1] = weights[level - 1] / scale
    old = precisions[level]
    precisions[level] = old / (
        np.outer(scale, scale) if np.ndim(old) == 2 else scale**2
    )
    return hierarchy._replace(weights=weights, biases=biases, precisions=precisions)


def reported(network, data):
    """Everything the package reports about one presentation."""
    given = pcmodel.Belief.of(np.array([-2.0, 1.0]), 3.0)
    drug = pcmodel.relax("top", 0.3)
    posterior = pcmodel.posterior(network, data, prior=given, modulation=drug)
    problem = pose(network, data, prior=given, modulation=drug).problem
    revision = revise(problem, jax.random.key(0), solver=pcmodel.GaussNewton())
    return {
        "log evidence": posterior.log_evidence,
        "top mean": posterior.mean[-1],
        "top covariance": posterior.covariance("top", "top"),
        "reconstruction": pcmodel.reconstruct(network, data),
        "revision": revision.revision,
        "shift": revision.shift,
        "surprise": revision.surprise,
        "entropy": revision.entropy,
        "belief": revision.belief,
        "energy share": revision.energy_share,
        "evidence precision": revision.evidence_precision,
    }


@pytest.fixture(scope="module")
def presented():
    """A hierarchy, an image, and what is reported about them."""
    rng = np.random.default_rng(4)
    hierarchy = random_hierarchy(rng, WIDTHS, KINDS)
    data = rng.normal(size=WIDTHS[0])
    return hierarchy, data, reported(network_of(hierarchy), data)


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2])
def test_rescaling_a_hidden_level_changes_nothing_reported(presented, level):
    """Prevents a result that depends on the units the hidden level happened to get."""
    hierarchy, data, before = presented
    scale = np.linspace(0.2, 6.0, WIDTHS[level])
    other = rescaled(hierarchy, level, scale)
    after = reported(network_of(other), data)
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-7, err_msg=name)
    # The raw precision does change: it must not be reported as a finding.
    raw = np.abs(other.precisions[level] / hierarchy.precisions[level] - 1)
    assert raw.max() > 0.9


@pytest.mark.slow
def test_a_rescaling_without_its_compensation_is_noticed(presented):
    """Prevents the invariance from holding only because nothing was rescaled."""
    hierarchy, data, before = presented
    wrong = rescaled(hierarchy, 1, np.full(4, 3.0))
    wrong = wrong._replace(precisions=hierarchy.precisions)
    after = reported(network_of(wrong), data)
    for name in ("log evidence", "revision", "entropy", "energy share"):
        assert not np.allclose(after[name], before[name], rtol=1e-2), name


def trained(gauge, precisions):
    """A tanh network before and after some vigorous steps on random data."""
    network = pcmodel.dense((4, 3, 3, 2), precisions=precisions, rngs=nnx.Rngs(0))
    data = np.random.default_rng(0).normal(size=(32, 4))
    learning = Learning(
        optax.adam(0.05), precision_step=MovingAverage(0.3), gauge=gauge
    )
    result = pcmodel.train(
        network,
        data,
        key=jax.random.key(0),
        learning=learning,
        num_epochs=3,
        batch_size=16,
    )
    assert result.gauge == gauge.name
    return network, result.network


def weight(network, level):
    return np.asarray(network.layers[level].weight[...])


def log_precision(network, level):
    return np.asarray(network.log_precision[level][...])


@pytest.mark.slow
def test_fixed_weight_norm_keeps_the_norm_the_precision_refers_to():
    """Prevents weights and precision from drifting together along the free direction.

    One precision for level 1: the Frobenius norm; one for each unit of level 2: its row.
    """
    units = np.array([1.0, 2.0, 3.0])
    before, after = trained(FixedWeightNorm(), [1.0, 2.0, units, 1.0])
    moved = [np.abs(weight(after, i) / weight(before, i) - 1).max() for i in range(3)]
    assert min(moved) > 0.05
    norms = [
        [np.linalg.norm(weight(net, 1)) for net in (before, after)],
        [np.linalg.norm(weight(net, 2), axis=1) for net in (before, after)],
    ]
    for one, other in norms:
        np.testing.assert_allclose(other, one, rtol=1e-9)
    # Rows of level 1 may trade with each other, and the map into the data is free.
    rows, data = (
        [np.linalg.norm(weight(net, i), axis=axis) for net in (before, after)]
        for i, axis in ((1, 1), (0, None))
    )
    assert not np.allclose(*rows, rtol=1e-3) and not np.allclose(*data, rtol=1e-3)
    for level in range(4):
        one, other = log_precision(before, level), log_precision(after, level)
        assert np.all(np.abs(other - one) > 1e-3), level


@pytest.mark.slow
def test_fixed_hidden_precision_leaves_hidden_precisions_and_frees_the_weights():
    """Prevents both sides of the gauge from moving, or both from being held."""
    before, after = trained(FixedHiddenPrecision(), [1.0, 2.0, 3.0, 1.0])
    for level in (1, 2):
        np.testing.assert_array_equal(
            log_precision(after, level), log_precision(before, level)
        )
        norms = [np.linalg.norm(weight(net, level)) for net in (before, after)]
        assert not np.allclose(*norms, rtol=1e-3)
    for level in (0, 3):
        assert not np.allclose(
            log_precision(after, level), log_precision(before, level)
        )


@pytest.mark.slow
def test_a_frozen_precision_is_not_learned():
    """Prevents a precision set by the experimenter from being overwritten."""
    network = pcmodel.dense((3, 2, 2), precisions=(4.0, 2.0, 1.0), rngs=nnx.Rngs(0))
    data = np.random.default_rng(0).normal(size=(8, 3))
    result = pcmodel.train(
        network,
        data,
        key=jax.random.key(0),
        learning=Learning(precision_step=MovingAverage(0.5), frozen_precisions=(0, 2)),
        num_epochs=1,
        batch_size=8,
    )
    kept = [log_precision(result.network, level) for level in range(3)]
    np.testing.assert_array_equal([kept[0], kept[2]], jnp.log(jnp.array([4.0, 1.0])))
    assert abs(kept[1] - np.log(2)) > 1e-2


def weights_of(network):
    return as_model(network).weights


def perturbed(network, seed=0):
    """The network's weights, each array moved at random."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda leaf: leaf + rng.normal(size=leaf.shape), weights_of(network)
    )


@pytest.mark.parametrize("kind", [pcmodel.Convolution, pcmodel.TransposedConvolution])
@pytest.mark.parametrize("per_unit", [False, True])
def test_a_kernel_keeps_its_norm_and_a_channel_its_own(kind, per_unit):
    """A kernel is shared over positions: it has one scale a channel, not one a unit.

    Prevents kernels from drifting with their level's precision, unseen by the gauge.
    """
    rngs = nnx.Rngs(0)
    layers = [kind((3, 3, 2), 2, rngs=rngs), kind((3, 3, 2), 2, rngs=rngs)]
    hidden = np.zeros(18) if per_unit else 0.0
    network = pcmodel.Network(layers, (18,) * 3, log_precisions=[0.0, hidden, 0.0])
    initial, moved = weights_of(network), perturbed(network)
    found = FixedWeightNorm().project(
        moved,
        initial,
        as_model(network).log_precisions,
        model=as_model(network).model,
    )
    kernels = [np.asarray(w["layers"][1]["weight"]) for w in (initial, moved, found)]
    axes = (0, 1, 2) if per_unit else (0, 1, 2, 3)
    norms = [np.sqrt(np.sum(np.square(k), axis=axes)) for k in kernels]
    assert norms[0].shape == ((2,) if per_unit else ())
    np.testing.assert_allclose(norms[2], norms[0], rtol=1e-12)
    assert np.all(np.abs(norms[1] / norms[0] - 1) > 0.05)
    # The direction is the one that was learned, and level 0 is left alone.
    np.testing.assert_allclose(kernels[2] * (norms[1] / norms[0]), kernels[1])
    jax.tree.map(np.testing.assert_array_equal, found["layers"][0], moved["layers"][0])


def test_a_residual_branch_is_free_and_its_skip_is_not():
    """The identity ties a residual level's scale to that of the level above it.

    Prevents a block from being held to the size its branch happened to begin with (which may be zero).
    """
    rngs = nnx.Rngs(0)
    block = pcmodel.Residual(
        pcmodel.Sequential(
            [pcmodel.Dense(3, 5, rngs=rngs), pcmodel.Dense(5, 4, rngs=rngs)]
        ),
        skip=pcmodel.Dense(3, 4, rngs=rngs),
    )
    plain = pcmodel.Residual(pcmodel.Dense(4, 4, rngs=rngs))
    layers = [pcmodel.Dense(4, 4, rngs=rngs), plain, block]
    network = pcmodel.Network(layers, (4, 4, 4, 3), log_precisions=[0.0] * 4)
    initial, moved = weights_of(network), perturbed(network)
    found = FixedWeightNorm().project(
        moved,
        initial,
        as_model(network).log_precisions,
        model=as_model(network).model,
    )
    for level in (1, 2):
        jax.tree.map(
            np.testing.assert_array_equal,
            found["layers"][level]["branch"],
            moved["layers"][level]["branch"],
        )
    before, after = (w["layers"][2]["skip"]["weight"] for w in (initial, found))
    np.testing.assert_allclose(np.linalg.norm(after), np.linalg.norm(before))
    assert not np.allclose(after, before, rtol=0.05)


def test_weights_that_are_all_zero_stay_numbers():
    """Prevents a layer that begins at zero from turning into NaN at the first step."""
    network = pcmodel.dense((2, 2, 2), rngs=nnx.Rngs(0))
    network.layers[1].weight[...] = jnp.zeros((2, 2))
    zero, moved = weights_of(network), perturbed(network)
    gauge, precisions = FixedWeightNorm(), as_model(network).log_precisions
    for weights, initial in ((zero, zero), (zero, moved), (moved, zero)):
        found = gauge.project(
            weights, initial, precisions, model=as_model(network).model
        )
        assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(found))


def residual_hierarchy(scale):
    """top -> dense -> level 2 -> identity + branch -> level 1 -> dense -> data, all linear, with
    both residual levels in units `scale` times as large."""
    rng = np.random.default_rng(8)
    shapes = [(4, 3), (3, 3), (3, 2)]
    matrices = [rng.normal(size=shape) / 2 for shape in shapes]
    layers = [
        pcmodel.Dense(above, below, activation=identity, rngs=nnx.Rngs(0))
        for below, above in shapes
    ]
    for layer, matrix, factor in zip(
        layers, matrices, (1 / scale, 1.0, scale), strict=True
    ):
        layer.weight[...] = jnp.asarray(factor * matrix)
    layers[1] = pcmodel.Residual(layers[1])
    logs = list(np.log([3.0, 2.0 / scale**2, 5.0 / scale**2, 1.0]))
    return pcmodel.Network(layers, (4, 3, 3, 2), log_precisions=logs, is_linear=True)


@pytest.mark.slow
def test_a_residual_chain_has_one_scale_and_it_is_the_first_maps():
    """Both levels rescaled together with the first map and the readout, the branch as it was: the
    same model. Hence the gauge holds the first map and leaves the branch free."""
    data = np.random.default_rng(1).normal(size=4)
    one, other = (
        reported(residual_hierarchy(1.0), data),
        reported(residual_hierarchy(2.5), data),
    )
    for name, value in one.items():
        np.testing.assert_allclose(other[name], value, rtol=1e-7, err_msg=name)


def test_each_layer_of_a_stack_keeps_its_own_norms():
    """Whichever of the layers are held alike: by row, as a whole, or not at all."""
    rng = np.random.default_rng(0)
    now, then = jnp.asarray(rng.normal(size=(2, 3, 2, 4)))
    rows, whole, free = ((0,),), ((),), (None,)

    def norm(array, held):
        if held == free:
            return array
        return np.sqrt(np.sum(array**2, axis=None if held == whole else 1))

    for held in itertools.product((rows, whole, free), repeat=3):
        (fixed,) = fix_norms([now], [then], held)
        for own, layer, was, began in zip(held, fixed, now, then, strict=True):
            np.testing.assert_allclose(
                norm(layer, own), norm(began if own != free else was, own)
            )

"""The gauge brings norms back and nothing else."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.learning import FixedHiddenPrecision, FixedWeightNorm
from pcmodel.model.generative import LinearModel, default_names, spans_of
from pcmodel.networks.pure import as_model


@pytest.mark.parametrize("widths", [(3, 2, 4, 2), (2, 2, 2, 2, 2, 2)], ids=str)
def test_norms_into_hidden_levels_are_brought_back_and_directions_kept(widths):
    """Prevents learned weights from taking the scale that a hidden precision is measured in.

    One norm of the whole map where the level has one precision, one of each row where units have their own; the map into
    level 0 is free, and so are biases.  Also where equal layers are kept as one array.
    """
    rng = np.random.default_rng(0)
    kinds = [1.0, 2.0, np.asarray([1.0] * widths[2]), *([1.0] * (len(widths) - 3))]
    network = pcmodel.dense(widths, precisions=kinds, rngs=nnx.Rngs(0))
    pure = as_model(network)
    moved = jax.tree.map(
        lambda leaf: leaf + jnp.asarray(rng.normal(size=leaf.shape)), pure.weights
    )
    gauge = FixedWeightNorm()
    project = jax.jit(partial(gauge.project, model=pure.model))
    found = project(moved, gauge.reference(pure.weights), pure.log_precisions)
    begun, now, got = (by_layer(w, pure.model) for w in (pure.weights, moved, found))
    assert len(got) == len(widths) - 1
    for level, (first, before, after) in enumerate(zip(begun, now, got, strict=True)):
        np.testing.assert_array_equal(after["bias"], before["bias"])
        if level == 0:
            np.testing.assert_array_equal(after["weight"], before["weight"])
            continue
        axis = 1 if level == 2 else None
        norm = [
            np.sqrt(np.sum(np.asarray(w["weight"]) ** 2, axis=axis, keepdims=True))
            for w in (first, before)
        ]
        expected = before["weight"] * norm[0] / norm[1]
        np.testing.assert_allclose(after["weight"], expected, rtol=1e-12)
    np.testing.assert_array_equal(found["prior_mean"], moved["prior_mean"])


def by_layer(weights, model):
    """The layers one by one, those kept as one array taken apart."""
    layers = []
    for (first, end), entry in zip(spans_of(model), weights["layers"], strict=True):
        if end - first == 1:
            layers.append(entry)
        else:
            layers += [
                jax.tree.map(lambda leaf, i=i: leaf[i], entry)
                for i in range(end - first)
            ]
    return layers


def test_each_gauge_says_which_precisions_are_learned():
    """Prevents a hidden precision from being learned that was said to be fixed."""
    chain = LinearModel((2, 3, 3, 2), default_names(4))
    assert [FixedWeightNorm().learns(level, chain) for level in range(4)] == [True] * 4
    learned = [FixedHiddenPrecision().learns(level, chain) for level in range(4)]
    assert learned == [True, False, False, True]

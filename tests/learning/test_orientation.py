"""The gauge of layers that this package has not written: which axis of a kernel feeds which unit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.learning import FixedWeightNorm
from pcmodel.model.generative import output_axes
from pcmodel.networks.pure import as_model


class Wrapped(nnx.Module):
    """A flax layer after a nonlinearity, perhaps over maps."""

    def __init__(self, layer, shape=None):
        self.layer = layer
        self.shape = shape

    def __call__(self, above):
        active = jnp.tanh(above)
        return self.layer(
            active if self.shape is None else active.reshape(self.shape)
        ).ravel()


class Function(nnx.Module):
    """Parameters of given shapes and a function of them and the level above."""

    def __init__(self, function, **shapes):
        self.function = function
        for number, (name, shape) in enumerate(shapes.items()):
            value = jax.random.normal(jax.random.key(number), shape)
            setattr(self, name, nnx.Param(value))

    def __call__(self, above):
        values = {n: v[...] for n, v in vars(self).items() if isinstance(v, nnx.Param)}
        return self.function(above, **values)


def rngs():
    return nnx.Rngs(0)


CASES = {
    "Linear": (lambda: nnx.Linear(6, 6, rngs=rngs()), {"kernel": (1,), "bias": None}),
    "wrapped": (
        lambda: Wrapped(nnx.Linear(6, 6, rngs=rngs())),
        {"layer.kernel": (1,), "layer.bias": None},
    ),
    "Conv over time": (
        lambda: Wrapped(nnx.Conv(2, 2, (3,), rngs=rngs()), (3, 2)),
        {"layer.kernel": (2,), "layer.bias": None},
    ),
    "Conv over space": (
        lambda: Wrapped(nnx.Conv(1, 1, (3, 3), rngs=rngs()), (2, 3, 1)),
        {"layer.kernel": (2, 3), "layer.bias": None},
    ),
    "two outputs": (
        lambda: Wrapped(nnx.LinearGeneral(6, (2, 3), rngs=rngs())),
        {"layer.kernel": (1, 2), "layer.bias": None},
    ),
    "gains of units": (lambda: Function(lambda x, a: a * x, a=(6,)), {"a": (0,)}),
    "inner layer": (
        lambda: Function(lambda x, v, w: jnp.tanh(x @ v) @ w, v=(6, 4), w=(4, 6)),
        {"v": None, "w": (1,)},
    ),
    "residual": (lambda: Function(lambda x, w: x + w @ x, w=(6, 6)), {"w": None}),
    "bounded": (lambda: Function(lambda x, w: jnp.tanh(w @ x), w=(6, 6)), {"w": None}),
    "package": (
        lambda: pcmodel.Sequential(
            [pcmodel.Dense(6, 4, rngs=rngs()), pcmodel.Dense(4, 6, rngs=rngs())]
        ),
        {
            "layers.0.weight": (0,),
            "layers.0.bias": None,
            "layers.1.weight": (0,),
            "layers.1.bias": None,
        },
    ),
}


def network_of(layer, precision):
    logs = [0.0, precision, 0.0]
    return pcmodel.Network(
        [pcmodel.Dense(6, 6, rngs=rngs()), layer], (6,) * 3, log_precisions=logs
    )


@pytest.mark.parametrize("kind", CASES)
def test_the_axes_of_outputs_are_found_from_the_layer(kind):
    """Prevents the norm of what a unit sends from being held in the place of what it is sent."""
    build, wanted = CASES[kind]
    pure = as_model(network_of(build(), 0.0))
    found = output_axes(pure.model, pure.weights, 1)
    assert {".".join(map(str, path)): axes for path, axes in found.items()} == wanted


def projected(network):
    """Weights moved at random and brought back: (initial, projected) of the layer into level 1."""
    pure = as_model(network)
    rng = np.random.default_rng(0)
    moved = jax.tree.map(lambda leaf: leaf + rng.normal(size=leaf.shape), pure.weights)
    kept = FixedWeightNorm().project(
        moved, pure.weights, pure.log_precisions, model=pure.model
    )
    return pure.weights["layers"][1], kept["layers"][1]


def test_each_unit_of_a_flax_layer_keeps_the_norm_of_its_own_inputs():
    """Rescaling unit i of level 1 is undone by column i of a kernel (in, out): that column's norm is held.

    Prevents rows of the transposed kernel from being held, which leaves every unit's scale free.
    """
    before, after = projected(network_of(nnx.Linear(6, 6, rngs=rngs()), np.zeros(6)))
    norms = [np.linalg.norm(np.asarray(w["kernel"]), axis=0) for w in (before, after)]
    np.testing.assert_allclose(norms[1], norms[0], rtol=1e-10)
    rows = [np.linalg.norm(np.asarray(w["kernel"]), axis=1) for w in (before, after)]
    assert np.abs(rows[1] / rows[0] - 1).max() > 0.05


@pytest.mark.parametrize(
    ("precision", "axes"), [(0.0, (0, 1, 2)), (np.zeros(6), (0, 1))]
)
def test_a_kernel_of_three_axes_keeps_its_norm(precision, axes):
    """Prevents convolutions over time from having no gauge at all."""
    layer = Wrapped(nnx.Conv(2, 2, (3,), rngs=rngs()), (3, 2))
    pair = projected(network_of(layer, precision))
    norms = [np.sqrt(np.sum(np.square(w["layer"]["kernel"]), axis=axes)) for w in pair]
    np.testing.assert_allclose(norms[1], norms[0], rtol=1e-10)


def test_where_nothing_fixes_a_scale_the_gauge_says_so():
    """Prevents a hidden precision from being read as if it were identified."""
    gauge = FixedWeightNorm()
    bounded, _ = CASES["bounded"]
    said = gauge.told(*as_model(network_of(bounded(), 0.0)))
    assert "'hidden1'" in said and said.startswith(gauge.name)
    plain = as_model(network_of(pcmodel.Dense(6, 6, rngs=rngs()), 0.0))
    assert gauge.told(*plain) == gauge.name


def test_a_matrix_shared_by_level_0_and_a_hidden_level_is_held():
    """Prevents the freedom of the map into the data from freeing the hidden level's too."""
    dense = pcmodel.Dense(6, 6, rngs=rngs())
    pure = as_model(pcmodel.Network([dense, dense], (6,) * 3, log_precisions=[0.0] * 3))
    moved = jax.tree.map(lambda leaf: 3 * leaf, pure.weights)
    kept = FixedWeightNorm().project(
        moved, pure.weights, pure.log_precisions, model=pure.model
    )
    np.testing.assert_allclose(kept["layers"][0]["weight"], dense.weight[...])

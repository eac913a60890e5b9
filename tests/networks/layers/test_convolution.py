"""Convolutions, their transposes and pools, against other programs and plain loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.signal import correlate

import pcmodel
from pcmodel.networks.layers import convolution
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.layers.scaling import Scaling

SHAPE = (5, 6, 2)


def randomised(layer, seed=0):
    """The layer with random biases too (they begin at zero)."""
    rng = np.random.default_rng(seed)
    layer.bias[...] = jnp.asarray(rng.normal(size=layer.bias.shape))
    return layer


def by_scipy(maps, kernel, bias, padding):
    """Stride-1 cross-correlation, one pair of channels at a time."""
    padded = np.pad(maps, ((padding, padding), (padding, padding), (0, 0)))
    sums = [
        sum(
            correlate(padded[..., i], kernel[..., i, o], mode="valid")
            for i in range(maps.shape[2])
        )
        for o in range(kernel.shape[3])
    ]
    return np.stack(sums, axis=-1) + bias


def by_loops(maps, kernel, stride, pads):
    """The definition: every window times the kernel."""
    padded = np.pad(maps, (*pads, (0, 0)))
    rows, columns, _, channels = kernel.shape
    height = (padded.shape[0] - rows) // stride + 1
    width = (padded.shape[1] - columns) // stride + 1
    out = np.zeros((height, width, channels))
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            window = padded[top : top + rows, left : left + columns]
            out[i, j] = np.tensordot(window, kernel, 3)
    return out


@pytest.mark.parametrize("padding", [0, 1])
def test_a_convolution_is_scipys_correlation_of_the_activated_maps(padding, getkey):
    """Prevents a flipped kernel, mixed channels, or units laid out in another order."""
    layer = randomised(
        pcmodel.Convolution(
            SHAPE, 3, padding=padding, rngs=nnx.Rngs(0), scaling=Scaling(multiplier=0.3)
        )
    )
    above = jax.random.normal(getkey(), (60,))
    maps = np.tanh(np.asarray(above)).reshape(SHAPE)
    kernel = 0.3 * np.asarray(layer.weight[...])
    expected = by_scipy(maps, kernel, np.asarray(layer.bias[...]), padding)
    assert layer.shape == expected.shape
    np.testing.assert_allclose(layer(above), expected.ravel(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "stride, padding, kernel, pads",
    [
        (2, 1, 3, ((1, 1), (1, 1))),
        (2, "SAME", 3, ((1, 1), (0, 1))),
        (3, "SAME", (2, 5), ((0, 0), (1, 1))),
        (1, "SAME", (4, 2), ((1, 2), (0, 1))),
    ],
)
def test_strides_and_padding_are_what_they_say(stride, padding, kernel, pads, getkey):
    """Prevents maps from being shifted by a row: "SAME" puts the odd zero after."""
    layer = pcmodel.Convolution(
        SHAPE, 2, kernel=kernel, stride=stride, padding=padding, rngs=nnx.Rngs(1)
    )
    above = jax.random.normal(getkey(), (60,))
    maps = np.tanh(np.asarray(above)).reshape(SHAPE)
    expected = by_loops(maps, np.asarray(layer.weight[...]), stride, pads)
    assert layer.shape == expected.shape
    np.testing.assert_allclose(layer(above), expected.ravel(), rtol=1e-10, atol=1e-12)


def test_the_pool_lies_between_activation_and_convolution(getkey):
    """Prevents pooling of what was not yet rectified, or of the convolution's output."""
    layer = randomised(
        pcmodel.Convolution(
            SHAPE,
            2,
            padding=1,
            pool=pcmodel.AveragePool(2),
            activation=jax.nn.relu,
            rngs=nnx.Rngs(0),
        )
    )
    above = jax.random.normal(getkey(), (60,))
    active = np.maximum(np.asarray(above).reshape(SHAPE), 0)
    pooled = np.zeros((2, 3, 2))
    for i in range(2):
        for j in range(3):
            pooled[i, j] = active[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean((0, 1))
    kernel, bias = np.asarray(layer.weight[...]), np.asarray(layer.bias[...])
    expected = by_scipy(pooled, kernel, bias, 1)
    np.testing.assert_allclose(layer(above), expected.ravel(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "kind, reduce", [("MaxPool", np.max), ("AveragePool", np.mean)]
)
@pytest.mark.parametrize("window", [1, 2, 3])
def test_pools_are_loops_over_tiles(kind, reduce, window, getkey):
    """Prevents tiles from mixing rows with columns; what fills no tile is left out."""
    maps = jax.random.normal(getkey(), (7, 5, 2))
    rows, columns = 7 // window, 5 // window
    expected = np.zeros((rows, columns, 2))
    for i in range(rows):
        for j in range(columns):
            tile = maps[window * i : window * (i + 1), window * j : window * (j + 1)]
            expected[i, j] = reduce(np.asarray(tile), axis=(0, 1))
    found = getattr(pcmodel, kind)(window)(maps)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


STRIDES, PADDINGS, KERNELS = (1, 2, 3), ("SAME", 0, 1), (3, 4, (2, 5))


def in_every_pair():
    """All 27, of which those that are not slow hold every pair of settings once (a Latin square)."""
    for place in np.ndindex(3, 3, 3):
        marks = () if sum(place) % 3 == 0 else pytest.mark.slow
        values = [
            all_of[at]
            for all_of, at in zip((STRIDES, PADDINGS, KERNELS), place, strict=True)
        ]
        yield pytest.param(*values, marks=marks)


@pytest.mark.parametrize(("stride", "padding", "kernel"), [*in_every_pair()])
def test_a_transposed_convolution_is_the_adjoint_of_a_convolution(
    stride, padding, kernel, getkey
):
    """<conv x, y> = <x, transposed y>, so their matrices are each other's transposes.

    Prevents a generator whose maps are shifted, flipped or cropped on the wrong side.
    """
    options = {"kernel": kernel, "stride": stride, "padding": padding}
    options = {**options, "activation": identity, "rngs": nnx.Rngs(0)}
    up = pcmodel.TransposedConvolution((4, 5, 3), 2, **options)
    down = pcmodel.Convolution(up.shape, 3, **options)
    assert down.shape == (4, 5, 3)
    down.weight[...] = jnp.swapaxes(up.weight[...], 2, 3)
    x = jax.random.normal(getkey(), (np.prod(up.shape),))
    y = jax.random.normal(getkey(), (60,))
    np.testing.assert_allclose(jnp.vdot(down(x), y), jnp.vdot(x, up(y)), rtol=1e-10)


def test_a_transposed_convolution_paints_patches(getkey):
    """Prevents an adjoint pair that is wrong on both sides."""
    layer = pcmodel.TransposedConvolution(
        (2, 3, 2), 2, kernel=3, stride=2, padding=1, rngs=nnx.Rngs(0)
    )
    above = jax.random.normal(getkey(), (12,))
    maps = np.tanh(np.asarray(above)).reshape(2, 3, 2)
    painted = np.zeros((5, 7, 2))
    for i in range(2):
        for j in range(3):
            patch = np.einsum("c,rscd->rsd", maps[i, j], np.asarray(layer.weight[...]))
            painted[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += patch
    assert layer.shape == (3, 5, 2)
    np.testing.assert_allclose(layer(above), painted[1:4, 1:6].ravel(), rtol=1e-10)


@pytest.mark.parametrize("kind", ["Convolution", "TransposedConvolution"])
def test_a_batch_of_examples_is_one_convolution(kind, getkey, monkeypatch):
    """Prevents a convolution an example: it would leave a GPU idle."""
    monkeypatch.setattr(convolution, "multiplies_patches", lambda: False)
    layer = getattr(pcmodel, kind)(SHAPE, 3, rngs=nnx.Rngs(0))
    graphdef, state = nnx.split(layer)

    def predict(state, above):
        return nnx.merge(graphdef, state)(above)

    batch = jax.random.normal(getkey(), (7, 60))
    one_batch = jax.jit(jax.vmap(predict, in_axes=(None, 0)))
    text = one_batch.lower(state, batch).as_text()
    assert text.count("stablehlo.convolution") == 1 and "batch_group_count = 1" in text
    assert "feature_group_count = 1" in text and "tensor<7x5x6x2xf64>" in text
    loop = jnp.stack([layer(above) for above in batch])
    np.testing.assert_allclose(one_batch(state, batch), loop, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "padding"),
    [((5, 6, 2), 3, 1, "SAME"), ((7, 5, 2), (2, 3), 2, 1), ((4, 4, 2), 3, 1, 0)],
)
def test_patches_times_the_kernel_are_the_convolution(
    shape, kernel, stride, padding, getkey, monkeypatch
):
    """Both ways of computing it, and their derivatives, are the same.

    Prevents rows and columns, or a window's units, from being read in another order on a CPU.
    """
    layer = pcmodel.Convolution(
        shape, 3, kernel=kernel, stride=stride, padding=padding, rngs=nnx.Rngs(0)
    )
    maps = jax.random.normal(getkey(), shape)
    weight = layer.weight[...]

    def convolved(maps, weight):
        return convolution.convolve(maps, weight, stride, layer.pads)

    products = str(jax.make_jaxpr(convolved)(maps, weight))
    assert "conv_general_dilated" not in products
    expected = jax.lax.conv_general_dilated(
        maps[None],
        weight,
        (stride, stride),
        layer.pads,
        dimension_numbers=convolution.LAYOUT,
    )[0]
    found, pull = jax.vjp(convolved, maps, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    cotangent = jax.random.normal(getkey(), found.shape)
    ours = pull(cotangent)
    monkeypatch.setattr(convolution, "multiplies_patches", lambda: False)
    theirs = jax.vjp(convolved, maps, weight)[1](cotangent)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), ours, theirs
    )


def test_one_window_over_the_whole_map_is_a_dense_layer(getkey):
    """Prevents the short cut of a readout from reading the units in another order."""
    layer = randomised(
        pcmodel.Convolution((2, 3, 2), 4, kernel=(2, 3), padding=0, rngs=nnx.Rngs(0))
    )
    dense = pcmodel.Dense(12, 4, rngs=nnx.Rngs(0))
    dense.weight[...] = layer.weight[...].reshape(12, 4).T
    dense.bias[...] = layer.bias[...]
    above = jax.random.normal(getkey(), (12,))
    np.testing.assert_allclose(layer(above), dense(above), rtol=1e-10)
    kernel = np.asarray(layer.weight[...])
    maps = np.tanh(np.asarray(above)).reshape(2, 3, 2)
    expected = by_loops(maps, kernel, 1, ((0, 0), (0, 0))).ravel() + layer.bias[...]
    np.testing.assert_allclose(layer(above), expected, rtol=1e-10)


def test_initial_kernels_keep_the_variance_of_their_input():
    """Prevents activity from growing or dying with the size of a kernel or a stride."""
    wide = {"channels": 64, "activation": identity, "rngs": nnx.Rngs(0)}
    down = pcmodel.Convolution((20, 20, 32), kernel=5, padding=0, **wide)
    np.testing.assert_allclose(np.std(down.weight[...]), (25 * 32) ** -0.5, rtol=0.02)
    up = pcmodel.TransposedConvolution((12, 12, 32), kernel=4, stride=2, **wide)
    above = jax.random.normal(jax.random.key(0), (12 * 12 * 32,))
    inside = up(above).reshape(up.shape)[2:-2, 2:-2]
    np.testing.assert_allclose(np.std(inside), 1.0, rtol=0.03)


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda **o: pcmodel.Convolution((2, 2, 3), 4, padding=0, **o), "nothing"),
        (lambda **o: pcmodel.Convolution((2, 2), 4, **o), "height, width, channels"),
        (lambda **o: pcmodel.Convolution((0, 2, 1), 4, **o), "height, width, channels"),
        (lambda **o: pcmodel.Convolution(SHAPE, 0, **o), "channels"),
        (lambda **o: pcmodel.Convolution(SHAPE, 1, stride=0, **o), "stride"),
        (lambda **o: pcmodel.Convolution(SHAPE, 1, padding=-1, **o), "padding"),
        (lambda **o: pcmodel.Convolution(SHAPE, 1, padding="VALID", **o), "padding"),
        (lambda **o: pcmodel.Convolution(SHAPE, 1, kernel=0, **o), "kernel"),
        (lambda **o: pcmodel.Convolution(SHAPE, 1, kernel=(1, 2, 3), **o), "kernel"),
        (
            lambda **o: pcmodel.Convolution(SHAPE, 1, pool=pcmodel.MaxPool(6), **o),
            "nothing",
        ),
        (
            lambda **o: pcmodel.TransposedConvolution((1, 1, 1), 1, padding=2, **o),
            "nothing",
        ),
        (lambda **o: pcmodel.MaxPool(0), "window"),
        (lambda **o: pcmodel.AveragePool(-1), "window"),
    ],
)
def test_maps_that_do_not_fit_are_refused_in_one_sentence(build, words):
    """Prevents an empty map, or a traceback from inside a convolution."""
    with pytest.raises(pcmodel.UserError, match=words) as error:
        build(rngs=nnx.Rngs(0))
    assert str(error.value).count("\n") == 0

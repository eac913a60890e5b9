"""The published architectures: their sizes, their names, and that inference runs on them."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.solvers.descent import StateDescent, trajectory
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.energy import energy
from pcmodel.model.generative import sweep
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.pure import as_model

RGB = (8, 8, 3)


def count(network):
    """Numbers in the layers (the prior mean and the precisions apart)."""
    weights = as_model(network).weights["layers"]
    return sum(leaf.size for leaf in jax.tree.leaves(weights))


def conv(above, below, side=3):
    """Weights and biases of one convolution."""
    return side * side * above * below + below


def rngs():
    return nnx.Rngs(0)


@pytest.mark.slow
def test_vgg5_has_the_published_sizes():
    """PCX (Pinchetti et al. 2025): 128-256-512-512, paddings 1, 1, 1, 0, then 512 -> 10."""
    network = pcmodel.vgg5(rngs=rngs())
    dense = 512 * 10 + 10
    expected = conv(3, 128) + conv(128, 256) + conv(256, 512) + conv(512, 512) + dense
    assert count(network) == expected == 3_843_850
    sides = {
        "conv1": (32, 128),
        "conv2": (16, 256),
        "conv3": (8, 512),
        "conv4": (2, 512),
    }
    widths = dict(zip(network.names, network.widths, strict=True))
    assert widths["image"] == 3072 and widths["label"] == 10
    assert all(widths[name] == s * s * c for name, (s, c) in sides.items())
    assert network.names == ("label", "conv4", "conv3", "conv2", "conv1", "image")


@pytest.mark.slow
def test_vgg7_has_the_published_sizes():
    """PCX: 128-128-256-256-512-512, paddings 1, 1, 1, 0, 1, 0, pooled after 1, 3 and 5.

    Their latents, after activation and pool, have sides 16, 16, 8, 6, 3, 1.
    """
    network = pcmodel.vgg7(rngs=rngs())
    pairs = [(3, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    expected = sum(conv(*pair) for pair in pairs) + 512 * 10 + 10
    assert count(network) == expected == 4_581_514
    sides = (32, 16, 16, 6, 6, 1)
    found = [layer.shape[0] for layer in network.layers[1:]][::-1]
    pooled = [side // (2 if i % 2 == 0 else 1) for i, side in enumerate(found)]
    assert tuple(found) == sides and pooled == [16, 16, 8, 6, 3, 1]


@pytest.mark.slow
def test_resnet18_has_the_sizes_of_the_original():
    """He et al. 2016 for 32 x 32 images: 11.17 million weights, biases in place of
    batch normalisation."""
    network = pcmodel.resnet18(rngs=rngs())
    expected = conv(3, 64) + 512 * 10 + 10
    for above, below in [(64, 64), (64, 128), (128, 256), (256, 512)]:
        expected += conv(above, below) + 3 * conv(below, below)
        expected += conv(above, below, side=1) if above != below else 0
    assert count(network) == expected == 11_169_162
    sides = [32] * 3 + [16] * 2 + [8] * 2 + [4] * 2
    channels = [64] * 3 + [128] * 2 + [256] * 2 + [512] * 2
    maps = [s * s * c for s, c in zip(sides, channels, strict=True)]
    assert network.widths == (10, *maps[::-1], 3072)
    assert network.names[0] == "label" and network.names[-2:] == ("stem", "image")


DEAR = ("vgg7",)
BUILDS = {
    "vgg": lambda **o: pcmodel.vgg5(
        (32, 32, 1), 3, channels=(4, 4, 6, 5), rngs=rngs(), **o
    ),
    "vgg7": lambda **o: pcmodel.vgg7(
        (32, 32, 1), 3, channels=(4, 4, 4, 4, 5, 6), rngs=rngs(), **o
    ),
    "resnet": lambda **o: pcmodel.resnet18(RGB, 3, channels=(4, 6), rngs=rngs(), **o),
    "residual": lambda **o: pcmodel.residual_mlp(12, 6, 5, 3, rngs=rngs(), **o),
    "mlp": lambda **o: pcmodel.mlp_classifier(12, (7, 6), 3, rngs=rngs(), **o),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in DEAR else name
        for name in BUILDS
    ],
)
def test_a_classifier_predicts_the_label_from_the_image(name):
    """The label's prediction is the network run forward; clamping both ends leaves the
    hidden levels free. Prevents a classifier built upside down."""
    network = BUILDS[name](likelihood=pcmodel.Categorical())
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, network.widths[-1]))
    assert network.names[0] == "label" and network.names[-1] == "image"
    forward = pcmodel.predict(network, images, level="image")
    assert forward.shape == (2, 3)
    np.testing.assert_allclose(jnp.sum(forward, -1), 1.0, rtol=1e-6)
    by_hand = jnp.asarray(images)
    for layer in list(network.layers)[::-1]:
        by_hand = jax.vmap(layer)(by_hand)
    np.testing.assert_allclose(forward, jax.nn.softmax(by_hand), rtol=1e-8)
    assert np.std(by_hand) > 1e-3


def forward_by_torch_order(network, image):
    """conv -> activation -> pool, as the published stack is written."""
    maps = image
    for layer in list(network.layers)[::-1]:
        plain = pcmodel.Convolution(
            maps.shape,
            layer.shape[2],
            kernel=layer.weight.shape[:2],
            padding=layer.padding,
            activation=identity,
            rngs=rngs(),
        )
        plain.weight[...], plain.bias[...] = layer.weight[...], layer.bias[...]
        maps = plain(maps.reshape(-1)).reshape(plain.shape)
        if layer is not network.layers[0]:
            maps = pcmodel.MaxPool(2)(jax.nn.gelu(maps))
    return maps.reshape(-1)


@pytest.mark.slow
def test_vgg_is_the_published_stack_cut_elsewhere():
    """Prevents the cut between levels from changing the function that is computed."""
    network = BUILDS["vgg"]()
    image = jax.random.normal(jax.random.key(0), (32, 32, 1))
    np.testing.assert_allclose(
        pcmodel.predict(network, image.reshape(-1), level="image"),
        forward_by_torch_order(network, image),
        rtol=1e-9,
    )


@pytest.mark.slow
@pytest.mark.parametrize("build", [pcmodel.vgg5, pcmodel.vgg7, pcmodel.resnet18])
def test_activity_keeps_its_size_through_a_whole_stack(build):
    """Prevents initial weights under which an image's trace dies, or explodes, on the way."""
    network = build(rngs=rngs())
    model, weights, _ = as_model(network)
    top = jax.random.normal(jax.random.key(0), (3072,))
    levels = sweep(model, {**weights, "prior_mean": top})
    spread = [float(jnp.std(level)) for level in levels[1:]]
    assert 0.3 < min(spread) and max(spread) < 2.0


@pytest.mark.slow
@pytest.mark.parametrize("likelihood", [pcmodel.Gaussian(), pcmodel.Bernoulli()])
def test_a_generator_makes_images_and_infers_their_latents(likelihood):
    """The generator's energy falls alike under two solvers, and Gauss-Newton ends no higher.

    Prevents maps whose gradients do not fit their predictions.
    """
    network = pcmodel.convolutional_generator(
        (8, 8, 1), 3, channels=(2, 3), likelihood=likelihood, rngs=rngs()
    )
    assert network.names == ("image", "maps1", "maps2", "top")
    assert network.widths == (64, 4 * 4 * 2, 2 * 2 * 3, 3)
    latents = pcmodel.sample(network, jax.random.key(1))
    data = latents[0][0]
    found = pcmodel.infer(network, data)
    descent = StateDescent(optax.sgd(0.1), max_steps=4000)
    slow = pcmodel.infer(network, data, solver=descent)
    assert found.converged and slow.converged
    np.testing.assert_allclose(found.energy, slow.energy, rtol=1e-6)
    posed = pose(network, data).problem
    state = jnp.concatenate([level[0] for level in latents[1:]])
    energies = trajectory(StateDescent(optax.sgd(0.02)), posed, state, 50).energies
    assert jnp.all(jnp.diff(energies) < 0) and energies[-1] > found.energy


def small_classifier(pool):
    """Image 4 x 4, one level of maps, two labels."""
    active = {"activation": jax.nn.softplus, "rngs": rngs()}
    read = pcmodel.Convolution(
        (4, 4, 2), 2, kernel=2, padding=0, pool=pool, scale=3.0, **active
    )
    first = pcmodel.Convolution((4, 4, 1), 2, activation=identity, rngs=rngs())
    return pcmodel.Network(
        [read, first],
        (2, 32, 16),
        log_precisions=[1.0, 0.0, 0.0],
        names=("label", "conv1", "image"),
    )


@pytest.mark.slow
def test_a_convolutional_classifier_is_inferred_by_descent_and_by_newton():
    """Prevents a clamped image, or a pool, from leaving inference without a way down."""
    network = small_classifier(pcmodel.AveragePool(2))
    rng = np.random.default_rng(0)
    given = {"image": rng.normal(size=16), "label": np.array([1.0, 0.0])}
    newton = pcmodel.infer(network, clamp=given)
    descent = StateDescent(optax.sgd(0.1), max_steps=4000)
    slow = pcmodel.infer(network, clamp=given, solver=descent)
    assert newton.converged and slow.converged
    np.testing.assert_allclose(newton.energy, slow.energy, rtol=1e-8)
    forward = pcmodel.infer(network, clamp={"image": given["image"]}).latents
    problem = pose(network, clamp=given).problem
    start = energy(problem, (jnp.asarray(given["label"]), *forward[1:]))
    assert newton.energy < start - 1e-2


@pytest.mark.parametrize("pool", [pcmodel.MaxPool(2), pcmodel.AveragePool(2)])
def test_the_gradient_through_a_pool_is_the_energys(pool):
    """Prevents a pooled unit from passing its error to another unit of its tile."""
    network = small_classifier(pool)
    rng = np.random.default_rng(1)
    given = {"image": rng.normal(size=16), "label": np.array([1.0, 0.0])}
    problem = pose(network, clamp=given).problem

    @jax.jit
    def energy_of(maps):
        label, image = jnp.asarray(given["label"]), jnp.asarray(given["image"])
        return energy(problem, (label, maps, image))

    maps = jnp.asarray(rng.normal(size=32))
    steps = 1e-5 * np.eye(32)
    numeric = [(energy_of(maps + s) - energy_of(maps - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(jax.grad(energy_of)(maps), numeric, atol=1e-7)


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda **o: pcmodel.vgg5((16, 16, 3), channels=(2,) * 4, **o), "nothing"),
        (lambda **o: pcmodel.vgg5((32, 32), channels=(2,) * 4, **o), "height"),
        (lambda **o: pcmodel.vgg5(channels=(2, 2), **o), "expected 4"),
        (lambda **o: pcmodel.vgg7((8, 8, 3), channels=(2,) * 6, **o), "nothing"),
        (lambda **o: pcmodel.vgg7(num_classes=0, **o), "num_classes"),
        (lambda **o: pcmodel.resnet18((0, 8, 1), **o), "image_shape"),
        (lambda **o: pcmodel.resnet18(RGB, channels=(), **o), "channels"),
        (lambda **o: pcmodel.residual_mlp(depth=0, **o), "depth"),
        (lambda **o: pcmodel.mlp_classifier(784, (30, 0), **o), "hidden"),
        (lambda **o: pcmodel.mlp_classifier(-1, **o), "width_in"),
        (lambda **o: pcmodel.convolutional_generator((30, 28, 1), **o), "divisible"),
        (lambda **o: pcmodel.convolutional_generator((28, 28), **o), "height"),
        (
            lambda **o: pcmodel.mlp_classifier(4, (3,), 2, precisions=(1.0, 1.0), **o),
            "log-precisions",
        ),
        (
            lambda **o: pcmodel.mlp_classifier(
                4, (3,), 2, precisions=(1.0, -1.0, 1.0), **o
            ),
            "precision of level 1",
        ),
    ],
)
def test_sizes_that_make_no_network_are_refused_in_one_sentence(build, words):
    """Prevents a traceback, or a network of empty levels."""
    with pytest.raises(pcmodel.UserError, match=words) as error:
        build(rngs=rngs())
    assert str(error.value).count("\n") == 0


def test_sizes_may_be_numpys_numbers_and_nothing_but_whole(tmp_path):
    """Prevents sizes computed with numpy from crashing, in building or in saving, and 3.7 from being 3."""
    eight, two = np.int64(8), np.int32(2)
    for network in (
        pcmodel.dense((two, eight), rngs=nnx.Rngs(0)),
        pcmodel.mlp_classifier(eight, (two,), two, rngs=nnx.Rngs(0)),
        pcmodel.residual_mlp(eight, two, two, two, rngs=nnx.Rngs(0)),
        pcmodel.convolutional_generator(
            (eight, eight, np.int64(1)),
            two,
            channels=(two, two),
            kernel=np.int64(4),
            rngs=nnx.Rngs(0),
        ),
    ):
        assert all(type(width) is int for width in network.widths)
        pcmodel.save(network, tmp_path / "sizes.npz")
        assert pcmodel.load(tmp_path / "sizes.npz").widths == network.widths
    for widths in ((True, 2), (np.int64(0), 2)):
        with pytest.raises(pcmodel.UserError, match="widths"):
            pcmodel.dense(widths, rngs=nnx.Rngs(0))
    with pytest.raises(pcmodel.UserError, match=r"3\.7"):
        whole_number(3.7, "width")

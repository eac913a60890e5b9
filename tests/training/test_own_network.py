"""`run_training` of a network and learning options of one's own, its logger, and the images of an evaluation."""

import itertools

import jax
import numpy as np
import optax
import pytest
from flax import nnx
from training.tiny import PLAN, stripes

import pcmodel
from pcmodel.learning import Backpropagation, Frozen, Learning
from pcmodel.networks.pure import as_model
from pcmodel.training.build import build_network
from pcmodel.training.evaluation.evaluate import evaluate
from pcmodel.training.examples import Examples, some_of
from pcmodel.training.run import run_training


def arrays(network):
    return jax.tree.leaves(as_model(network)[1:])


def test_the_plans_own_network_given_by_hand_is_the_same_run():
    """Prevents a network of one's own from being trained or prepared in another way than a plan's."""
    data, told = stripes(), []
    network = build_network(PLAN.network, (4, 4, 1), 2, seed=0)
    before = [np.array(leaf) for leaf in arrays(network)]
    own = run_training(PLAN, data=data, network=network, log=told.append)
    plain = run_training(PLAN, data=data)
    for one, other in zip(arrays(own.network), arrays(plain.network), strict=True):
        np.testing.assert_array_equal(one, other)
    assert own.test.accuracy == plain.test.accuracy
    for one, other in zip(arrays(network), before, strict=True):
        np.testing.assert_array_equal(one, other)
    # The logger is told what metrics.jsonl holds.
    assert [numbers["step"] for numbers in told] == [3.0, 6.0, 9.0, 12.0]
    for numbers, row in zip(told, own.rows, strict=True):
        assert all(type(value) is float for value in numbers.values())
        assert numbers["energy"] == row["energy"] and numbers["epoch"] == row["epoch"]
        for level, name in enumerate(network.names):
            assert numbers[f"energy/{name}"] == row["level_energies"][level]
    assert told[-1]["validation_accuracy"] == own.rows[-1]["validation_accuracy"]
    assert "validation_accuracy" not in told[0]


class Half(nnx.Module):
    """A layer of one's own: the mean of pairs of units, and a map."""

    def __init__(self, width_above, width, *, rngs):
        self.map = nnx.Linear(width_above // 2, width, rngs=rngs)
        self.norm = nnx.BatchNorm(width, use_running_average=True, rngs=rngs)

    def __call__(self, above):
        return self.norm(self.map(above.reshape(-1, 2).mean(axis=1)))


def own_network(seed=0):
    rngs = nnx.Rngs(seed)
    layers = [nnx.Linear(6, 2, rngs=rngs), Half(16, 6, rngs=rngs)]
    return pcmodel.Network(
        layers,
        (2, 6, 16),
        log_precisions=[None, 2.0, 0.0],
        likelihood=pcmodel.Categorical(),
        names=("label", "hidden", "image"),
    )


OWN = Learning(optax.adam(0.05), rule=Backpropagation(), precision_step=Frozen())


def test_layers_and_learning_of_ones_own_learn_stripes_and_are_resumed(tmp_path):
    data = stripes()
    network = own_network()
    done = run_training(PLAN, data=data, network=network, learning=OWN, folder=tmp_path)
    # Training turned out as the options given say: with Adam at 0.05 it can tell the stripes apart.
    assert done.test.accuracy > 0.9
    again = run_training(
        PLAN, data=data, network=own_network(), learning=OWN, folder=tmp_path
    )
    assert again.resumed_from == 12
    for one, other in zip(arrays(again.network), arrays(done.network), strict=True):
        np.testing.assert_array_equal(one, other)
    loaded = pcmodel.load(tmp_path / "network.npz", into=own_network(3))
    for one, other in zip(arrays(loaded), arrays(done.network), strict=True):
        np.testing.assert_array_equal(one, other)
    # The statistics of the normalisation stayed as they were.
    np.testing.assert_array_equal(done.network.layers[1].norm.mean[...], 0.0)
    with pytest.raises(pcmodel.UserError, match="another network"):
        run_training(
            PLAN, data=data, network=own_network(1), learning=OWN, folder=tmp_path
        )


@pytest.mark.parametrize(
    ("widths", "words"),
    [
        ((2, 6, 15), "level 'image' has 15 units"),
        ((3, 6, 16), "level 'label' has 3 units"),
    ],
)
def test_a_network_that_does_not_fit_the_images_is_refused(widths, words):
    layers = [
        pcmodel.Dense(above, below, rngs=nnx.Rngs(0))
        for below, above in itertools.pairwise(widths)
    ]
    network = pcmodel.Network(
        layers, widths, log_precisions=[0.0] * 3, names=("label", "hidden", "image")
    )
    with pytest.raises(pcmodel.UserError, match=words):
        run_training(PLAN, data=stripes(), network=network)


def test_an_end_that_a_run_would_leave_free_is_refused():
    """A label beside the image would otherwise never be learned, without a word."""
    levels = {
        "image": pcmodel.Level(16, parents=["hidden"]),
        "label": pcmodel.Level(2, pcmodel.Categorical(), parents=["hidden"]),
        "hidden": pcmodel.Level(6, parents=["top"]),
        "top": pcmodel.Level(2),
    }
    network = pcmodel.hierarchy(levels, rngs=nnx.Rngs(0))
    with pytest.raises(
        pcmodel.UserError, match=r"other ends than level 'image': 'label'"
    ):
        run_training(PLAN, data=stripes(), network=network)


def test_learning_that_cannot_be_is_refused_before_it_begins():
    with pytest.raises(pcmodel.UserError, match="does not fit the weights"):
        labels = {"layers": ("a", "b", "c"), "prior_mean": "a"}
        learning = Learning(
            optax.partition({"a": optax.sgd(0.1)}, labels),
            precision_step=Frozen(),
            rule=Backpropagation(),
        )
        run_training(PLAN, data=stripes(), network=own_network(), learning=learning)


def test_images_of_an_evaluation_are_a_sample_and_always_the_same():
    """A file that is sorted by class: the first hundred images would all be of one."""
    labels = np.repeat(np.arange(10), 100)
    images = np.arange(1000)[:, None]
    some = some_of(Examples(images, labels), 200)
    again = some_of(Examples(images, labels), 200)
    np.testing.assert_array_equal(some.images, again.images)
    np.testing.assert_array_equal(some.labels, labels[some.images[:, 0]])
    assert len(np.unique(some.images)) == 200 and np.all(np.diff(some.images[:, 0]) > 0)
    counts = np.bincount(some.labels, minlength=10)
    # Hypergeometric: 20 of each class, of variance 20 x 0.9 x 800 / 999.
    assert np.all(np.abs(counts - 20) < 4 * np.sqrt(20 * 0.9 * 800 / 999))
    for number in (None, 1000, 2000):
        assert some_of(Examples(images, labels), number).images is images


def test_prediction_of_a_classifier_is_its_mode_without_a_label():
    """What needs no inference: with the label free all errors are zero at the sweep, and this is the mode."""
    done = run_training(PLAN, data=stripes())
    pixels = np.stack(
        [
            done.preparation.pixels(jax.numpy.asarray(image))
            for image in done.split.test.images
        ]
    )
    mode = pcmodel.infer(done.network, clamp={"top": pixels}).latents[0]
    found = evaluate(as_model(done.network), done.split.test, done.preparation)
    np.testing.assert_allclose(np.log(mode), found.scores, rtol=1e-3, atol=1e-4)

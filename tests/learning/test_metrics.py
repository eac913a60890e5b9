"""The numbers that training hands to a logger, input noise, and products in bfloat16."""

import jax
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.inference import TruncatedNewton
from pcmodel.learning import (
    Backpropagation,
    FixedHiddenPrecision,
    Frozen,
    Learning,
    PosteriorSamples,
)

DATA = np.random.default_rng(0).normal(size=(24, 4))
LABELS = np.random.default_rng(1).normal(size=(24, 2))


SHORT = Learning(e_step=PosteriorSamples(solver=TruncatedNewton(3)))
"""A short program to compile."""


def train(data=DATA, *, learning=SHORT, **options):
    network = pcmodel.dense(
        (4, 3, 2),
        precisions=[np.array([1.0, 2.0, 4.0, 8.0]), 1.0, 1.0],
        rngs=nnx.Rngs(0),
    )
    options = {"num_epochs": 2, "batch_size": 8, **options}
    return pcmodel.train(
        network, data, key=jax.random.key(0), learning=learning, **options
    )


def test_a_logger_is_told_the_curve():
    """Prevents numbers of another epoch, and levels under other names."""
    told = []
    done = train(log=told.append)
    assert [numbers["epoch"] for numbers in told] == [1.0, 2.0]
    for row, numbers in enumerate(told):
        assert all(type(value) is float for value in numbers.values())
        assert numbers["energy"] == done.curve.energy[row]
        assert numbers["residual"] == done.curve.residual[row]
        for level, name in enumerate(("data", "hidden1", "top")):
            assert numbers[f"energy/{name}"] == done.curve.level_energies[row, level]
            assert (
                numbers[f"log_precision/{name}"]
                == done.curve.log_precisions[row, level]
            )
        assert (
            numbers["seconds"] > 0 and "acceptance" not in numbers
        )  # there is no chain


PLAIN = Learning(
    optax.sgd(0.05),
    rule=Backpropagation(),
    precision_step=Frozen(),
    gauge=FixedHiddenPrecision(),
)


def test_noise_is_added_anew_to_every_example_and_to_that_level_alone():
    """A linear map learned from noisy inputs shrinks: towards S / (S + noise), the attenuation of regression.

    Prevents noise that is drawn once, shared by a batch, or added to the labels.
    """
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(2000, 1))
    network = pcmodel.linear_gaussian([np.array([[0.0]])], [1.0, 1.0])

    def noisy(key, values):
        return values + 0.5 * jax.random.normal(key, values.shape, values.dtype)

    done = pcmodel.train(
        network,
        2 * inputs,
        clamp={"top": inputs},
        augment={"top": noisy},
        key=jax.random.key(0),
        num_epochs=30,
        batch_size=100,
        learning=PLAIN,
    )
    weight = float(done.network.layers[0].weight[0, 0])
    power = np.mean(inputs**2)
    # 30 passes with noise drawn anew: as one regression on 60,000 noisy inputs.
    error = 2 * np.sqrt(0.25 / 2000)
    assert abs(weight - 2 * power / (power + 0.25)) < 4 * error
    again = pcmodel.train(
        network,
        2 * inputs,
        clamp={"top": inputs},
        augment={"top": noisy},
        key=jax.random.key(0),
        num_epochs=30,
        batch_size=100,
        learning=PLAIN,
    )
    assert float(again.network.layers[0].weight[0, 0]) == weight


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        ({"hidden1": lambda key, x: x}, "no unit of it is clamped"),
        ({"data": lambda key, x: x[:2]}, r"gives \(2,\); expected 4"),
        ({"data": lambda x: x}, "cannot be called with a key and 4 values"),
        ({"bottom": lambda key, x: x}, "unknown level"),
    ],
)
def test_changes_that_cannot_be_made_are_refused(augment, words):
    with pytest.raises(pcmodel.UserError, match=words):
        train(augment=augment)


def test_products_in_bfloat16_are_asked_of_the_device():
    """Every product of the training program, and none once it is done; a CPU computes them in float32 all the same."""
    with jax.enable_x64(False):
        seen = []

        def watched(values):
            seen.append(jax.config.jax_default_matmul_precision)
            return values

        class Watched(pcmodel.Dense):
            def __call__(self, above):
                return watched(super().__call__(above))

        layer = Watched(2, 4, rngs=nnx.Rngs(0))
        network = pcmodel.Network([layer], (4, 2), log_precisions=[0.0, 0.0])
        seen.clear()
        trained = {
            dtype: pcmodel.train(
                network,
                DATA.astype(np.float32),
                clamp={"top": LABELS.astype(np.float32)},
                key=jax.random.key(0),
                num_epochs=1,
                batch_size=8,
                learning=PLAIN,
                dtype=dtype,
            )
            for dtype in ("bfloat16", "float32")
        }
        assert "BF16_BF16_F32" in seen and None in seen
        assert jax.config.jax_default_matmul_precision is None
        weights = [done.network.layers[0].weight[...] for done in trained.values()]
        np.testing.assert_allclose(*weights, rtol=0.02, atol=0.02)
        assert weights[0].dtype == np.float32
    with pytest.raises(pcmodel.UserError, match="float16"):
        train(dtype="float16")

"""The digits hierarchy: trained, untrained, and with its nonlinearity taken out."""

from typing import NamedTuple

import jax
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.data.digits import DigitsSplit, one_hot
from pcmodel.inference.linear.dual_primal import ConjugateGradient
from pcmodel.learning.e_step import PosteriorSamples
from pcmodel.learning.em import Learning
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.network import Network, dense
from pcmodel.networks.pure import as_model, with_arrays
from pcmodel.runtime.progress import Progress

from .config import Training

NAMES = ("pixels", "strokes", "shapes", "digit")


class Trained(NamedTuple):
    """Networks and how learning went.

    untrained: the initial weights with the *learned* precisions, so that only what the weights know
    differs.  linear: the trained weights with tanh replaced by the identity.
    """

    network: Network
    untrained: Network
    linear: Network
    energy: np.ndarray
    residual: np.ndarray
    log_precisions: np.ndarray


def learning_options(training: Training, steps: int) -> Learning:
    """EM with an inexact E-step; the learning rate fades so that the weights settle."""
    schedule = optax.cosine_decay_schedule(training.learning_rate, steps, alpha=0.05)
    e_step = PosteriorSamples(
        solver=pcmodel.GaussNewton(
            ConjugateGradient(max_products=20),
            max_iterations=3,
            tolerance=1e-2,
            checked=False,
        )
    )
    return Learning(
        optimiser=optax.adam(schedule),
        variance_floor=training.variance_floor,
        e_step=e_step,
    )


def level_names(num_levels: int) -> tuple[str, ...]:
    """Names of the digits hierarchy's levels, bottom first."""
    if num_levels == len(NAMES):
        return NAMES
    middle = tuple(f"hidden{level}" for level in range(1, num_levels - 1))
    return (NAMES[0], *middle, NAMES[-1])


def train_digits(
    data: DigitsSplit, training: Training, *, seed: int, progress: Progress
) -> Trained:
    """Train with image at the bottom and label at the top."""
    widths = (data.train_images.shape[1], *training.hidden, 10)
    inner = [training.initial_precision] * (len(widths) - 1)
    network = dense(
        widths,
        precisions=[training.initial_precision, *inner],
        names=level_names(len(widths)),
        rngs=nnx.Rngs(seed),
    )
    steps = training.epochs * (len(data.train_images) // training.batch_size)
    with progress.stage("training the digits hierarchy", training.epochs) as stage:
        result = pcmodel.train(
            network,
            data.train_images,
            clamp={"top": one_hot(data.train_labels)},
            key=jax.random.key(seed),
            learning=learning_options(training, steps),
            num_epochs=training.epochs,
            batch_size=training.batch_size,
            advance=stage.advance,
        )
    learned = as_model(result.network)
    untrained = with_arrays(
        network,
        {**as_model(network).weights, "prior_mean": learned.weights["prior_mean"]},
        learned.log_precisions,
    )
    return Trained(
        result.network,
        untrained,
        linearised(result.network),
        result.curve.energy,
        result.curve.residual,
        result.curve.log_precisions,
    )


def linearised(network: Network) -> Network:
    """The same weights and precisions with every activation the identity."""
    copy = nnx.clone(network)
    for layer in copy.layers:
        assert isinstance(layer, Dense)
        layer.activation = identity
    copy.is_linear = True
    return copy


def accuracy(network: Network, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose label is the digit under which they have the least energy.

    The generative model inverted for what a label can be: the top is held at each digit in turn and
    the levels between are inferred. With digits equally frequent it is the most probable one, to
    the order of the modes.
    """
    energies = [energy_under(network, images, digit) for digit in range(10)]
    return float(np.mean(np.argmin(energies, axis=0) == labels))


def energy_under(network: Network, images: np.ndarray, digit: int) -> np.ndarray:
    """Energy of each image at the mode with the top held at one digit, shape (images,)."""
    held = one_hot(np.full(len(images), digit))
    return np.asarray(pcmodel.infer(network, images, clamp={"top": held}).energy)


def readout_accuracy(network: Network, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose inferred top, free to be any vector, is largest at their label."""
    found = pcmodel.infer(network, images)
    return float(np.mean(np.argmax(np.asarray(found.latents[-1]), axis=1) == labels))

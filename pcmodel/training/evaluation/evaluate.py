"""Accuracy and log likelihood of the labels that a network predicts for images.

A classifier predicts the label from the clamped image with every error at zero, which is the mode.
A generator's label is the top level that best explains the image, found by inference.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.api.batching import places_in_parts
from pcmodel.api.infer import run_inference
from pcmodel.api.pose import pose
from pcmodel.inference.linear.dual_primal import ConjugateGradient
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.model.generative import GenerativeModel, predict_down
from pcmodel.model.likelihood import Gaussian
from pcmodel.model.precision import factor, precision_matrix
from pcmodel.model.types import Weights
from pcmodel.networks.pure import PureNetwork
from pcmodel.training.examples import Examples, Preparation, check_examples

BATCH = 200
SOLVER = GaussNewton(ConjugateGradient(50), tolerance=1e-2, max_iterations=50)
"""Finds the top level of an image within a hundredth of its posterior standard deviation."""


class Evaluation(NamedTuple):
    """Predicted labels of a set of examples against the true ones.

    accuracy: share of labels predicted correctly.
    standard_error: binomial standard error of the accuracy.
    negative_log_likelihood: mean -log probability of the true label, nats; NaN where there are no probabilities.
    num: number of examples.
    scores: (num, classes), higher is more likely; log probabilities for a classifier.
    """

    accuracy: float
    standard_error: float
    negative_log_likelihood: float
    num: int
    scores: np.ndarray


def evaluate(
    network: PureNetwork, examples: Examples, preparation: Preparation
) -> Evaluation:
    """Predict the label of every example.  Raises UserError for invalid images or labels."""
    images, labels = check_examples(examples, preparation, where="evaluate")
    batches = [
        np.asarray(_scores(network, images[places], preparation))
        for places in places_in_parts(len(images), BATCH)
    ]
    scores = np.concatenate(batches)[: len(labels)]
    right = scores.argmax(axis=1) == labels
    accuracy, num = float(right.mean()), len(labels)
    surprise = (
        float("nan")
        if preparation.is_generative
        else float(-np.mean(scores[np.arange(num), labels]))
    )
    error = (accuracy * (1 - accuracy) / num) ** 0.5
    return Evaluation(accuracy, error, surprise, num, scores)


def _scores(network: PureNetwork, images: ArrayLike, preparation: Preparation) -> Array:
    pixels = _pixels(jnp.asarray(images), preparation)
    if preparation.is_generative:
        found = run_inference(pose(network, pixels), SOLVER)
        return found.latents[-1]
    label_precision = network.log_precisions[0]
    return _label_scores(network.weights, label_precision, pixels, model=network.model)


@partial(jax.jit, static_argnames=("preparation",))
def _pixels(images: Array, preparation: Preparation) -> Array:
    return jax.vmap(preparation.pixels)(images)


@partial(jax.jit, static_argnames=("model",))
def _label_scores(
    weights: Weights,
    log_precision: Array | None,
    pixels: Float[Array, "batch width"],
    *,
    model: GenerativeModel,
) -> Float[Array, "batch classes"]:
    """Log probability of each class, with the levels between at their predictions.

    The classes of a Gaussian label are unit vectors of equal length, so that where the precision is one
    number their log densities differ only by the precision-weighted prediction.
    """

    def one(above: Array) -> Array:
        above = predict_down(model, weights, {len(model.widths) - 1: above})
        if isinstance(model.likelihoods[0], Gaussian):
            return jax.nn.log_softmax(unit_vector_scores(above, log_precision))
        return jax.nn.log_softmax(above)

    return jax.vmap(one)(pixels)


def unit_vector_scores(
    prediction: Float[Array, " classes"], log_precision: Array | None
) -> Float[Array, " classes"]:
    """Log density, up to a constant, of each unit vector under N(prediction, precision)."""
    width = prediction.shape[0]
    if log_precision is None:
        return prediction
    one = jnp.ones((), prediction.dtype)
    precision = precision_matrix(factor(log_precision, one, width))
    errors = jnp.eye(width, dtype=prediction.dtype) - prediction[None]
    return -0.5 * jnp.einsum("ci,ij,cj->c", errors, precision, errors)

"""How well a network knows labels it has not been told.

A classifier's label is predicted from the clamped image with every error at zero, which is the mode.
A generator's is the top level that best explains the image, found by inference.
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
from pcmodel.networks.network import PureNetwork
from pcmodel.training.examples import Examples, Preparation, check_examples

BATCH = 200
SOLVER = GaussNewton(ConjugateGradient(50), tolerance=1e-2, max_iterations=50)
"""Finds the top level of an image to a hundredth of its posterior standard deviation."""


class Evaluation(NamedTuple):
    """Of `num` examples: the share named correctly, its binomial standard error, and scores.

    scores: of each class for each example; a classifier's are log probabilities.
    negative_log_likelihood: mean -log probability of the true label, nats; NaN where there are no probabilities.
    """

    accuracy: float
    standard_error: float
    negative_log_likelihood: float
    num: int
    scores: np.ndarray


def evaluate(
    network: PureNetwork, examples: Examples, preparation: Preparation
) -> Evaluation:
    """Name the label of every example.  Raises UserError for what are no images or labels."""
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
    """Log probability of each class, the levels between at their predictions.

    A Gaussian label is one of the unit vectors, which are equally long, so that their log densities
    differ by the precision-weighted prediction alone where the precision is one number.
    """

    def one(above: Array) -> Array:
        above = predict_down(model, weights, above, level=len(model.widths) - 1)
        if isinstance(model.likelihood, Gaussian):
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

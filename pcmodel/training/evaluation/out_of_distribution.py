"""Does the free energy of a generative network tell foreign images from those it knows?

Foreign are the test images themselves with what makes them images of their kind taken away: their pixels in
another order, the same for all (every grey level stays as frequent as it was), or white for black (every
edge stays where it was).

A network may find foreign images *more* likely than its own: density is no measure of familiarity where other
images are simpler (Nalisnick et al. 2019, ICLR, "Do deep generative models know what they
don't know?").  An area below 1/2 is therefore a finding and no error.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from pcmodel.api.batching import places_in_parts
from pcmodel.api.infer import run_inference
from pcmodel.api.pose import pose
from pcmodel.api.posterior import Posterior
from pcmodel.calibration import auroc, auroc_standard_error
from pcmodel.data.checks import as_bytes
from pcmodel.data.standardisation import WHITE
from pcmodel.inference.linear.dual_primal import ConjugateGradient
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.networks.network import Network
from pcmodel.report.laplace import LaplaceSummary
from pcmodel.training.examples import Examples, Preparation

NUM = 200
BATCH = 50
"""Images whose curvature is in memory at once."""
SOLVER = GaussNewton(ConjugateGradient(50), tolerance=1e-3, max_iterations=100)
"""The curvature is read where it stops: what is left of the way counts to first order."""

Images = UInt8[np.ndarray, "n height width channels"]


class Foreign(NamedTuple):
    """Free energies of images whose label nobody told, nats, (images,); row by row of the same image.

    test: as they are.  permuted: pixels in another order.  inverted: 255 minus grey.
    """

    test: Float[np.ndarray, " images"]
    permuted: Float[np.ndarray, " images"]
    inverted: Float[np.ndarray, " images"]


DIAGNOSED = 16
"""Images whose Laplace posteriors are compared with the posterior."""


class Detection(NamedTuple):
    """Area under the ROC curve and its standard error (`pcmodel.calibration.auroc`).

    NaN where free energies are not finite, or belong to fewer than 2 images.
    """

    auroc: float
    standard_error: float


def foreign_free_energies(
    network: Network,
    examples: Examples,
    preparation: Preparation,
    *,
    num: int = NUM,
    seed: int = 0,
) -> Foreign:
    """Of the first `num` images, as they are and made foreign; `seed` orders the pixels."""
    images = as_bytes(examples.images, where="foreign_free_energies")[:num]
    return Foreign(
        *(
            free_energies(network, kind, preparation)
            for kind in (images, permuted(images, seed), inverted(images))
        )
    )


def detections(found: Foreign) -> dict[str, Detection]:
    """How well the free energy tells each foreign kind from the test images, by name."""
    kinds = found._asdict()
    own = kinds.pop("test")
    return {name: detection(own, scores) for name, scores in kinds.items()}


def detection(own: np.ndarray, foreign: np.ndarray) -> Detection:
    """Of one kind of foreign images."""
    if min(len(own), len(foreign)) < 2 or not np.isfinite([*own, *foreign]).all():
        return Detection(float("nan"), float("nan"))
    return Detection(auroc(own, foreign), auroc_standard_error(own, foreign))


def free_energies(
    network: Network, images: Images, preparation: Preparation
) -> Float[np.ndarray, " n"]:
    """Laplace -log evidence of each image, nats, the label left free."""
    found = []
    for places in places_in_parts(len(images), min(BATCH, len(images))):
        pixels = jax.vmap(preparation.pixels)(jnp.asarray(images[places]))
        posed = pose(network, pixels)
        belief = Posterior(posed, run_inference(posed, SOLVER))
        found.append(-np.asarray(belief.log_evidence))
    return np.concatenate(found)[: len(images)]


def diagnose_images(
    network: Network, images: Images, preparation: Preparation, *, seed: int = 0
) -> LaplaceSummary:
    """How far the Laplace posteriors of some images are from the posterior, the label left free."""
    pixels = jax.vmap(preparation.pixels)(jnp.asarray(images[:DIAGNOSED]))
    posed = pose(network, pixels)
    belief = Posterior(posed, run_inference(posed, SOLVER))
    return LaplaceSummary.of([belief.diagnose(jax.random.key(seed), 500)])


def permuted(images: Images, seed: int = 0) -> Images:
    """The pixels of every image in one other order; a pixel keeps its channels together."""
    num, *_, channels = images.shape
    flat = images.reshape(num, -1, channels)
    order = np.random.default_rng(seed).permutation(flat.shape[1])
    return flat[:, order].reshape(images.shape)


def inverted(images: Images) -> Images:
    """White for black."""
    return WHITE - images

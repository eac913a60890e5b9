"""Does the free energy of a generative network detect out-of-distribution images?

Out-of-distribution images are made from the test images: by one permutation of the pixels, the same for all
(grey levels stay as frequent as they were), or by inverting the grey levels (edges stay where they were).

A network may find out-of-distribution images *more* likely than test images, for instance where they are
simpler (Nalisnick et al. 2019, ICLR, "Do deep generative models know what they don't know?").  An area
below 1/2 is therefore a result and no error.
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
from pcmodel.training.examples import Examples, Preparation, some_of

NUM = 200
BATCH = 50
"""Images whose curvatures are in memory at the same time."""
SOLVER = GaussNewton(ConjugateGradient(50), tolerance=1e-3, max_iterations=100)
"""The Laplace approximation is made where it stops; the distance left to the mode has a first-order effect."""

Images = UInt8[np.ndarray, "n height width channels"]


class Foreign(NamedTuple):
    """Free energies of test images and of out-of-distribution images made from them.

    Laplace -log evidence with the label left free, nats, (images,); element i belongs to image i in every field.

    test: of the test images.
    permuted: of the same images with permuted pixels.
    inverted: of the same images with inverted grey levels (255 minus grey).
    """

    test: Float[np.ndarray, " images"]
    permuted: Float[np.ndarray, " images"]
    inverted: Float[np.ndarray, " images"]


DIAGNOSED = 16
"""Number of images whose Laplace posteriors are diagnosed."""


class Detection(NamedTuple):
    """How well free energies detect one kind of out-of-distribution images (`pcmodel.calibration.auroc`).

    Both are NaN where free energies are not finite, or belong to fewer than 2 images.

    auroc: area under the ROC curve, 0 to 1.
    standard_error: of the area.
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
    """Free energies of `num` images, drawn once at random, and of out-of-distribution images made from them.

    seed: of the permutation of the pixels.
    Raises UserError for invalid images.
    """
    images = as_bytes(examples.images, where="foreign_free_energies")
    images = some_of(Examples(images, np.zeros(len(images))), num).images
    return Foreign(
        *(
            free_energies(network, kind, preparation)
            for kind in (images, permuted(images, seed), inverted(images))
        )
    )


def detections(found: Foreign) -> dict[str, Detection]:
    """Detection by free energy of each kind of out-of-distribution images, by its name."""
    kinds = found._asdict()
    own = kinds.pop("test")
    return {name: detection(own, scores) for name, scores in kinds.items()}


def detection(own: np.ndarray, foreign: np.ndarray) -> Detection:
    """Detection of out-of-distribution images from the free energies of both kinds, (images,) each."""
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
    """Diagnostics of the Laplace posteriors of a few images, drawn once at random, the label left free."""
    few = some_of(Examples(images, np.zeros(len(images))), DIAGNOSED).images
    pixels = jax.vmap(preparation.pixels)(jnp.asarray(few))
    posed = pose(network, pixels)
    belief = Posterior(posed, run_inference(posed, SOLVER))
    return LaplaceSummary.of([belief.diagnose(jax.random.key(seed), 500)])


def permuted(images: Images, seed: int = 0) -> Images:
    """The pixels of every image in the same random order; the channels of a pixel stay together."""
    num, *_, channels = images.shape
    flat = images.reshape(num, -1, channels)
    order = np.random.default_rng(seed).permutation(flat.shape[1])
    return flat[:, order].reshape(images.shape)


def inverted(images: Images) -> Images:
    """Images with inverted grey levels."""
    return WHITE - images

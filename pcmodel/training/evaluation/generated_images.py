"""Images predicted by, or drawn from, a generative network."""

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.api.infer import predict, sample
from pcmodel.data.standardisation import as_images
from pcmodel.networks.network import Network
from pcmodel.training.examples import Split


def label_images(network: Network, split: Split) -> np.ndarray:
    """The predicted image of each label, bytes (classes, height, width, channels)."""
    levels = predict(network, jnp.eye(split.num_classes))
    return np.asarray(as_images(levels, split.standardisation, split.image_shape))


def drawn_images(network: Network, split: Split, seed: int = 0) -> np.ndarray:
    """One image drawn for each label: the levels between vary according to their precisions.

    The image is the prediction of the drawn level 1, without pixel noise; bytes as in `label_images`.
    """
    labels = jnp.eye(split.num_classes)
    keys = jax.random.split(jax.random.key(seed), split.num_classes)
    above = [
        sample(network, key, clamp={network.names[-1]: label})[1][0]
        for key, label in zip(keys, labels, strict=True)
    ]
    levels = predict(network, jnp.stack(above), level=1)
    return np.asarray(as_images(levels, split.standardisation, split.image_shape))

"""Training speed and network size."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model


def steady_speed(rows: Sequence[dict[str, Any]]) -> float:
    """Images per second of the median chunk; NaN without chunks.

    The median, since the first chunk of a length includes compilation.
    """
    speeds = [row["images_per_second"] for row in rows]
    return float(np.median(speeds)) if speeds else float("nan")


def num_parameters(network: Network) -> int:
    """Number of learnable parameters: weights, biases, prior mean and log-precisions."""
    pure = as_model(network)
    return sum(
        leaf.size for leaf in jax.tree.leaves((pure.weights, pure.log_precisions))
    )

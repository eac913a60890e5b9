"""What chains learn while they warm up: a step size, and coordinates that are white.

Moments are pooled over all chains and drawn towards what was there before. The share of
the warm-up before the first window is for the chains to arrive, that after the last for
the step size; a warm-up of fewer than four chunks has no room for the latter.
"""

from itertools import pairwise
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pcmodel.behaviour.sampling.coordinates import Whitening

WINDOWS = (0.1, 0.3, 0.55, 0.85)  # shares of the warm-up
OLD_WEIGHT = 10.0  # of the coordinates as they were, in draws per dimension


class Moments(NamedTuple):
    """Mean and lower root of a covariance, shrunk to standard normal."""

    mean: Float[np.ndarray, "*batch size"]
    root: Float[np.ndarray, "*batch size size"]


def window_ending(chunk: int, num_warmup: int) -> tuple[int, int] | None:
    """First and one past the last chunk of the window that this chunk closes, if any."""
    ends = [max(1, round(share * num_warmup)) for share in WINDOWS]
    for start, stop in pairwise(ends):
        if chunk + 1 == stop and start < stop:
            return start, stop
    return None


def shrunken_moments(draws: Float[np.ndarray, "draws *batch size"]) -> Moments:
    """Moments of white draws; few draws change little."""
    size = draws.shape[-1]
    weight = len(draws) / (len(draws) + OLD_WEIGHT * size)
    mean = draws.mean(axis=0)
    off = draws - mean
    covariance = np.einsum("n...i,n...j->...ij", off, off) / len(draws)
    mixed = weight * covariance + (1.0 - weight) * np.eye(size)
    return Moments(weight * mean, np.linalg.cholesky(mixed))


def whiten_further(
    whitening: Whitening,
    group: Float[np.ndarray, "draws group"],
    people: Float[np.ndarray, "draws participants varying"],
) -> Whitening:
    """Coordinates in which these white draws have unit covariance, nearly."""
    centre, root = _compose(
        whitening.group_centre, whitening.group_root, shrunken_moments(group)
    )
    if not people.shape[-1]:
        return whitening._replace(group_centre=centre, group_root=root)
    return Whitening(
        centre,
        root,
        *_compose(
            whitening.people_centre, whitening.people_root, shrunken_moments(people)
        ),
    )


def _compose(centre: Array, root: Array, found: Moments) -> tuple[Array, Array]:
    """The affine change `centre + root y` after the one that the moments say."""
    moved = jnp.einsum("...ij,...j->...i", root, jnp.asarray(found.mean))
    return centre + moved, root @ jnp.asarray(found.root)

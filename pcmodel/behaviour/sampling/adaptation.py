"""Adaptation of chains during warm-up: step size, and whitening of the coordinates.

Moments are pooled over all chains and shrunk towards the previous ones. In the part of
the warm-up before the first window the chains move to the typical set, in the part after the
last only the step size adapts; a warm-up of fewer than four chunks has no such last part.
"""

from itertools import pairwise
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pcmodel.behaviour.sampling.coordinates import Whitening

WINDOWS = (0.1, 0.3, 0.55, 0.85)  # shares of the warm-up
OLD_WEIGHT = 10.0  # of the previous coordinates, in draws per dimension


class Moments(NamedTuple):
    """Moments of draws, shrunk to those of a standard normal.

    mean: of the draws.
    root: lower Cholesky factor of their covariance.
    """

    mean: Float[np.ndarray, "*batch size"]
    root: Float[np.ndarray, "*batch size size"]


def window_ending(chunk: int, num_warmup: int) -> tuple[int, int] | None:
    """First and one past the last chunk of the window that ends with this chunk; None if none ends."""
    ends = [max(1, round(share * num_warmup)) for share in WINDOWS]
    for start, stop in pairwise(ends):
        if chunk + 1 == stop and start < stop:
            return start, stop
    return None


def shrunken_moments(draws: Float[np.ndarray, "draws *batch size"]) -> Moments:
    """Moments of draws in white coordinates; with few draws they stay close to the standard normal's."""
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
    """Coordinates in which these draws in white coordinates have nearly unit covariance."""
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
    """The centre and root of the map `centre + root y` composed with the moments' map."""
    moved = jnp.einsum("...ij,...j->...i", root, jnp.asarray(found.mean))
    return centre + moved, root @ jnp.asarray(found.root)

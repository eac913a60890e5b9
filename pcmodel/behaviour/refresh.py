r"""Metropolis jumps of one participant at a time, between the turns of NUTS.

Some people's reports are explained in two ways (few changes with precise senses, or many
with vague ones), and a trajectory seldom crosses from one to the other. Given the group,
participants are independent, so each can be offered a new place of its own: a draw from
a kernel density of that participant's pilot draws, all chains together, accepted by
Metropolis and Hastings. The proposal knows every way that any chain has found; the
acceptance gives each the weight that the posterior gives it, whatever the proposal. The
proposal is fixed before the draws that count.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

MAX_CENTRES = 100


class Kernels(NamedTuple):
    """A Gaussian kernel density for each participant, all kernels of one shape."""

    centres: Float[Array, "participants kernels size"]
    root: Float[Array, "participants size size"]  # lower Cholesky factor
    inverse: Float[Array, "participants size size"]  # of the root


def fit_kernels(draws: Float[np.ndarray, "draws size participants"]) -> Kernels:
    """Kernels on evenly thinned draws, of Silverman's width."""
    count, size, _ = draws.shape
    places = np.moveaxis(draws, -1, 0)
    keep = np.unique(np.linspace(0, count - 1, min(MAX_CENTRES, count)).astype(int))
    width = (4.0 / ((size + 2.0) * len(keep))) ** (1.0 / (size + 4.0))
    covariance = np.stack([np.atleast_2d(np.cov(place.T)) for place in places])
    root = width * np.linalg.cholesky(covariance + 1e-9 * np.eye(size))
    return Kernels(
        *(jnp.asarray(a) for a in (places[:, keep], root, np.linalg.inv(root)))
    )


def kernel_log_density(
    kernels: Kernels, places: Float[Array, "size participants"]
) -> Float[Array, " participants"]:
    """Log of each participant's kernel density, up to a constant."""

    def one(centres: Array, inverse: Array, place: Array) -> Array:
        distance = (centres - place[None]) @ inverse.T
        return jax.nn.logsumexp(-0.5 * jnp.sum(distance**2, axis=-1))

    return jax.vmap(one)(kernels.centres, kernels.inverse, places.T)


def draw_kernels(
    key: Key[Array, ""], kernels: Kernels
) -> Float[Array, "size participants"]:
    """One draw for every participant."""
    pick_key, noise_key = jax.random.split(key)
    people, count, size = kernels.centres.shape
    picks = jax.random.randint(pick_key, (people,), 0, count)
    noise = jax.random.normal(noise_key, (people, size), kernels.root.dtype)
    moved = jnp.einsum("pij,pj->pi", kernels.root, noise)
    return (kernels.centres[jnp.arange(people), picks] + moved).T


def refresh_people(
    key: Key[Array, ""],
    places: Float[Array, "size participants"],
    kernels: Kernels,
    log_density: Callable[[Array], Float[Array, " participants"]],
) -> tuple[Float[Array, "size participants"], Float[Array, " participants"]]:
    """Offer every participant a new place; the places kept, and who moved."""
    draw_key, accept_key = jax.random.split(key)
    offered = draw_kernels(draw_key, kernels)
    both = jnp.stack([places, offered])
    old, new = jax.vmap(lambda p: log_density(p) - kernel_log_density(kernels, p))(both)
    chance = jnp.log(jax.random.uniform(accept_key, old.shape, old.dtype))
    accept = chance < new - old  # false for a NaN
    return jnp.where(accept, offered, places), accept.astype(old.dtype)

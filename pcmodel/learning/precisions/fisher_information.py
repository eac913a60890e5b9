r"""Fisher information about log-precisions, from the scores of posterior draws.

The information of the *observed* data is the covariance over examples of their scores
(Berndt, Hall, Hall & Hausman 1974); the *complete* information, if the errors were observed, is half the number of
units.  Their ratio, at most 1, determines the convergence rate of EM (Dempster, Laird & Rubin 1977).
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.learning.precisions.m_step import Draws


def complete_information(draws: Draws, levels: Sequence[int]) -> Float[Array, " n"]:
    """Fisher information about each scalar log-precision if its errors were observed: width / 2."""
    widths = [draws.errors[level].shape[-1] for level in levels]
    return jnp.asarray(np.asarray(widths) / 2, draws.errors[levels[0]].dtype)


def inverse_information(
    information: Float[Array, "n n"], complete: Float[Array, " n"], least_share: float
) -> Float[Array, "n n"]:
    """Inverse of the information, with its eigenvalues relative to the complete one clipped to [least_share, 1]."""
    scale = jnp.outer(jnp.sqrt(complete), jnp.sqrt(complete))
    shares, vectors = jnp.linalg.eigh(information / scale)
    kept = jnp.clip(shares, least_share, 1)
    return ((vectors / kept[None, :]) @ vectors.T) / scale


def covariance(scores: Float[Array, "batch samples n"]) -> Float[Array, "n n"]:
    """Covariance over examples of their posterior mean scores.

    Estimated from products of different draws of one example, whose noise is independent; from squares of
    the draws if there is only one per example, which includes their noise.
    """
    batch, samples, _ = scores.shape
    spread = scores - jnp.mean(scores, axis=(0, 1), keepdims=True)
    total = jnp.sum(spread, axis=1)
    products = jnp.einsum("bi,bj->ij", total, total)
    if samples == 1:
        return products / batch
    same = jnp.einsum("bsi,bsj->ij", spread, spread)
    return (products - same) / (batch * samples * (samples - 1))


def covariance_diagonal(scores: Float[Array, "batch samples n"]) -> Float[Array, " n"]:
    """The diagonal of `covariance`."""
    batch, samples, _ = scores.shape
    spread = scores - jnp.mean(scores, axis=(0, 1), keepdims=True)
    products = jnp.sum(jnp.sum(spread, axis=1) ** 2, axis=0)
    if samples == 1:
        return products / batch
    same = jnp.sum(spread**2, axis=(0, 1))
    return (products - same) / (batch * samples * (samples - 1))

"""Eigenvalues of a large symmetric matrix from products alone, with bounds of their errors.

Lanczos recursion with full reorthogonalisation.  Where it ends in an invariant subspace it begins anew outside of it, so
that repeated eigenvalues, which a single start finds once, are found again.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


class RitzValues(NamedTuple):
    """Eigenvalues of the Lanczos matrix.

    values: ascending.
    bounds: largest distance of each to an eigenvalue of the whole matrix.
    weights: share of the start vector along each, in [0, 1]; they sum to 1.
    """

    values: Float[Array, " steps"]
    bounds: Float[Array, " steps"]
    weights: Float[Array, " steps"]


def ritz_values(
    product: Callable[[Array], Array], size: int, num_steps: int, dtype: jnp.dtype
) -> RitzValues:
    """Ritz values after `num_steps` products (at most `size`), the same in every call.

    product: function v -> H v for a symmetric H of `size` rows.
    """
    steps = min(num_steps, size)
    key, rounding = jax.random.key(0), float(jnp.finfo(dtype).eps)

    def without(basis: Array, vector: Array) -> Array:
        for _ in range(2):
            vector = vector - basis.T @ (basis @ vector)
        return vector

    def fresh(basis: Array, index: Array) -> Array:
        drawn = jax.random.normal(jax.random.fold_in(key, index), (size,), dtype)
        drawn = without(basis, drawn / jnp.linalg.norm(drawn))
        # Once more: what is left of it outside a large subspace is small.
        drawn = without(basis, drawn / jnp.linalg.norm(drawn))
        return drawn / jnp.linalg.norm(drawn)

    def step(carry: tuple[Array, Array, Array], index: Array):
        basis, vector, scale = carry
        basis = basis.at[index].set(vector)
        image = product(vector)
        diagonal = jnp.sum(vector * image)
        left = without(basis, image)
        beta = jnp.linalg.norm(left)
        scale = jnp.maximum(scale, jnp.linalg.norm(image))
        ended = beta <= 10 * rounding * size**0.5 * scale
        follows = left / jnp.where(ended, 1, beta)
        vector = jnp.where(ended, fresh(basis, index + 1), follows)
        return (basis, vector, scale), (diagonal, jnp.where(ended, 0, beta))

    start = fresh(jnp.zeros((1, size), dtype), jnp.zeros((), int))
    carry = (jnp.zeros((steps, size), dtype), start, jnp.zeros((), dtype))
    _, (diagonal, beta) = jax.lax.scan(step, carry, jnp.arange(steps))
    matrix = jnp.diag(diagonal) + jnp.diag(beta[:-1], 1) + jnp.diag(beta[:-1], -1)
    values, vectors = jnp.linalg.eigh(matrix)
    return RitzValues(values, beta[-1] * jnp.abs(vectors[-1]), vectors[0] ** 2)

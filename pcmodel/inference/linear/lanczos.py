r"""A large symmetric matrix from products alone: eigenvalues with bounds of their errors, and log determinants.

Lanczos recursion with full reorthogonalisation.  The log determinant is by stochastic Lanczos quadrature (Ubaru, Chen &
Saad 2017, SIAM J Matrix Anal 38:1075): $\log\det H = E[v^\top \log(H) v]$ over random sign vectors, each term by a short
recursion.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


class Tridiagonal(NamedTuple):
    """The matrix H in the basis of the recursion.

    diagonal: v_i' H v_i.
    off_diagonal: couples each vector of the basis to the next; the last one couples to what the basis leaves out.
    """

    diagonal: Float[Array, " steps"]
    off_diagonal: Float[Array, " steps"]

    def eigen(self) -> tuple[Float[Array, " steps"], Float[Array, "steps steps"]]:
        """Eigenvalues, ascending, and the eigenvectors as columns."""
        beside = self.off_diagonal[:-1]
        matrix = jnp.diag(self.diagonal) + jnp.diag(beside, 1) + jnp.diag(beside, -1)
        return jnp.linalg.eigh(matrix)


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
    key = jax.random.key(0)
    start = drawn_outside(jnp.zeros((1, size), dtype), jax.random.fold_in(key, 0))
    found = tridiagonalise(product, start, min(num_steps, size), restarts=key)
    values, vectors = found.eigen()
    bounds = found.off_diagonal[-1] * jnp.abs(vectors[-1])
    return RitzValues(values, bounds, vectors[0] ** 2)


def lanczos_log_det(
    product: Callable[[Array], Array],
    key: Array,
    like: Float[Array, " n"],
    *,
    num_probes: int = 16,
    num_steps: int = 40,
) -> Float[Array, ""]:
    """Estimate of log det H for a positive definite H, unbiased up to quadrature error.

    product: function v -> H v.
    like: vector of the size and dtype of v.
    num_probes: random vectors; the standard error decreases as 1 / sqrt(num_probes).
    num_steps: Lanczos steps for each.
    """
    size = like.shape[0]
    steps = min(num_steps, size)

    def probe(probe_key: Array) -> Array:
        start = jax.random.rademacher(probe_key, (size,), like.dtype)
        # Without restarts: nothing of the start vector is in what they would find.
        values, vectors = tridiagonalise(product, start / jnp.sqrt(size), steps).eigen()
        tiny = jnp.finfo(like.dtype).tiny
        return size * jnp.sum(vectors[0] ** 2 * jnp.log(jnp.maximum(values, tiny)))

    return jnp.mean(jax.vmap(probe)(jax.random.split(key, num_probes)))


def tridiagonalise(
    product: Callable[[Array], Array],
    start: Float[Array, " n"],
    steps: int,
    *,
    restarts: Array | None = None,
) -> Tridiagonal:
    """The recursion from a unit start vector.

    restarts: random key; where the recursion ends in an invariant subspace, up to rounding, it begins anew outside of it,
        so that repeated eigenvalues, which a single start finds once, are found again.  None: it goes on while anything
        is left.
    """
    size, dtype = start.shape[0], start.dtype
    rounding = 10 * float(jnp.finfo(dtype).eps) * size**0.5

    def step(carry: tuple[Array, Array, Array], index: Array):
        basis, vector, scale = carry
        basis = basis.at[index].set(vector)
        image = product(vector)
        diagonal = jnp.sum(vector * image)
        left = without(basis, image)
        beta = jnp.linalg.norm(left)
        scale = jnp.maximum(scale, jnp.linalg.norm(image))
        ended = beta <= (0 if restarts is None else rounding * scale)
        following = jnp.where(ended, 0, left / jnp.where(ended, 1, beta))
        if restarts is not None:
            fresh = drawn_outside(basis, jax.random.fold_in(restarts, index + 1))
            following = jnp.where(ended, fresh, following)
        return (basis, following, scale), (diagonal, jnp.where(ended, 0, beta))

    carry = (jnp.zeros((steps, size), dtype), start, jnp.zeros((), dtype))
    _, found = jax.lax.scan(step, carry, jnp.arange(steps))
    return Tridiagonal(*found)


def without(basis: Float[Array, "steps n"], vector: Float[Array, " n"]) -> Array:
    """The vector without its part in the rows of an orthonormal basis; twice, as the first leaves some by rounding."""
    for _ in range(2):
        vector = vector - basis.T @ (basis @ vector)
    return vector


def drawn_outside(basis: Float[Array, "steps n"], key: Array) -> Array:
    """A random unit vector orthogonal to a basis."""
    drawn = jax.random.normal(key, basis.shape[1:], basis.dtype)
    drawn = without(basis, drawn / jnp.linalg.norm(drawn))
    # Once more: what is left of it outside a large subspace is small.
    drawn = without(basis, drawn / jnp.linalg.norm(drawn))
    return drawn / jnp.linalg.norm(drawn)

r"""Log determinant of a large positive definite matrix from products alone.

Stochastic Lanczos quadrature (Ubaru, Chen & Saad 2017, SIAM J Matrix Anal 38:1075):
$\log\det H = E[v^\top \log(H) v]$ over random sign vectors, each term by a short Lanczos
recursion with full reorthogonalisation.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def lanczos_log_det(
    product: Callable[[Array], Array],
    key: Array,
    like: Float[Array, " n"],
    *,
    num_probes: int = 16,
    num_steps: int = 40,
) -> Float[Array, ""]:
    """Estimate of log det H, unbiased up to quadrature error.

    product: function v -> H v.
    like: vector of the size and dtype of v.
    num_probes: random vectors; the standard error decreases as 1 / sqrt(num_probes).
    num_steps: Lanczos steps for each.
    """
    size = like.shape[0]
    steps = min(num_steps, size)

    def probe(probe_key: Array) -> Array:
        start = jax.random.rademacher(probe_key, (size,), like.dtype)
        diagonal, off_diagonal = tridiagonalise(product, start / jnp.sqrt(size), steps)
        matrix = (
            jnp.diag(diagonal) + jnp.diag(off_diagonal, 1) + jnp.diag(off_diagonal, -1)
        )
        values, vectors = jnp.linalg.eigh(matrix)
        tiny = jnp.finfo(like.dtype).tiny
        return size * jnp.sum(vectors[0] ** 2 * jnp.log(jnp.maximum(values, tiny)))

    return jnp.mean(jax.vmap(probe)(jax.random.split(key, num_probes)))


def tridiagonalise(
    product: Callable[[Array], Array], start: Array, steps: int
) -> tuple[Float[Array, " steps"], Float[Array, " steps_less_one"]]:
    """Diagonal and off-diagonal of the Lanczos matrix from a unit start vector."""
    basis = jnp.zeros((steps, start.shape[0]), start.dtype)

    def step(carry, index):
        basis, vector = carry
        basis = basis.at[index].set(vector)
        image = product(vector)
        alpha = jnp.sum(vector * image)
        image = image - basis.T @ (basis @ image)
        image = image - basis.T @ (basis @ image)
        beta = jnp.sqrt(jnp.sum(image**2))
        following = jnp.where(beta > 0, image / jnp.where(beta > 0, beta, 1), 0)
        return (basis, following), (alpha, beta)

    _, (diagonal, off_diagonal) = jax.lax.scan(step, (basis, start), jnp.arange(steps))
    return diagonal, off_diagonal[:-1]

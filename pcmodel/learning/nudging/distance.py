r"""How far nudged inference is from its stationary point, measured where it ended.

With the gradient g and Hessian A of the nudged energy at z the stationary point is $z - A^{-1} g$, to first order.  Under a
negative sign, and where the loss is not convex, A may be nearly singular: a small gradient, or a small last step, then says
little.  $A^{-1} g$ is therefore solved for, in the space of a few products with A, and what the solution leaves of g
counts as a gradient along the direction of least curvature that these products have seen.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.whitened import unroll
from pcmodel.model.discrete_energy import data_energy
from pcmodel.model.problem import Problem

PRODUCTS = 4
"""Products with the Hessian; each costs about two gradients."""


def loss_of(problem: Problem, whitened: Float[Array, " free"]) -> Float[Array, ""]:
    """The energy of the clamped levels without normalisers, nats."""
    unrolled = unroll(problem, whitened)
    value = 0.5 * jnp.sum(unrolled.rows**2)
    if unrolled.logits is not None:
        value += data_energy(problem, unrolled.logits)
    return value


def distance_left(
    problem: Problem, whitened: Float[Array, " free"], weight: Float[Array, ""]
) -> Float[Array, ""]:
    """The estimated distance to the stationary point, or the gradient's norm where that is larger, relative to |z|.

    whitened: z, where inference ended.
    weight: of the clamped levels' energy; of either sign.

    In whitened errors.  Infinite where it cannot be told: at a singular Hessian, beyond the range of the dtype, and at z = 0
    with a gradient.  Zero if there is no free unit.
    """
    if not whitened.shape[0]:
        return jnp.zeros((), whitened.dtype)
    largest = jnp.max(jnp.abs(whitened))
    unit = jnp.where(largest > 0, largest, 1)  # squares of tiny errors would vanish
    gradient, product = jax.linearize(
        lambda z: z + weight * jax.grad(lambda z: loss_of(problem, z))(z), whitened
    )
    left = jnp.maximum(norm(gradient / unit), solution_norm(product, gradient / unit))
    share = jnp.where(jnp.any(gradient != 0), left / norm(whitened / unit), 0)
    return jnp.where(jnp.isfinite(share), share, jnp.inf)


def solution_norm(
    product: Callable[[Array], Array], right: Float[Array, " n"]
) -> Float[Array, ""]:
    """An estimate from above of $|A^{-1} b|$ for a symmetric A, by a few products with it (Lanczos 1950).

    Exact in at most `PRODUCTS` dimensions; elsewhere too small only if A has a smaller eigenvalue than the products show.
    """
    number = min(PRODUCTS, right.shape[0])
    basis, images = [unit_vector(right, jnp.zeros_like(right))], []
    for _ in range(number):
        images.append(product(basis[-1]))
        basis.append(unit_vector(images[-1], *basis))
    space, image = jnp.stack(basis[:number]), jnp.stack(images)
    inside = space @ image.T
    # Where the space is exhausted its further vectors are zero, and stand for themselves.
    inside += jnp.diag(1 - jnp.sum(space**2, axis=1))
    values, vectors = jnp.linalg.eigh((inside + inside.T) / 2)
    solved = vectors @ ((vectors.T @ (space @ right)) / values)
    rest = norm(right - solved @ image)
    return norm(solved) + rest / jnp.min(jnp.abs(values))


def unit_vector(vector: Array, *others: Array) -> Array:
    """The part of a vector that is orthogonal to `others` (unit vectors), of length 1; zero if only rounding is left."""
    rest = vector
    for _ in range(2):
        for other in others:
            rest = rest - jnp.sum(rest * other) * other
    length, least = norm(rest), 10 * jnp.finfo(vector.dtype).eps * norm(vector)
    return jnp.where(length > least, rest / length, 0)


def norm(vector: Array) -> Float[Array, ""]:
    """Euclidean length."""
    return jnp.sqrt(jnp.sum(vector**2))

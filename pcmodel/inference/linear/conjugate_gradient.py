r"""Preconditioned conjugate gradients for a symmetric product, with detection of negative curvature.

Used to solve the Gauss-Newton equation, to correct a direct solve, and to search the true Hessian for directions of
negative curvature (Steihaug 1983, SIAM J Numer Anal 20:626).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int

Precondition = Callable[[Array], Array]
"""A symmetric positive definite linear map, close to the inverse of the product."""


class CgResult(NamedTuple):
    """The result of conjugate gradients.

    step: last iterate.
    residual: norm of the equation's residual by the recurrence, not recomputed.
    products: number of products.
    negative: whether a direction without positive curvature was found.
    direction: that direction, else the last search direction.
    least: smallest curvature relative to the metric, at most 1; 1 without a metric.
    left: preconditioned norm of the residual relative to that of the right-hand side.
    """

    step: Float[Array, " n"]
    residual: Float[Array, ""]
    products: Int[Array, ""]
    negative: Bool[Array, ""]
    direction: Float[Array, " n"]
    least: Float[Array, ""]
    left: Float[Array, ""]


class _Carry(NamedTuple):
    step: Array
    residual: Array
    direction: Array
    inner: Array
    count: Array
    failed: Array
    least: Array


def no_precondition(residual: Array) -> Array:
    """The identity, as preconditioner."""
    return residual


def conjugate_gradient(
    product: Callable[[Array], Array],
    rhs: Float[Array, " n"],
    target: Array | float,
    max_products: Array | int,
    *,
    precondition: Precondition = no_precondition,
    share: Array | float = 0.0,
    metric: Callable[[Array], Array] | None = None,
) -> CgResult:
    """Solve product(step) = rhs from zero, until the residual's norm is at most `target` or for `max_products`.

    share: also stop when the preconditioned norm of the residual is at most this fraction of the initial one.
    metric: squared length of a direction, the unit of its curvature in `least`; None: curvature is not recorded.

    If the product is not positive definite, the iteration stops at the first direction without positive curvature:
    with the preconditioned right-hand side if that is the first direction, else with the present iterate, so that
    the result is always a descent direction.
    """

    def unfinished(carry: _Carry) -> Array:
        left = jnp.sum(carry.residual**2) > jnp.square(jnp.asarray(target))
        left &= carry.inner > jnp.square(jnp.asarray(share)) * whole
        return left & (carry.count < max_products) & ~carry.failed

    def iterate(carry: _Carry) -> _Carry:
        image = product(carry.direction)
        curvature = jnp.sum(carry.direction * image)
        # Written so that a NaN counts as failure.
        failed = ~(curvature > 0)
        length = carry.inner / jnp.where(failed, 1, curvature)
        least = carry.least
        if metric is not None:
            least = jnp.minimum(least, curvature / metric(carry.direction))
        stuck = jnp.where(carry.count == 0, carry.direction, carry.step)
        residual = jnp.where(failed, carry.residual, carry.residual - length * image)
        image = precondition(residual)
        inner = jnp.sum(residual * image)
        turn = inner / jnp.where(carry.inner == 0, 1, carry.inner)
        return _Carry(
            jnp.where(failed, stuck, carry.step + length * carry.direction),
            residual,
            jnp.where(failed, carry.direction, image + turn * carry.direction),
            inner,
            carry.count + 1,
            failed,
            least,
        )

    first = precondition(rhs)
    whole = jnp.sum(rhs * first)
    start = _Carry(
        jnp.zeros_like(rhs),
        rhs,
        first,
        whole,
        jnp.zeros((), int),
        jnp.zeros((), bool),
        jnp.ones((), rhs.dtype),
    )
    end = jax.lax.while_loop(unfinished, iterate, start)
    return CgResult(
        end.step,
        jnp.sqrt(jnp.sum(end.residual**2)),
        end.count,
        end.failed,
        end.direction,
        end.least,
        jnp.sqrt(end.inner / jnp.where(whole > 0, whole, 1)),
    )

r"""Preconditioned conjugate gradients for a symmetric product, watchful of its curvature.

Used three ways: to solve the Gauss-Newton equation, to correct a direct solve, and to ask the true Hessian for
directions of negative curvature (Steihaug 1983, SIAM J Numer Anal 20:626).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int

Precondition = Callable[[Array], Array]
"""One symmetric positive definite linear map, close to the inverse."""


class CgResult(NamedTuple):
    """Where the iteration stopped.

    step: the iterate.  residual: norm of what the recurrence says is left of the equation.
    products: made.  negative: whether a direction without positive curvature was met.
    direction: that direction, else the last one.  least: smallest curvature met, per the metric's; at most 1.
    left: share of the right-hand side that the products have not explained, by the metric.
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
    """The identity."""
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
    """From zero until the residual's norm is at most `target`, or for `max_products`.

    share: of the right-hand side's preconditioned norm that may also be left.
    metric: squared length of a direction, which its curvature is told in; None tells nothing.

    If the product turns out not to be positive definite, stops where curvature fails: with the
    preconditioned right-hand side if at once, else with the iterate so far, so that
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

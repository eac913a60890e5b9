r"""The linear solve inside Gauss-Newton: $(\,(1 + \mu) I + S^\top S)\, d = -\nabla E$.

Four ways, one interface.  In whitened coordinates the Hessian is the identity plus the squared
Jacobian of what is observed, so

- `ConjugateGradient` needs only products with S (fast when the observation constrains few
  directions, slow with precise sensory levels);
- `Dual` factors $I + S S^\top$ (small level 0), `Primal` factors $I + S^\top S$ (few latents);
- `BlockTridiagonal` (its own file) factors the state-space Hessian level by level.

`choose` picks by counting operations.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.energy import Problem, Structure
from pcmodel.inference.whitened import Linearisation
from pcmodel.small import cholesky, solve_spd


class LinearSolution(NamedTuple):
    """step: d;  residual: norm of what is left of the equation;  products: with S'S."""

    step: Float[Array, " free"]
    residual: Float[Array, ""]
    products: Array


class LinearSolver(Protocol):
    """Solves one damped Gauss-Newton equation."""

    def solve(
        self,
        problem: Problem,
        whitened: Array,
        linear: Linearisation,
        damping: Array,
        target: Array,
    ) -> LinearSolution:
        """`target` is the residual norm at which an iterative solve may stop."""
        ...


def output_jacobian(linear: Linearisation) -> Float[Array, "outputs free"]:
    """S as a matrix, built from the cheaper side."""
    num_free, dtype = linear.gradient.shape[0], linear.gradient.dtype
    if linear.num_outputs <= num_free:
        return jax.vmap(linear.pull)(jnp.eye(linear.num_outputs, dtype=dtype))
    return jax.vmap(linear.push)(jnp.eye(num_free, dtype=dtype)).T


@dataclass(frozen=True)
class Dual:
    """Cholesky of (1 + mu) I + S S', the size of the observation."""

    def solve(self, problem, whitened, linear, damping, target) -> LinearSolution:
        """d = -(g - S' K^-1 S g) / (1 + mu)."""
        if linear.num_outputs == 0:
            return exact(-linear.gradient / (1 + damping), linear)
        matrix = output_jacobian(linear)
        gram = add_diagonal(matrix @ matrix.T, 1 + damping)
        inner = solve_spd(cholesky(gram), matrix @ linear.gradient)
        return exact(-(linear.gradient - matrix.T @ inner) / (1 + damping), linear)


@dataclass(frozen=True)
class Primal:
    """Cholesky of (1 + mu) I + S'S, the size of the latents."""

    def solve(self, problem, whitened, linear, damping, target) -> LinearSolution:
        """d = -((1 + mu) I + S'S)^-1 g."""
        matrix = output_jacobian(linear)
        hessian = add_diagonal(matrix.T @ matrix, 1 + damping)
        return exact(-solve_spd(cholesky(hessian), linear.gradient), linear)


def add_diagonal(matrix: Float[Array, "n n"], value: Array) -> Float[Array, "n n"]:
    """matrix + value I."""
    return matrix + value * jnp.eye(matrix.shape[0], dtype=matrix.dtype)


def exact(step: Array, linear: Linearisation) -> LinearSolution:
    """A direct solve: no residual, and no products beyond building S."""
    return LinearSolution(
        step, jnp.zeros((), step.dtype), jnp.asarray(linear.num_outputs)
    )


@dataclass(frozen=True)
class ConjugateGradient:
    """Matrix-free conjugate gradients from zero.

    Stops at the target residual or after `max_products` (which the result then shows).
    """

    max_products: int = 500

    def solve(self, problem, whitened, linear, damping, target) -> LinearSolution:
        """Plain CG; every iterate is a descent direction."""

        def product(vector):
            return (1 + damping) * vector + linear.pull(linear.push(vector))

        return conjugate_gradient(product, -linear.gradient, target, self.max_products)


def conjugate_gradient(
    product, rhs: Float[Array, " n"], target: Array, max_products: int
) -> LinearSolution:
    """Solve `product(d) = rhs` for a symmetric positive definite product."""

    def unfinished(carry):
        _, _, _, norm2, count = carry
        return (norm2 > target**2) & (count < max_products)

    def iterate(carry):
        step, residual, direction, norm2, count = carry
        image = product(direction)
        length = norm2 / jnp.sum(direction * image)
        residual = residual - length * image
        new_norm2 = jnp.sum(residual**2)
        return (
            step + length * direction,
            residual,
            residual + (new_norm2 / norm2) * direction,
            new_norm2,
            count + 1,
        )

    start = (jnp.zeros_like(rhs), rhs, rhs, jnp.sum(rhs**2), jnp.zeros((), int))
    step, _, _, norm2, count = jax.lax.while_loop(unfinished, iterate, start)
    return LinearSolution(step, jnp.sqrt(norm2), count)


DIRECT_BUDGET = 5e7
"""Multiplications per example up to which a direct solve is preferred to CG."""


def choose(structure: Structure, num_outputs: int) -> LinearSolver:
    """The cheapest direct solve, or CG where all of them cost too much."""
    from pcmodel.inference.block_tridiagonal import BlockTridiagonal

    widths = structure.model.widths
    num_free = structure.num_free
    one_pass = 2 * sum(a * b for a, b in zip(widths, widths[1:], strict=False))
    costs: dict[LinearSolver, float] = {
        Dual(): num_outputs * (one_pass + num_outputs * (num_free + num_outputs / 3)),
        Primal(): min(num_outputs, num_free) * one_pass
        + num_free**2 * (num_outputs + num_free / 3),
    }
    if BlockTridiagonal.applies(structure):
        costs[BlockTridiagonal()] = BlockTridiagonal.cost(structure)
    solver = min(costs, key=lambda option: costs[option])
    return solver if costs[solver] <= DIRECT_BUDGET else ConjugateGradient()

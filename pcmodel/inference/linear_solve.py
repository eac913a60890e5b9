r"""The linear solve inside Gauss-Newton: $(\,(1 + \mu) I + S^\top S)\, d = b$.

Four ways, one interface.  In whitened coordinates the Hessian is the identity plus the squared
Jacobian of what is observed, so

- `ConjugateGradient` needs only products with S (fast when the observation constrains few
  directions, slow with precise sensory levels);
- `Dual` factors $I + S S^\top$ (small level 0), `Primal` factors $I + S^\top S$ (few latents);
- `BlockTridiagonal` (its own file) factors the state-space Hessian level by level.

`choose` picks by counting operations.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.whitened import Linearisation, linearise
from pcmodel.problem import Problem, Structure
from pcmodel.small import cholesky, gram, matmul, rows_of, solve_lower, solve_spd


class LinearSolution(NamedTuple):
    """step: d;  residual: norm of what is left of the equation;  products: with S'S."""

    step: Float[Array, " free"]
    residual: Float[Array, ""]
    products: Array


Precondition = Callable[[Array], Array]
"""One symmetric positive definite linear map, close to the inverse."""


class Prepared(NamedTuple):
    """The damped Gauss-Newton equation of one point, ready for many right-hand sides.

    solve: (right-hand side, residual norm at which an iterative solve may stop) -> solution.
    precondition: the nearest linear map to `solve` (an iterative one is not linear).
    """

    solve: Callable[[Array, Array], LinearSolution]
    precondition: Precondition


def direct(step: Precondition, num_outputs: int) -> Prepared:
    """From a map that solves exactly: no residual, and no products beyond building S."""

    def solve(rhs: Array, target: Array) -> LinearSolution:
        del target
        nothing = jnp.zeros((), rhs.dtype)
        return LinearSolution(step(rhs), nothing, jnp.asarray(num_outputs))

    return Prepared(solve, step)


@runtime_checkable
class LinearSolver(Protocol):
    """Prepares the damped Gauss-Newton equation of one point for many right-hand sides."""

    is_direct: ClassVar[bool]
    """Whether it factors the Hessian."""

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """Factor, if it does."""
        ...


def output_jacobian(linear: Linearisation) -> Float[Array, "outputs free"]:
    """S as a matrix, built from the cheaper side."""
    num_free, dtype = linear.gradient.shape[0], linear.gradient.dtype
    if linear.num_outputs <= num_free:
        return rows_of(linear.pull, linear.num_outputs, dtype)
    return rows_of(linear.push, num_free, dtype).T


@dataclass(frozen=True)
class Dual:
    """Cholesky of (1 + mu) I + S S', the size of the observation."""

    is_direct: ClassVar[bool] = True

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """d = (b - S' K^-1 S b) / (1 + mu)."""
        if linear.num_outputs == 0:
            return direct(lambda rhs: rhs / (1 + damping), 0)
        matrix = output_jacobian(linear)
        lower = cholesky(add_diagonal(gram(matrix), 1 + damping))

        def step(rhs: Array) -> Array:
            inner = solve_spd(lower, matmul(matrix, rhs))
            return (rhs - matmul(matrix.T, inner)) / (1 + damping)

        return direct(step, linear.num_outputs)


@dataclass(frozen=True)
class Primal:
    """Cholesky of (1 + mu) I + S'S, the size of the latents."""

    is_direct: ClassVar[bool] = True

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """d = ((1 + mu) I + S'S)^-1 b."""
        matrix = output_jacobian(linear)
        lower = cholesky(add_diagonal(gram(matrix.T), 1 + damping))
        return direct(lambda rhs: solve_spd(lower, rhs), linear.num_outputs)


def add_diagonal(matrix: Float[Array, "n n"], value: Array) -> Float[Array, "n n"]:
    """matrix + value I."""
    return matrix + value * jnp.eye(matrix.shape[0], dtype=matrix.dtype)


@dataclass(frozen=True)
class ConjugateGradient:
    """Matrix-free conjugate gradients from zero.

    Stops at the target residual or after `max_products` (which the result then shows).
    """

    max_products: int = 500
    is_direct: ClassVar[bool] = False

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """Plain CG; every iterate is a descent direction."""
        return Preconditioned(lambda vector: vector, self.max_products).prepare(
            problem, whitened, linear, damping
        )


@dataclass(frozen=True)
class Preconditioned:
    """Matrix-free conjugate gradients with a map close to the inverse Hessian."""

    precondition: Precondition
    max_products: int = 500
    is_direct: ClassVar[bool] = False

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """CG from zero; every iterate is a descent direction."""

        def product(vector: Array) -> Array:
            return (1 + damping) * vector + linear.pull(linear.push(vector))

        def solve(rhs: Array, target: Array) -> LinearSolution:
            return conjugate_gradient(
                product,
                rhs,
                target,
                self.max_products,
                precondition=self.precondition,
            )

        return Prepared(solve, self.precondition)


def factor_once(
    problem: Problem, whitened: Array, solver: LinearSolver
) -> Precondition:
    """The undamped inverse Hessian of one point as a map that is cheap to apply often."""
    linear = linearise(problem, whitened)
    if isinstance(solver, Dual) and linear.num_outputs:
        # L^-1 S once, for two plain products each time and no triangular solve.
        matrix = output_jacobian(linear)
        one = jnp.ones((), matrix.dtype)
        lower = cholesky(add_diagonal(gram(matrix), one))
        half = solve_lower(lower, matrix)
        return lambda vector: vector - half.T @ (half @ vector)
    zero = jnp.zeros((), whitened.dtype)
    return solver.prepare(problem, whitened, linear, zero).precondition


def conjugate_gradient(
    product: Callable[[Array], Array],
    rhs: Float[Array, " n"],
    target: Array | float,
    max_products: Array | int,
    *,
    precondition: Callable[[Array], Array] = lambda residual: residual,
) -> LinearSolution:
    """Preconditioned CG from zero for a symmetric product.

    If the product turns out not to be positive definite, stops where curvature fails: with the
    preconditioned right-hand side if at once, else with the iterate so far (Steihaug 1983), so that
    the result is always a descent direction.
    """

    def unfinished(carry):
        _, residual, _, _, count, failed = carry
        return (jnp.sum(residual**2) > target**2) & (count < max_products) & ~failed

    def iterate(carry):
        step, residual, direction, inner, count, _ = carry
        image = product(direction)
        curvature = jnp.sum(direction * image)
        # Written so that a NaN counts as failure.
        failed = ~(curvature > 0)
        length = inner / jnp.where(failed, 1, curvature)
        moved = step + length * direction
        stuck = jnp.where(count == 0, direction, step)
        residual = jnp.where(failed, residual, residual - length * image)
        image = precondition(residual)
        new_inner = jnp.sum(residual * image)
        direction = image + (new_inner / jnp.where(inner == 0, 1, inner)) * direction
        return (
            jnp.where(failed, stuck, moved),
            residual,
            direction,
            new_inner,
            count + 1,
            failed,
        )

    first = precondition(rhs)
    start = (
        jnp.zeros_like(rhs),
        rhs,
        first,
        jnp.sum(rhs * first),
        jnp.zeros((), int),
        jnp.zeros((), bool),
    )
    step, residual, _, _, count, _ = jax.lax.while_loop(unfinished, iterate, start)
    return LinearSolution(step, jnp.sqrt(jnp.sum(residual**2)), count)


DIRECT_BUDGET = 5e7
"""Multiplications per example up to which a direct solve is preferred to CG."""


def cheapest_direct(
    structure: Structure, num_outputs: int
) -> tuple[LinearSolver, float]:
    """The direct solve with the fewest multiplications, and how many per example."""
    from pcmodel.inference.block_tridiagonal import BlockTridiagonal

    num_free, one_pass = structure.num_free, gradient_cost(structure)
    costs: dict[LinearSolver, float] = {
        Dual(): num_outputs * (one_pass + num_outputs * (num_free + num_outputs / 3)),
        Primal(): min(num_outputs, num_free) * one_pass
        + num_free**2 * (num_outputs + num_free / 3),
    }
    if BlockTridiagonal.applies(structure):
        costs[BlockTridiagonal()] = BlockTridiagonal.cost(structure)
    solver = min(costs, key=lambda option: costs[option])
    return solver, costs[solver]


def gradient_cost(structure: Structure) -> int:
    """Multiplications of one pass down and up the (dense) hierarchy."""
    return 2 * sum(a * b for a, b in itertools.pairwise(structure.model.widths))


def choose(structure: Structure, num_outputs: int) -> LinearSolver:
    """The cheapest direct solve, or CG where all of them cost too much."""
    solver, cost = cheapest_direct(structure, num_outputs)
    return solver if cost <= DIRECT_BUDGET else ConjugateGradient()

r"""The linear solve inside Gauss-Newton: $(\,(1 + \mu) I + S^\top S)\, d = b$.

Four ways, one interface.  In whitened coordinates the Hessian is the identity plus the squared
Jacobian of what is observed, so

- `ConjugateGradient` needs only products with S (fast when the observation constrains few
  directions, slow with precise sensory levels);
- `Dual` factors $I + S S^\top$ (small level 0), `Primal` factors $I + S^\top S$ (few latents);
- `BlockTridiagonal` (its own file) factors the state-space Hessian level by level.

`choose` picks by counting operations.  What a solve leaves of the equation is measured and, where it is too
much, solved for in turn (`measured`): factors of $I + S S^\top$ cancel where precisions are far apart.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.linear.conjugate_gradient import (
    Precondition,
    conjugate_gradient,
    no_precondition,
)
from pcmodel.inference.whitened import Linearisation, linearise
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count
from pcmodel.model.linalg import cholesky, gram, matmul, rows_of, solve_lower, solve_spd
from pcmodel.model.problem import Problem, Structure


class LinearSolution(NamedTuple):
    """An approximate solution and what was measured there.

    step: d.  pushed: S d.  pulled: S'S d.  residual: norm of what is left of the equation, measured.
    products: with S'S.
    """

    step: Float[Array, " free"]
    pushed: Float[Array, " outputs"]
    pulled: Float[Array, " free"]
    residual: Float[Array, ""]
    products: Array


class Prepared(NamedTuple):
    """The damped Gauss-Newton equation of one point, ready for many right-hand sides.

    solve: (right-hand side, residual norm at which it may stop) -> solution.
    precondition: a linear map near the inverse (an iterative solve is not linear).
    """

    solve: Callable[[Array, Array], LinearSolution]
    precondition: Precondition


class Products(NamedTuple):
    """Products with S and S', by a matrix or by a linearised pass."""

    push: Callable[[Array], Array]
    pull: Callable[[Array], Array]


ROUNDS = 2
"""Corrections of a solve whose measured residual is too large: one with its factor, then without."""
ATTAINABLE = 4.0
"""Residual, in epsilons of the float times the right-hand side, below which no solve is asked to go."""


def measured(
    first: Precondition | None,
    products: Products,
    damping: Array,
    *,
    max_products: int,
    num_outputs: int,
) -> Prepared:
    """A solve that starts with the map `first` and believes nothing that it has not measured.

    What is left of the equation is computed anew from S.  If it is too large (a factor that cancels, or breaks
    down, where precisions are far apart) it is solved for in turn by conjugate gradients: with `first` as
    preconditioner once, then without.  The solution is a descent direction or zero.  `first` None: there is no
    such map.
    """

    def product(vector: Array) -> Array:
        return (1 + damping) * vector + products.pull(products.push(vector))

    def measure(step: Array, rhs: Array, count: Array) -> LinearSolution:
        pushed = products.push(step)
        pulled = products.pull(pushed)
        left = rhs - (1 + damping) * step - pulled
        return LinearSolution(step, pushed, pulled, _norm(left), count)

    def solve(rhs: Array, target: Array) -> LinearSolution:
        norm = _norm(rhs)
        goal = jnp.maximum(target, ATTAINABLE * jnp.finfo(rhs.dtype).eps * norm)
        zero = jnp.zeros_like(rhs)
        start = LinearSolution(
            zero, jnp.zeros((num_outputs,), rhs.dtype), zero, norm, jnp.zeros((), int)
        )
        usable = jnp.zeros((), bool)
        if first is not None:
            tried = measure(first(rhs), rhs, jnp.asarray(num_outputs))
            # Written so that a NaN is not usable.
            usable = (tried.residual < norm) & (jnp.sum(rhs * tried.step) > 0)
            start = _select(usable, tried, start)

        def unfinished(carry):
            solution, number = carry
            return (solution.residual > goal) & (number < ROUNDS)

        def correct(carry):
            solution, number = carry
            left = rhs - (1 + damping) * solution.step - solution.pulled
            factored = usable & (number == 0)

            def precondition(vector: Array) -> Array:
                if first is None:
                    return vector
                return jnp.where(factored, positive(first, vector), vector)

            found = conjugate_gradient(
                product,
                left,
                0.5 * goal,
                jnp.where(factored, min(max_products, FACTORED), max_products),
                precondition=precondition,
            )
            step = solution.step + found.step
            new = measure(step, rhs, solution.products + found.products)
            better = new.residual < solution.residual
            kept = solution._replace(products=new.products)
            return _select(better, new, kept), number + 1

        start_round = jnp.where(usable, 0, 1)
        return jax.lax.while_loop(unfinished, correct, (start, start_round))[0]

    if first is None:
        return Prepared(solve, no_precondition)
    return Prepared(solve, lambda vector: positive(first, vector))


FACTORED = 30
"""Products granted to conjugate gradients preconditioned with a factor."""


def positive(first: Precondition, vector: Array) -> Array:
    """The map, or the vector itself where the map does not point along it (nor is a number)."""
    image = first(vector)
    return jnp.where(jnp.sum(vector * image) > 0, image, vector)


def _norm(vector: Array) -> Array:
    return jnp.sqrt(jnp.sum(vector**2))


def _select(which: Array, one: LinearSolution, other: LinearSolution) -> LinearSolution:
    return jax.tree.map(lambda a, b: jnp.where(which, a, b), one, other)


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
        matrix = output_jacobian(linear)
        if linear.num_outputs == 0:
            return factored(lambda rhs: rhs / (1 + damping), matrix, damping)
        lower = cholesky(add_diagonal(gram(matrix), 1 + damping))

        def step(rhs: Array) -> Array:
            inner = solve_spd(lower, matmul(matrix, rhs))
            return (rhs - matmul(matrix.T, inner)) / (1 + damping)

        return factored(step, matrix, damping)


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
        return factored(lambda rhs: solve_spd(lower, rhs), matrix, damping)


def factored(
    step: Precondition, matrix: Float[Array, "outputs free"], damping: Array
) -> Prepared:
    """A measured solve from a factor, where S is at hand as a matrix."""
    products = Products(lambda v: matmul(matrix, v), lambda u: matmul(matrix.T, u))
    outputs = matrix.shape[0]
    return measured(
        step, products, damping, max_products=MOST_PRODUCTS, num_outputs=outputs
    )


MOST_PRODUCTS = 500
"""Products granted to conjugate gradients without a factor."""


def add_diagonal(matrix: Float[Array, "n n"], value: Array) -> Float[Array, "n n"]:
    """matrix + value I."""
    return matrix + value * jnp.eye(matrix.shape[0], dtype=matrix.dtype)


@checked_arguments
@dataclass(frozen=True)
class ConjugateGradient:
    """Matrix-free conjugate gradients from zero.

    Stops at the target residual or after `max_products` (which the result then shows).
    """

    max_products: Count = MOST_PRODUCTS
    is_direct: ClassVar[bool] = False

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """Plain CG; every iterate is a descent direction."""
        products = Products(linear.push, linear.pull)
        return measured(
            None,
            products,
            damping,
            max_products=self.max_products,
            num_outputs=linear.num_outputs,
        )


@dataclass(frozen=True)
class Preconditioned:
    """Conjugate gradients with a map close to the inverse Hessian, one of another point say."""

    precondition: Precondition
    max_products: int = MOST_PRODUCTS
    is_direct: ClassVar[bool] = False

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """CG from the preconditioned right-hand side."""
        products = Products(linear.push, linear.pull)
        return measured(
            self.precondition,
            products,
            damping,
            max_products=self.max_products,
            num_outputs=linear.num_outputs,
        )


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


DIRECT_BUDGET = 5e7
"""Multiplications per example up to which a direct solve is preferred to CG."""


def cheapest_direct(
    structure: Structure, num_outputs: int, *, banded: bool = True
) -> tuple[LinearSolver, float]:
    """The direct solve with the fewest multiplications, and how many per example.

    banded: whether one that goes level by level may be taken.
    """
    from pcmodel.inference.linear.block_tridiagonal import BlockTridiagonal

    num_free, one_pass = structure.num_free, gradient_cost(structure)
    costs: dict[LinearSolver, float] = {
        Dual(): num_outputs * (one_pass + num_outputs * (num_free + num_outputs / 3)),
        Primal(): min(num_outputs, num_free) * one_pass
        + num_free**2 * (num_outputs + num_free / 3),
    }
    if banded and BlockTridiagonal.applies(structure):
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


DEAR = 60
"""Price of one factor, in gradients, from which secant steps around a single one pay."""


def is_dear(structure: Structure, num_outputs: int) -> bool:
    """Whether a factor can be had, but for the price of so many gradients that secant steps come first."""
    _, cost = cheapest_direct(structure, num_outputs)
    return DEAR * gradient_cost(structure) < cost <= DIRECT_BUDGET

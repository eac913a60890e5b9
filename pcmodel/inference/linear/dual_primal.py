r"""The linear solve inside Gauss-Newton: $(\,(1 + \mu) I + S^\top S)\, d = b$.

Four solvers share one interface.  In whitened coordinates the Hessian is the identity plus $S^\top S$, with S the
Jacobian of the observed quantities, so

- `ConjugateGradient` needs only products with S (fast if the data constrain few directions, slow for precise
  sensory levels);
- `Dual` factors $I + S S^\top$ (small level 0), `Primal` factors $I + S^\top S$ (few latents);
- `BlockTridiagonal` (its own file) factors the state-space Hessian level by level.

`choose` selects by counting operations.  The residual of a solve is computed and, if it is too large, reduced by further
solves (`measured`): the factor of $I + S S^\top$ suffers from cancellation where precisions are far apart.
"""

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
    """An approximate solution of the damped Gauss-Newton equation.

    step: d.
    pushed: S d.
    pulled: S'S d.
    residual: norm of the equation's residual, recomputed at d.
    products: number of products with S'S.
    """

    step: Float[Array, " free"]
    pushed: Float[Array, " outputs"]
    pulled: Float[Array, " free"]
    residual: Float[Array, ""]
    products: Array


class Prepared(NamedTuple):
    """The damped Gauss-Newton equation of one point, prepared for many right-hand sides.

    solve: function of (right-hand side, residual norm at which it may stop) that returns the solution.
    precondition: linear map close to the inverse (an iterative solve is not linear).
    """

    solve: Callable[[Array, Array], LinearSolution]
    precondition: Precondition


class Products(NamedTuple):
    """Products with S, by a matrix or by a linearised pass.

    push: S v.
    pull: S' u.
    """

    push: Callable[[Array], Array]
    pull: Callable[[Array], Array]


ROUNDS = 2
"""Corrections of a solve whose residual is too large: one preconditioned with its factor, then one without."""
ATTAINABLE = 4.0
"""Smallest residual requested of a solve, in machine epsilons times the norm of the right-hand side."""


def measured(
    first: Precondition | None,
    products: Products,
    damping: Array,
    *,
    max_products: int,
    num_outputs: int,
) -> Prepared:
    """A solve that starts with the map `first` and recomputes and corrects its residual.

    The residual is computed from S.  If it is too large (the factor behind `first` is inaccurate or breaks down where
    precisions are far apart) a correction is solved for by conjugate gradients: preconditioned with `first` once, then
    without.  The solution is a descent direction or zero.

    first: approximate inverse; None: conjugate gradients alone.
    max_products: largest number of products of each solve by conjugate gradients.
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
            # A NaN compares as false: it is not usable.
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
"""Largest number of products of conjugate gradients that are preconditioned with a factor."""


def positive(first: Precondition, vector: Array) -> Array:
    """first(vector), or the vector itself if their inner product is not positive."""
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
    """Whether the solver factors the Hessian."""

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """Prepare the solve at one point, including the factorisation of a direct solver."""
        ...


def output_jacobian(linear: Linearisation) -> Float[Array, "outputs free"]:
    """S as a matrix, from products with S or S', whichever are fewer."""
    num_free, dtype = linear.gradient.shape[0], linear.gradient.dtype
    if linear.num_outputs <= num_free:
        return rows_of(linear.pull, linear.num_outputs, dtype)
    return rows_of(linear.push, num_free, dtype).T


@dataclass(frozen=True)
class Dual:
    """Direct solve by Cholesky of (1 + mu) I + S S', of the size of the data."""

    is_direct: ClassVar[bool] = True

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """The prepared solve d = (b - S' K^-1 S b) / (1 + mu), K = (1 + mu) I + S S'."""
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
    """Direct solve by Cholesky of (1 + mu) I + S'S, of the size of the latents."""

    is_direct: ClassVar[bool] = True

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """The prepared solve d = ((1 + mu) I + S'S)^-1 b."""
        matrix = output_jacobian(linear)
        lower = cholesky(add_diagonal(gram(matrix.T), 1 + damping))
        return factored(lambda rhs: solve_spd(lower, rhs), matrix, damping)


def factored(
    step: Precondition, matrix: Float[Array, "outputs free"], damping: Array
) -> Prepared:
    """A corrected solve (`measured`) that starts from `step`, with S given as a matrix."""
    products = Products(lambda v: matmul(matrix, v), lambda u: matmul(matrix.T, u))
    outputs = matrix.shape[0]
    return measured(
        step, products, damping, max_products=MOST_PRODUCTS, num_outputs=outputs
    )


MOST_PRODUCTS = 500
"""Largest number of products of conjugate gradients without a factor."""


def add_diagonal(matrix: Float[Array, "n n"], value: Array) -> Float[Array, "n n"]:
    """matrix + value I."""
    return matrix + value * jnp.eye(matrix.shape[0], dtype=matrix.dtype)


@checked_arguments
@dataclass(frozen=True)
class ConjugateGradient:
    """Matrix-free conjugate gradients from zero.

    Stops at the target residual or after `max_products` products; the residual of the result shows which.
    """

    max_products: Count = MOST_PRODUCTS
    is_direct: ClassVar[bool] = False

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """The prepared solve, without preconditioner; every iterate is a descent direction."""
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
    """Conjugate gradients preconditioned with a map close to the inverse Hessian, such as that of another point."""

    precondition: Precondition
    max_products: int = MOST_PRODUCTS
    is_direct: ClassVar[bool] = False

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """The prepared solve, which starts with the preconditioned right-hand side."""
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
    """The undamped inverse Hessian of one point as a linear map that is cheap to apply repeatedly."""
    linear = linearise(problem, whitened)
    if isinstance(solver, Dual) and linear.num_outputs:
        # Computing L^-1 S once replaces the triangular solves of each application by two products.
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
    """The direct solver with the fewest multiplications, and their number per example.

    banded: whether `BlockTridiagonal` may be chosen.
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
    model = structure.model
    return 2 * sum(
        model.widths[level] * model.widths[parent]
        for level, own in enumerate(model.parents)
        for parent in own
    )


def choose(structure: Structure, num_outputs: int) -> LinearSolver:
    """The cheapest direct solver, or conjugate gradients if its cost exceeds `DIRECT_BUDGET`."""
    solver, cost = cheapest_direct(structure, num_outputs)
    return solver if cost <= DIRECT_BUDGET else ConjugateGradient()


DEAR = 60
"""Cost of one factor, in gradients, above which secant steps around a single factor come first."""


def is_dear(structure: Structure, num_outputs: int) -> bool:
    """Whether a direct solve is within budget but costs more than `DEAR` gradients, so that secant steps come first."""
    _, cost = cheapest_direct(structure, num_outputs)
    return DEAR * gradient_cost(structure) < cost <= DIRECT_BUDGET

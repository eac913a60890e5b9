r"""The curvature of the energy: in the latents, and of the energy of the mode in the weights.

The Hessian in the latents tells how inference by gradient descent settles: it is stable below a rate of
$2 / \lambda_{\max}$, and slow by the ratio of the largest to the smallest eigenvalue.

The energy of the mode, $F(\theta) = \min_x E(x, \theta)$, is what learning at the equilibrium descends (Innocenti et al.
2024, "Only strict saddles in the energy landscape of predictive coding networks?").  Its Hessian is a Schur complement,

$$\nabla^2 F = E_{\theta\theta} - E_{\theta x} E_{xx}^{-1} E_{x\theta} .$$
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.scipy.linalg import lu_factor, lu_solve
from jaxtyping import Float

from pcmodel.api.batching import over_examples, run_over_examples
from pcmodel.api.mechanics.gradients import (
    learned_of,
    mean_of,
    network_model,
    with_parameters,
)
from pcmodel.api.mechanics.points import AtLatents, Point, energies_at, point_of
from pcmodel.api.pose import Batching, Clamps, Observation, Posed, Prior, pose
from pcmodel.errors import UserError
from pcmodel.inference.linear.lanczos import RitzValues, ritz_values
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count
from pcmodel.learning.optimisation.optimisers import as_kept, as_optimised
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem
from pcmodel.networks.network import Network
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits

MOST_FREE = 4000
"""Free units up to which the curvature of weights is computed: each example solves a dense system of that size."""


class LatentHessian(NamedTuple):
    """Second derivatives of the energy in the free units' latents.

    matrix: ([batch,] free, free), symmetric, nats per unit squared.
    levels: index of the level of each row, (free,).
    units: index of the unit within its level, (free,).
    """

    matrix: Array
    levels: np.ndarray
    units: np.ndarray


class Spectrum(NamedTuple):
    """Eigenvalues of a Hessian, ascending.

    eigenvalues: all of them, or Ritz values, of which the outermost are the most accurate, ([batch,] number).
    bounds: each is at most so far from an eigenvalue, rounding apart; 0 where all were computed.
    weights: share of the spectrum that each stands for, an estimate of the density; they sum to 1.
    is_complete: whether all eigenvalues were computed.
    """

    eigenvalues: Array
    bounds: Array
    weights: Array
    is_complete: bool


@checked_arguments
def latent_hessian(
    network: Network,
    observation: Observation | None = None,
    *,
    latents: AtLatents | None = None,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
) -> LatentHessian:
    """The Hessian of the energy in the latents, at given latents or at the mode.

    latents: one array per level, ([batch,] width); None: the mode that `solver` finds.
    Other arguments and errors as for `infer`; UserError for a matrix that does not fit in memory.
    """
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    structure = posed.problem.structure
    size = structure.num_free
    check_fits(posed.batch_size or 1, size, size, what="the Hessian")
    point = point_of(posed, latents, solver)
    matrix = run_over_examples(
        hessian_at, posed.problem, point, batching=posed.batching
    )
    units = [structure.free_units(level) for level in range(structure.top + 1)]
    levels = [np.full(len(own), level) for level, own in enumerate(units)]
    return LatentHessian(matrix, np.concatenate(levels), np.concatenate(units))


@checked_arguments
def latent_spectrum(
    network: Network,
    observation: Observation | None = None,
    *,
    latents: AtLatents | None = None,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
    most_dense: Count = 1000,
    num_steps: Count = 100,
) -> Spectrum:
    """The eigenvalues of `latent_hessian`.

    most_dense: free units up to which all eigenvalues are computed; above, Ritz values of `num_steps` Lanczos steps.
    Other arguments and errors as for `latent_hessian`.
    """
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    size = posed.problem.structure.num_free
    if size == 0:
        raise UserError("latent_spectrum: no unit is free, all are clamped.")
    is_complete = size <= most_dense
    rows = size if is_complete else min(num_steps, size)
    check_fits(posed.batch_size or 1, rows, size, what="the spectrum")
    point = point_of(posed, latents, solver)
    found = run_over_examples(
        spectrum_at,
        posed.problem,
        point,
        batching=posed.batching,
        num_steps=0 if is_complete else num_steps,
    )
    return Spectrum(found.values, found.bounds, found.weights, is_complete)


@checked_arguments
def weight_hessian(
    network: Network,
    observation: Observation | None = None,
    *,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
) -> Float[Array, "weights weights"]:
    """The Hessian of the mean energy of the mode in the learned weights, (weights, weights), nats per example.

    Rows are in the order of `jax.flatten_util.ravel_pytree(pcmodel.weights_of(network))`.
    Arguments and errors as for `infer`; UserError for a matrix that does not fit in memory, or more than 4000 free units.
    """
    posed, size = _posed_for_weights(
        network, observation, prior=prior, modulation=modulation, clamp=clamp
    )
    check_fits(size, size, what="the Hessian of the weights")
    point = point_of(posed, None, solver)
    return _weight_hessian(posed.problem, point, batching=posed.batching)


@checked_arguments
def weight_spectrum(
    network: Network,
    observation: Observation | None = None,
    *,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
    most_dense: Count = 1000,
    num_steps: Count = 100,
) -> Spectrum:
    """The eigenvalues of `weight_hessian`.

    most_dense: learned weights up to which all eigenvalues are computed; above, Ritz values of `num_steps` Lanczos steps.
    Other arguments and errors as for `weight_hessian`.
    """
    posed, size = _posed_for_weights(
        network, observation, prior=prior, modulation=modulation, clamp=clamp
    )
    is_complete = size <= most_dense
    check_fits(size if is_complete else num_steps, size, what="the spectrum")
    point = point_of(posed, None, solver)
    steps = 0 if is_complete else num_steps
    found = _weight_spectrum(
        posed.problem, point, batching=posed.batching, num_steps=steps
    )
    return Spectrum(found.values, found.bounds, found.weights, is_complete)


def _posed_for_weights(
    network: Network, observation: Observation | None, **options: Any
) -> tuple[Posed, int]:
    """The problem, and the number of its learned weights; UserError for too many free units."""
    posed = pose(network, observation, **options)
    free = posed.problem.structure.num_free
    if free > MOST_FREE:
        raise UserError(
            f"{free} units are free",
            where="the curvature of the weights",
            expected=f"at most {MOST_FREE}: every example solves a dense system of that size",
        )
    leaves = jax.tree.leaves(learned_of(posed.problem))
    return posed, sum(leaf.size for leaf in leaves)


def energy_of(problem: Problem, point: Point, state: Array) -> Float[Array, ""]:
    """The energy of one example with other free units."""
    return jnp.sum(energies_at(problem, point._replace(state=state)))


def hessian_at(problem: Problem, point: Point) -> Float[Array, "free free"]:
    """The Hessian in the latents of one example."""
    return symmetric(jax.hessian(partial(energy_of, problem, point))(point.state))


def symmetric(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """The symmetric part, which differs from the matrix by rounding."""
    return 0.5 * (matrix + matrix.T)


def all_eigenvalues(matrix: Float[Array, "n n"]) -> RitzValues:
    """Eigenvalues, their bounds and weights, of a symmetric matrix."""
    values = jnp.linalg.eigvalsh(matrix)
    share = jnp.full_like(values, 1 / max(values.shape[0], 1))
    return RitzValues(values, jnp.zeros_like(values), share)


def spectrum_at(problem: Problem, point: Point, *, num_steps: int) -> RitzValues:
    """Eigenvalues, bounds and weights of one example's Hessian; all of them if `num_steps` is 0."""
    if num_steps == 0:
        return all_eigenvalues(hessian_at(problem, point))
    slope = jax.grad(partial(energy_of, problem, point))
    _, product = jax.linearize(slope, point.state)
    size, dtype = point.state.shape[0], point.state.dtype
    return ritz_values(product, size, num_steps, dtype)


@partial(jax.jit, static_argnames=("batching",))
@in_full_precision
def _weight_hessian(
    problem: Problem, point: Point, *, batching: Batching
) -> Float[Array, "weights weights"]:
    product, flat = weight_product(problem, point, batching)
    rows = jax.lax.map(product, jnp.eye(flat.shape[0], dtype=flat.dtype))
    return symmetric(rows)


@partial(jax.jit, static_argnames=("batching", "num_steps"))
@in_full_precision
def _weight_spectrum(
    problem: Problem, point: Point, *, batching: Batching, num_steps: int
) -> RitzValues:
    product, flat = weight_product(problem, point, batching)
    if num_steps == 0:
        rows = jax.lax.map(product, jnp.eye(flat.shape[0], dtype=flat.dtype))
        return all_eigenvalues(symmetric(rows))
    return ritz_values(product, flat.shape[0], num_steps, flat.dtype)


def weight_product(
    problem: Problem, point: Point, batching: Batching
) -> tuple[Callable[[Array], Array], Float[Array, " weights"]]:
    """The product of a vector with the mean Hessian of the energy of the mode, and the weights as one vector."""
    model = network_model(problem.structure)
    flat, unravel = ravel_pytree(as_optimised(model, learned_of(problem)))

    def slopes(own: Problem, point: Point, vector: Array, state: Array):
        """The gradients of one example's energy in the weights and in the latents."""

        def energy(vector: Array, state: Array) -> Array:
            weights = as_kept(model, unravel(vector))
            moved = with_parameters(own, weights, own.inputs.log_precisions)
            return energy_of(moved, point, state)

        return jax.grad(energy, argnums=(0, 1))(vector, state)

    def factored(own: Problem, point: Point):
        return lu_factor(hessian_at(own, point))

    def one(own: Problem, point: Point, factors: Any, along: Array) -> Array:
        state = point.state
        both = partial(slopes, own, point)
        straight, cross = jax.jvp(lambda w: both(w, state), (flat,), (along,))[1]
        if state.shape[0] == 0:
            return straight
        follows = -lu_solve(factors, cross)
        bent, _ = jax.jvp(lambda x: both(flat, x), (state,), (follows,))[1]
        return straight + bent

    factors = over_examples(factored, problem, point, batching=batching)

    def product(along: Float[Array, " weights"]) -> Float[Array, " weights"]:
        function = partial(one, along=along)
        each = over_examples(function, problem, point, factors, batching=batching)
        return mean_of(each, batching)

    return product, flat

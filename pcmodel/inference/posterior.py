r"""The Gauss-Newton Laplace posterior.

In whitened coordinates $z \sim N(z^*, (I + S^\top S)^{-1})$ at the mode; exact for a linear-Gaussian
hierarchy.  Latents are $x(z)$, so

- `variances` and `covariance` are of the linearised map, $T H^{-1} T^\top$ with $T = dx/dz$;
- `sample` perturbs and solves, $(I + S^\top S)\, d = \eta + S^\top \xi$ with standard normal $\eta, \xi$,
  so that $d \sim N(0, H^{-1})$ without a factor of $H$, and pushes $z^* + d$ through the network (its errors are then
  consistent with its latents, which learning needs);
- `log_evidence` is $-F$, $F = E(x^*) + \tfrac12 \log\det H_x - \tfrac n2 \log 2\pi$.  The Jacobian
  of x(z) is triangular, so the log determinant is that of $I + S^\top S$ plus known terms.

At a mode on a corner of the energy (`pcmodel.inference.certificates.corners`) the posterior is not Gaussian even locally:
it decays exponentially on both sides.  The results there are those of the Gaussian of one side, which one is
determined by rounding.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inference.linear.dual_primal import LinearSolver, choose, output_jacobian
from pcmodel.inference.linear.lanczos import lanczos_log_det
from pcmodel.inference.whitened import Linearisation, linearise, run_parts, unroll
from pcmodel.model.discrete_energy import data_energy
from pcmodel.model.energy import (
    below_tops_factor,
    state_from_latents,
)
from pcmodel.model.levels import Units, indices
from pcmodel.model.linalg import rows_of, solve_lower, take, unit_root
from pcmodel.model.precision import (
    LOG_TWO_PI,
    log_det,
    root_to_log_precision,
)
from pcmodel.model.problem import Problem, level_runs
from pcmodel.model.types import Latents

DIRECT_LOG_DET = 2048
"""Smaller side of S up to which log determinants and variances are exact."""


def row_log_det(problem: Problem) -> Float[Array, ""]:
    """log det of the precision that whitens the rows: 2 log |d rows / d data|.

    It includes the clamped units' marginal precisions and the beliefs about lower levels (given the top).  The free
    units' own precisions do not enter the evidence: their normalisers cancel with the change of variables to
    whitened errors.
    """
    structure = problem.structure
    total = jnp.zeros((), problem.inputs.gains[0].dtype)
    for run in level_runs(problem):
        if len(structure.clamped_units(run.first)):
            given = run_parts(problem, run).clamped
            total += jnp.sum(
                jax.vmap(log_det)(given) if run.is_stack else log_det(given)
            )
    for index in range(len(structure.beliefs)):
        if structure.below_tops(index):
            total += log_det(below_tops_factor(problem, index))
    return total


def smaller_root(matrix: Float[Array, "outputs free"]) -> Array:
    """Cholesky factor of I + S S' or I + S'S, whichever is smaller (their log determinants are equal)."""
    wide = matrix.shape[0] <= matrix.shape[1]
    return unit_root(matrix.T if wide else matrix)


def log_det_hessian(linear: Linearisation, key: Array | None) -> Float[Array, ""]:
    """log det (I + S'S): exact if one side of S is small or no key is given, else stochastic Lanczos."""
    size = min(linear.num_outputs, linear.gradient.shape[0])
    if size == 0:
        return jnp.zeros((), linear.gradient.dtype)
    if size <= DIRECT_LOG_DET or key is None:
        lower = smaller_root(output_jacobian(linear))
        return 2 * jnp.sum(jnp.log(jnp.diagonal(lower)))
    return lanczos_log_det(
        lambda v: v + linear.pull(linear.push(v)), key, linear.gradient
    )


def free_energy(
    problem: Problem, whitened: Float[Array, " free"], *, key: Array | None = None
) -> Float[Array, ""]:
    """Laplace -log evidence at a mode, nats; exact for linear-Gaussian networks.

    key: for a stochastic Lanczos log determinant of large problems; None: always exact.
    """
    unrolled = unroll(problem, whitened)
    curvature = log_det_hessian(linearise(problem, whitened), key)
    value = 0.5 * jnp.sum(whitened**2) + rows_energy(problem, unrolled.rows, curvature)
    if unrolled.logits is not None:
        value += data_energy(problem, unrolled.logits)
    return value


def rows_energy(
    problem: Problem, rows: Float[Array, " rows"], log_det_hessian: Float[Array, ""]
) -> Float[Array, ""]:
    """Contribution of the rows and of all determinants to the free energy, nats."""
    determinants = rows.shape[0] * LOG_TWO_PI - row_log_det(problem) + log_det_hessian
    return 0.5 * (jnp.sum(rows**2) + determinants)


def whitened_samples(
    problem: Problem,
    whitened: Float[Array, " free"],
    key: Array,
    num_samples: int,
    *,
    linear_solver: LinearSolver | None = None,
) -> Float[Array, "samples free"]:
    """Draws of the whitened errors from the Laplace posterior around a mode, by perturb-and-solve."""
    linear = linearise(problem, whitened)
    solver = linear_solver or choose(problem.structure, linear.num_outputs)
    prepared = solver.prepare(problem, whitened, linear, jnp.zeros((), whitened.dtype))
    # The residual bounds the norm of a draw's error in posterior standard deviations.
    share = 1e-8 if whitened.dtype == jnp.float64 else 3e-3
    target = jnp.asarray(share * max(whitened.shape[0], 1) ** 0.5, whitened.dtype)

    def product(vector: Array) -> Array:
        return vector + linear.pull(linear.push(vector))

    def solve(_, vector: Array) -> Array:
        return prepared.solve(vector, target).step

    def draw(sample_key: Array) -> Array:
        prior_key, output_key = jax.random.split(sample_key)
        rhs = jax.random.normal(prior_key, whitened.shape, whitened.dtype)
        if linear.num_outputs:
            shape = (linear.num_outputs,)
            rhs += linear.pull(jax.random.normal(output_key, shape, whitened.dtype))
        # Differentiated implicitly: the correction loop of the solve has no reverse mode.
        step = jax.lax.custom_linear_solve(product, rhs, solve, symmetric=True)
        return whitened + step

    return jax.vmap(draw)(jax.random.split(key, num_samples))


def sample_latents(
    problem: Problem, whitened: Float[Array, " free"], key: Array, num_samples: int
) -> Latents:
    """Laplace posterior draws of the latents, each array with a leading sample axis."""
    draws = whitened_samples(problem, whitened, key, num_samples)
    return jax.vmap(lambda z: unroll(problem, z).latents)(draws)


class Moments(NamedTuple):
    """Mode and marginal variances.

    mean: mode of the latents, one array per level, bottom first.
    variances: marginal Laplace variances, one array per level; 0 at clamped units and at a discrete level 0.
    """

    mean: Latents
    variances: Latents


def hessian_factor(linear: Linearisation) -> Float[Array, "free free"]:
    """Lower Cholesky factor of the whitened Hessian I + S'S."""
    return unit_root(output_jacobian(linear))


def whitened_covariance_root(
    problem: Problem, whitened: Float[Array, " free"]
) -> Float[Array, "free free"]:
    """R with R R' the Laplace covariance of the whitened errors, upper triangular."""
    lower = hessian_factor(linearise(problem, whitened))
    return solve_lower(lower, jnp.eye(whitened.shape[0], dtype=whitened.dtype)).T


def covariance_root(
    problem: Problem, whitened: Float[Array, " free"], units: np.ndarray | None = None
) -> Float[Array, "units free"]:
    """R with R R' the covariance of the flat state of free units (or of those numbered `units`)."""

    def to_state(z: Array) -> Array:
        return state_from_latents(problem.structure, unroll(problem, z).latents)

    lower = hessian_factor(linearise(problem, whitened))
    _, pull = jax.vjp(to_state, whitened)
    size, dtype = whitened.shape[0], whitened.dtype
    if units is None:
        tangents = rows_of(lambda row: pull(row)[0], size, dtype)
    else:
        rows = jnp.eye(size, dtype=dtype)[units]
        tangents = jax.vmap(lambda row: pull(row)[0])(rows)
    # T H^-1 T' = (L^-1 T')' (L^-1 T').
    return solve_lower(lower, tangents.T).T


def moments(problem: Problem, whitened: Float[Array, " free"]) -> Moments:
    """Mode and marginal variances of every level."""
    mean = unroll(problem, whitened).latents
    return Moments(mean, variances(problem, covariance_root(problem, whitened), mean))


def variances(
    problem: Problem, root: Float[Array, "free sources"], mean: Latents
) -> Latents:
    """Marginal variances, one array per level, from a root of the covariance."""
    structure = problem.structure
    flat = jnp.sum(root**2, axis=1)
    found = []
    for level, part in enumerate(structure.free_slices()):
        units = structure.free_units(level)
        if len(units) == structure.model.widths[level]:
            found.append(flat[part])
        else:
            found.append(jnp.zeros_like(mean[level]).at[units].set(flat[part]))
    return tuple(found)


def covariance(
    problem: Problem, whitened: Float[Array, " free"], first: int, second: int
) -> Float[Array, "width_first width_second"]:
    """Posterior covariance between the units of two levels (0 for clamped units)."""
    structure = problem.structure
    root = covariance_root(problem, whitened)
    slices, widths = structure.free_slices(), structure.model.widths
    block = root[slices[first]] @ root[slices[second]].T
    blank = jnp.zeros((widths[first], widths[second]), block.dtype)
    rows, columns = structure.free_units(first), structure.free_units(second)
    return blank.at[rows[:, None], columns[None, :]].set(block)


def joint_belief(
    problem: Problem, whitened: Float[Array, " free"], places: tuple[Units, ...]
) -> tuple[Float[Array, " n"], Float[Array, "n n"]]:
    """Joint mean and log-Cholesky precision of some levels, or units of levels, that are not clamped."""
    structure, latents = problem.structure, unroll(problem, whitened).latents
    units = np.concatenate([structure.free_places(place) for place in places])
    root = covariance_root(problem, whitened, units)
    widths = structure.model.widths
    mean = jnp.concatenate(
        [
            take(latents[place.level], indices(place, widths[place.level]))
            for place in places
        ]
    )
    return mean, root_to_log_precision(root)

r"""The evidence about chosen levels, separated from their prior.

Linearised at a mode, the latents of the chosen levels are $x_A = m_A + T z$, with z the whitened errors of all free
units; their prior, without any data and beliefs below the tops, has covariance $T T^\top$.  With $T^\top = Q R$ (thin
QR) and $Q_\perp$ an orthonormal complement, $a = Q^\top z$ are whitened coordinates of $x_A$.  Eliminating the others
leaves a Gaussian in a: prior precision I, evidence precision $J_w$, information vector $h_w$.  With the Jacobian S of the
data and of those beliefs split likewise, $S_A = S Q$ and $S_b = S Q_\perp$,

$$ J_w = S_A^\top (I + S_b S_b^\top)^{-1} S_A, \qquad h_w = (I + J_w) a , $$

so that J is positive semidefinite by construction and h lies in its range.  For a top a are its own whitened errors.
Exact for linear-Gaussian networks, the Gauss-Newton Laplace approximation otherwise.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inference.linear.dual_primal import output_jacobian
from pcmodel.inference.whitened import linearise, unroll
from pcmodel.model.energy import level_factor, state_from_latents
from pcmodel.model.levels import Units
from pcmodel.model.linalg import rows_of, solve_lower, solve_lower_transposed, unit_root
from pcmodel.model.precision import precision_matrix
from pcmodel.model.problem import Problem


class LevelEvidence(NamedTuple):
    """Prior, evidence and posterior of the free units of some levels, bottom first, in units of their latents unless
    stated.

    shift: x - m, posterior minus prior mean.
    prior_precision: P, precision of the prior, gains included; the inverse of their covariance without data and
        without beliefs about levels below the tops.
    evidence_precision: J.
    information: h = (J + P)(x - m).
    covariance: posterior covariance (J + P)^-1.
    root: R with R R' = covariance, accurate also where the product loses digits; upper triangular for a top.
    whitened: shift in prior standard deviations.
    spread: root in prior standard deviations, upper triangular, spread spread' = (I + J_w)^-1.
    half: half' half = J_w, the evidence precision in whitened units, without the rounding of the product.
    """

    shift: Float[Array, " units"]
    prior_precision: Float[Array, "units units"]
    evidence_precision: Float[Array, "units units"]
    information: Float[Array, " units"]
    covariance: Float[Array, "units units"]
    root: Float[Array, "units units"]
    whitened: Float[Array, " units"]
    spread: Float[Array, "units units"]
    half: Float[Array, "outputs units"]


def evidence_about(
    problem: Problem,
    whitened: Float[Array, " free"],
    levels: tuple[int | Units, ...] | None = None,
) -> LevelEvidence:
    """Prior, evidence and posterior of the free units of some levels, or of units of levels, at a mode (None: the last
    top)."""
    structure = problem.structure
    places = tuple(
        one if isinstance(one, Units) else Units(one)
        for one in levels or (structure.top,)
    )
    matrix = output_jacobian(linearise(problem, whitened))
    if places == (Units(structure.top),):
        return _about_last_top(problem, whitened, matrix)
    size = whitened.shape[0]
    units = np.concatenate([structure.free_places(place) for place in places])

    def to_units(z: Array) -> Array:
        state = state_from_latents(problem.structure, unroll(problem, z).latents)
        return state[units]

    _, push = jax.linearize(to_units, whitened)
    tangents = rows_of(push, size, whitened.dtype)
    basis, upper = jnp.linalg.qr(tangents, mode="complete")
    count = units.shape[0]
    rotated, upper = matrix @ basis, upper[:count]
    own = basis[:, :count].T @ whitened
    identity = jnp.eye(count, dtype=upper.dtype)
    inverse = solve_lower(upper.T, identity).T
    return _assembled(
        own,
        _half(rotated[:, count:], rotated[:, :count]),
        Coordinates(upper.T, inverse, inverse @ inverse.T),
    )


def _about_last_top(problem: Problem, whitened: Array, matrix: Array) -> LevelEvidence:
    """Of the last top, whose whitened errors are coordinates of its own."""
    part = problem.structure.free_slices()[-1]
    own = level_factor(problem, problem.structure.top)
    root = jnp.diag(own) if own.ndim == 1 else own
    identity = jnp.eye(root.shape[0], dtype=root.dtype)
    outward = solve_transposed(own, identity)
    return _assembled(
        whitened[part],
        _half(matrix[:, : part.start], matrix[:, part]),
        Coordinates(outward, root, precision_matrix(own)),
    )


class Coordinates(NamedTuple):
    """Whitened coordinates a of some units, x - m = outward a.

    outward: their root of the prior covariance, triangular.
    inward: transpose of its inverse, a root of the prior precision.
    precision: prior precision.
    """

    outward: Float[Array, "units units"]
    inward: Float[Array, "units units"]
    precision: Float[Array, "units units"]


def _half(between: Array, own: Array) -> Array:
    return solve_lower(unit_root(between.T), own)


def _assembled(whitened: Array, half: Array, own: Coordinates) -> LevelEvidence:
    evidence = half.T @ half
    # (I + J_w)^-1 = (L L')^-1 = L^-T L^-1.
    identity = jnp.eye(evidence.shape[0], dtype=evidence.dtype)
    spread = solve_lower(unit_root(half), identity).T
    covariance_root = own.outward @ spread
    return LevelEvidence(
        own.outward @ whitened,
        own.precision,
        own.inward @ evidence @ own.inward.T,
        own.inward @ (whitened + evidence @ whitened),
        covariance_root @ covariance_root.T,
        covariance_root,
        whitened,
        spread,
        half,
    )


def solve_transposed(own: Array, rhs: Array) -> Array:
    """F^-T rhs for a diagonal or triangular factor, vector or matrix right-hand side."""
    if own.ndim == 1:
        return rhs / (own if rhs.ndim == 1 else own[:, None])
    return solve_lower_transposed(own, rhs)

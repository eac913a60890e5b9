r"""The evidence about the top level, separated from its prior.

At a mode, eliminating all lower levels leaves a Gaussian in the top's free units: prior precision
$P$ (times its gain), evidence precision $J$, information vector $h$. In whitened units, with the Jacobian S split
into the columns of the lower levels ($S_b$) and of the top ($S_T$),

$$ J_w = S_T^\top (I + S_b S_b^\top)^{-1} S_T, \qquad h_w = (I + J_w) z_T , $$

so $J$ is positive semidefinite by construction and $h$ lies in its range.  Exact for linear-Gaussian
networks, the Gauss-Newton Laplace approximation otherwise.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.linear.dual_primal import output_jacobian
from pcmodel.inference.whitened import linearise
from pcmodel.model.energy import level_factor
from pcmodel.model.linalg import solve_lower, solve_lower_transposed, unit_root
from pcmodel.model.precision import precision_matrix
from pcmodel.model.problem import Problem


class EvidenceAtTop(NamedTuple):
    """Prior, evidence and posterior of the top level, in units of its latents unless stated.

    shift: x - m, posterior minus prior mean.
    prior_precision: P, prior precision times its gain.
    evidence_precision: J.
    information: h = (J + P)(x - m).
    covariance: posterior covariance (J + P)^-1.
    root: upper triangular R with R R' = covariance, accurate also where the product loses digits.
    whitened: shift in prior standard deviations.
    spread: root in prior standard deviations, spread spread' = (I + J_w)^-1.
    half: half' half = J_w, the evidence precision in whitened units, without the rounding of the product.
    """

    shift: Float[Array, " top"]
    prior_precision: Float[Array, "top top"]
    evidence_precision: Float[Array, "top top"]
    information: Float[Array, " top"]
    covariance: Float[Array, "top top"]
    root: Float[Array, "top top"]
    whitened: Float[Array, " top"]
    spread: Float[Array, "top top"]
    half: Float[Array, "outputs top"]


def evidence_at_top(problem: Problem, whitened: Float[Array, " free"]) -> EvidenceAtTop:
    """Prior, evidence and posterior of an unclamped top level at a mode."""
    part = problem.structure.free_slices()[-1]
    matrix = output_jacobian(linearise(problem, whitened))
    between, top = matrix[:, : part.start], matrix[:, part]
    half = solve_lower(unit_root(between.T), top)
    evidence = half.T @ half
    own = level_factor(problem, problem.structure.top)
    root = jnp.diag(own) if own.ndim == 1 else own
    # (I + J_w)^-1 = (L L')^-1 = L^-T L^-1.
    identity = jnp.eye(evidence.shape[0], dtype=evidence.dtype)
    spread = solve_lower(unit_root(half), identity).T
    # x - m = F^-T z, so matrices in z become F . F' (precisions) in x.
    covariance_root = solve_transposed(own, spread)
    return EvidenceAtTop(
        solve_transposed(own, whitened[part]),
        precision_matrix(own),
        root @ evidence @ root.T,
        root @ (whitened[part] + evidence @ whitened[part]),
        covariance_root @ covariance_root.T,
        covariance_root,
        whitened[part],
        spread,
        half,
    )


def solve_transposed(own: Array, rhs: Array) -> Array:
    """F^-T rhs for a diagonal or triangular factor, vector or matrix right-hand side."""
    if own.ndim == 1:
        return rhs / (own if rhs.ndim == 1 else own[:, None])
    return solve_lower_transposed(own, rhs)

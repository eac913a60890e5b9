r"""Belief revision: measures of the change of a belief by evidence.

**Revision** is $\rho = (x_L - m)^\top h / (h^\top J^+ h)$ with $J$ the precision of the evidence at the
top and $h = J (x_\text{evidence} - m)$ its information: at 0 the prior belief stays, at 1 the
belief is that of the evidence. For a linear network it is in [0, 1] and rises as the prior's gain
falls; neither holds for the Euclidean projection. For scalars it is $\Pi_{ev} / (\Pi_{ev} + g
\Pi_{top})$. When other levels are modulated, J itself changes, so the absolute shift is reported, too.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.infer import infer_one
from pcmodel.inference.level_evidence import LevelEvidence, evidence_about
from pcmodel.inference.solvers.solver import Solver
from pcmodel.model.energy import (
    below_tops_factor,
    energy,
    latents_from_state,
    level_energies,
    level_factor,
    state_from_latents,
)
from pcmodel.model.precision import log_normaliser
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents


class Revision(NamedTuple):
    """The revision of one belief by one piece of evidence.

    revision: rho.
    shift: |x - m|, in units of the top.
    belief: probability, under the posterior of the top, that each unit is the largest.
    surprise: KL(posterior | prior) of the top, nats (Bayesian surprise).
    entropy: differential entropy of the top's posterior, nats.
    energy_share: each level's share of the precision-weighted squared error.
    mode: the top's posterior mode.
    covariance: the top's posterior covariance.
    evidence_precision: trace of J over the top's width.
    residual: of inference.
    converged: whether inference converged.
    """

    revision: Float[Array, ""]
    shift: Float[Array, ""]
    belief: Float[Array, " top"]
    surprise: Float[Array, ""]
    entropy: Float[Array, ""]
    energy_share: Float[Array, " levels"]
    mode: Float[Array, " top"]
    covariance: Float[Array, "top top"]
    evidence_precision: Float[Array, ""]
    residual: Float[Array, ""]
    converged: Array


def revise(
    problem: Problem, key: Array, *, solver: Solver, num_samples: int = 512
) -> Revision:
    """The revision of the top belief by the evidence in `problem`; `num_samples` for `belief`."""
    result = infer_one(problem, solver)
    top = evidence_about(problem, result.whitened)
    errors = squared_errors(problem, result.latents)
    return Revision(
        revision_index(top),
        jnp.sqrt(jnp.sum(top.shift**2)),
        readout_belief(result.latents[-1], top.root, key, num_samples),
        surprise(top),
        entropy(top),
        errors / jnp.maximum(jnp.sum(errors), jnp.finfo(errors.dtype).tiny),
        result.latents[-1],
        top.covariance,
        jnp.trace(top.evidence_precision) / top.shift.shape[0],
        result.residual,
        result.converged,
    )


def revision_index(top: LevelEvidence) -> Float[Array, ""]:
    """rho; 0 where the evidence has no information.

    Computed in whitened coordinates with the singular values s of a root of J: with c the shift along
    a direction, its information is (1 + s^2) c. The eigenvalues of J would lose directions of low
    precision to rounding.
    """
    if not top.half.shape[0]:
        return jnp.zeros((), top.whitened.dtype)
    _, scales, directions = jnp.linalg.svd(top.half, full_matrices=False)
    shift = directions @ top.whitened
    kept = scales > 10 * jnp.finfo(scales.dtype).eps * scales[0]
    scales = jnp.where(kept, scales, 1)
    moved = jnp.sum(jnp.where(kept, (1 + scales**2) * shift**2, 0))
    full = jnp.sum(jnp.where(kept, ((scales + 1 / scales) * shift) ** 2, 0))
    # Written so that a NaN stays one.
    return jnp.where(full == 0, 0, moved / jnp.where(full == 0, 1, full))


def readout_belief(
    mode: Float[Array, " top"],
    root: Float[Array, "top top"],
    key: Array,
    num_samples: int,
) -> Float[Array, " top"]:
    """Probability of each unit being the largest, under N(mode, R R')."""
    noise = jax.random.normal(key, (num_samples, mode.shape[0]), mode.dtype)
    draws = mode[None] + noise @ root.T
    winners = jax.nn.one_hot(jnp.argmax(draws, axis=1), mode.shape[0], dtype=mode.dtype)
    return jnp.mean(winners, axis=0)


def surprise(top: LevelEvidence) -> Float[Array, ""]:
    """KL divergence of the top's posterior from its prior, nats."""
    log_det = 2 * jnp.sum(jnp.log(jnp.diagonal(top.spread)))
    squares = jnp.sum(top.spread**2) + jnp.sum(top.whitened**2)
    return 0.5 * (squares - top.shift.shape[0] - log_det)


def entropy(top: LevelEvidence) -> Float[Array, ""]:
    """Differential entropy of the top's posterior, nats."""
    width = top.shift.shape[0]
    log_det = 2 * jnp.sum(jnp.log(jnp.diagonal(top.root)))
    return 0.5 * (log_det + width * (1 + jnp.log(2 * jnp.pi)))


def squared_errors(problem: Problem, latents: Latents) -> Float[Array, " levels"]:
    """Half the precision-weighted squared error of each level: its energy minus normalisers."""
    return level_energies(problem, latents) - level_normalisers(problem)


def level_normalisers(problem: Problem) -> Float[Array, " levels"]:
    """The constant part of each level's energy."""
    structure = problem.structure
    parts = [
        jnp.zeros((), problem.inputs.gains[0].dtype)
        if level in structure.discrete_levels
        else log_normaliser(level_factor(problem, level), structure.model.widths[level])
        for level in range(structure.top + 1)
    ]
    for index, levels in enumerate(structure.beliefs):
        size = structure.below_tops(index)
        if size:
            parts[levels[0]] += log_normaliser(below_tops_factor(problem, index), size)
    return jnp.stack(parts)


def settling_time(problem: Problem, latents: Latents) -> Float[Array, ""]:
    """1 / smallest eigenvalue of the state-space Hessian of the energy at a mode.

    It is the time constant of the slowest direction of gradient inference (`StateDescent`), in units
    of 1 / gradient rate; NaN where the eigenvalue is within rounding errors.
    """

    def at(state: Array) -> Array:
        return energy(problem, latents_from_state(problem, state))

    hessian = jax.hessian(at)(state_from_latents(problem.structure, latents))
    rates = jnp.linalg.eigvalsh(hessian)
    # Eigenvalues have the rounding error of the largest; ten times that is accurate to a tenth.
    known = rates[0] > 10 * rates.shape[0] * jnp.finfo(rates.dtype).eps * rates[-1]
    return jnp.where(known, 1 / rates[0], jnp.nan)

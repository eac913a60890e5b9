r"""Exact EM of linear-Gaussian hierarchies.

The posterior of all levels is Gaussian.  With $u_l$ the latents of the parents of level l and, if its layer has a bias, a
1, the M-step of the layers is the regression of $x_l$ on $u_l$ under the posterior, and that of the precisions the moment
of its errors,

$$ [W, b] = \Big(\sum E[x_l u_l^\top]\Big) \Big(\sum E[u_l u_l^\top]\Big)^{-1}, \qquad
   \Pi^{-1} = \frac1n \sum E[e_l e_l^\top] , $$

summed over examples and over all levels that share the layer, or the precision.  Over time steps this is the EM
algorithm of a linear dynamical system (Shumway & Stoffer 1982, J Time Ser Anal 3:253; Ghahramani & Hinton 1996,
CRG-TR-96-2).  Where levels with different precisions share a layer their terms are weighted by the present
precisions, which raises the evidence as well (ECM, Meng & Rubin 1993, Biometrika 80:267).

At a rate below 1, and under a modulation, it is the step of `pcmodel.learning.linear.maximisation`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.learning.linear.maximisation import Plan, Step, maximised
from pcmodel.learning.linear.moments import (
    Parameters,
    model_moments,
    posterior_moments,
)
from pcmodel.model.problem import Structure
from pcmodel.model.slopes import Factors


class EmStep(NamedTuple):
    """One EM step.

    parameters: after it.
    log_evidence: log p of each example before it, under its modulation, nats; 0 of one without a share.
    """

    parameters: Parameters
    log_evidence: Float[Array, " batch"]


def linear_em_step(
    parameters: Parameters,
    values: tuple[Array, ...],
    *,
    structure: Structure,
    plan: Plan,
    rate: Array | float | None = None,
    factors: Factors | None = None,
    weights: Float[Array, " batch"] | None = None,
) -> EmStep:
    """One exact EM step on a batch, for one network; `vmap` over networks, their rates and modulations.

    values: clamped values of each level, (batch, units).
    rate: share of the way from the present to the batch's sufficient statistics, in [0, 1]; None for all of it.
    factors: of the modulation under which the batch is experienced (`factors_of`); None without one.
    weights: of each example, not negative, of any scale: 0 for one that is not there; None for equal ones. Where all are
        0 nothing moves.
    """
    count = values[0].shape[0]
    given = jnp.ones((count,)) if weights is None else jnp.asarray(weights)
    given = given.astype(parameters.weights["prior_mean"].dtype)
    total = jnp.sum(given)
    shares = given / jnp.where(total > 0, total, 1)
    moments, evidence = posterior_moments(
        parameters, values, shares, structure=structure, factors=factors
    )
    own = None
    if rate is not None or weights is not None:
        rate = jnp.asarray(1.0 if rate is None else rate, given.dtype)
        rate = jnp.where(total > 0, rate, 0)
        own = model_moments(parameters, structure=structure, factors=factors)
    step = Step(rate, own, factors)
    moved = maximised(parameters, moments, step, model=structure.model, plan=plan)
    return EmStep(moved, jnp.where(given > 0, evidence, 0))


def linear_em_steps(
    parameters: Parameters,
    values: tuple[Array, ...],
    *,
    structure: Structure,
    plan: Plan,
    num_steps: int,
    rate: Array | None = None,
    factors: Factors | None = None,
) -> tuple[Parameters, Float[Array, " steps_and_one"]]:
    """`num_steps` EM steps: the new parameters, and the log evidence of all examples before each step and at the end.

    Arguments as for `linear_em_step`.
    """

    def step(parameters: Parameters, _) -> tuple[Parameters, Array]:
        found = linear_em_step(
            parameters,
            values,
            structure=structure,
            plan=plan,
            rate=rate,
            factors=factors,
        )
        return found.parameters, jnp.sum(found.log_evidence)

    end, evidence = jax.lax.scan(step, parameters, length=num_steps)
    shares = jnp.ones((values[0].shape[0],)) / values[0].shape[0]
    _, last = posterior_moments(
        end, values, shares, structure=structure, factors=factors
    )
    return end, jnp.append(evidence, jnp.sum(last))

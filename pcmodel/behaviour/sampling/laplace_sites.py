r"""Gaussian stand-ins for the likelihood of each series, and the conditionals they give in closed form.

With $\log p(y_s \mid \theta_s) \approx -\tfrac12 \theta_s' H_s \theta_s + h_s' \theta_s$,
the posterior of a participant's standard normals $v$ given the group's coordinates is
Gaussian,

$v \mid \beta, L \sim N(M^{-1} L'(g - C \beta),\ M^{-1}), \quad M = I + L' A L$,

with $A = \sum_s Z_s' H_s Z_s$, $C = \sum_s Z_s' H_s X_s$, $g = \sum_s Z_s' h_s$ over the
participant's series, and the group's own posterior is known up to a constant. In the coordinates
$z$, $v = M^{-1} L'(g - C\beta) + R'^{-1} z$ with $M = R R'$, participants are nearly
independent of the group and of unit scale whatever the group
is: centred where their data are informative, non-centred where they are not, and all in between
(compare Papaspiliopoulos, Roberts & Skoeld 2007, Stat Sci 22:59). The stand-in affects
how fast a chain mixes, never what it converges to.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pcmodel.behaviour.hierarchy.layout import Layout
from pcmodel.behaviour.sampling.small_matrices import (
    cholesky,
    solve_lower,
    solve_lower_transposed,
)


class StandIn(NamedTuple):
    """Gaussian likelihoods, summed over each participant's series and over all."""

    precision: Float[Array, "participants varying varying"]  # A
    coupling: Float[Array, "participants varying effects"]  # C
    shift: Float[Array, "participants varying"]  # g
    common_precision: Float[Array, "effects effects"]
    common_shift: Float[Array, " effects"]


class Conditional(NamedTuple):
    """The participants given the group, under the stand-in."""

    mean: Float[Array, "participants varying"]
    root: Float[Array, "participants varying varying"]  # R, lower; M = R R'


def nothing_known(layout: Layout) -> StandIn:
    """The stand-in without data: participants are standard normal."""
    num_varying, num_effects = layout.varying.shape[2], layout.common.shape[2]
    people = layout.num_participants
    return StandIn(
        jnp.zeros((people, num_varying, num_varying)),
        jnp.zeros((people, num_varying, num_effects)),
        jnp.zeros((people, num_varying)),
        jnp.zeros((num_effects, num_effects)),
        jnp.zeros(num_effects),
    )


def sum_series(
    layout: Layout,
    precision: Float[Array, "series parameters parameters"],
    shift: Float[Array, "series parameters"],
) -> StandIn:
    """The stand-in from the $H_s$ and $h_s$ of each series."""

    def by_participant(values: Array) -> Array:
        return jax.ops.segment_sum(values, layout.participant, layout.num_participants)

    x, z = jnp.asarray(layout.common), jnp.asarray(layout.varying)
    weighted = jnp.einsum("spk,spq->skq", z, precision)
    return StandIn(
        by_participant(jnp.einsum("skq,sqj->skj", weighted, z)),
        by_participant(jnp.einsum("skq,sqe->ske", weighted, x)),
        by_participant(jnp.einsum("spk,sp->sk", z, shift)),
        jnp.einsum("spe,spq,sqf->ef", x, precision, x),
        jnp.einsum("spe,sp->e", x, shift),
    )


def condition(
    stand_in: StandIn,
    effects: Float[Array, " effects"],
    spreads: Float[Array, "varying varying"],
) -> Conditional:
    """The participants' standard normals given the group."""
    matrix = spreads.T @ stand_in.precision @ spreads + jnp.eye(len(spreads))[None]
    root = cholesky(matrix)
    pull = (stand_in.shift - stand_in.coupling @ effects) @ spreads
    mean = solve_lower_transposed(root, solve_lower(root, pull))
    return Conditional(mean, root)


def spread_out(
    given: Conditional, whitened: Float[Array, "participants varying"]
) -> Float[Array, "participants varying"]:
    r"""$v$ from $z$."""
    return given.mean + solve_lower_transposed(given.root, whitened)


def whiten(
    given: Conditional, people: Float[Array, "participants varying"]
) -> Float[Array, "participants varying"]:
    r"""$z$ from $v$."""
    return jnp.einsum("nkj,nk->nj", given.root, people - given.mean)


def log_volume(given: Conditional) -> Float[Array, ""]:
    r"""$\log |dv/dz|$ summed over participants."""
    return -jnp.sum(jnp.log(jnp.diagonal(given.root, axis1=-2, axis2=-1)))


def log_evidence(
    stand_in: StandIn,
    effects: Float[Array, " effects"],
    spreads: Float[Array, "varying varying"],
) -> Float[Array, ""]:
    """Log likelihood of the group's coordinates, participants integrated out."""
    given = condition(stand_in, effects, spreads)
    pull = jnp.einsum("nkj,nk->nj", given.root, given.mean)
    common = stand_in.common_shift - 0.5 * stand_in.common_precision @ effects
    return effects @ common + 0.5 * jnp.sum(pull**2) + log_volume(given)

r"""A hierarchy's design matrices stacked over parameters, as linear algebra needs them.

The estimated parameters of series $s$, one after the other, are
$\theta_s = X_s \beta + Z_s L v_i$, with $\beta$ all common effects, $v_i$ the standard
normals of its participant $i$ and $L$ block-diagonal, $D_p$ times the Cholesky root of
$\Omega_p$ for each parameter $p$.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpyro.distributions import biject_to, constraints

from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy, Term
from pcmodel.behaviour.hierarchy.priors.spreads import log_slope, log_spread

Places = Mapping[str, Array]  # unconstrained values by the name of their site


class Layout(NamedTuple):
    """Stacked design matrices.

    common: the columns of common effects, each in the row of its parameter.
    varying: the columns of varying effects, each in the row of its parameter.
    participant: of each series, counted from 0.
    num_participants: the number of people.
    """

    common: Float[np.ndarray, "series parameters effects"]
    varying: Float[np.ndarray, "series parameters varying"]
    participant: Int[np.ndarray, " series"]
    num_participants: int


def lay_out(hierarchy: Hierarchy) -> Layout:
    """Stack the designs of all terms."""
    terms = hierarchy.terms
    return Layout(
        _block([term.design.common for term in terms]),
        _block([term.design.varying for term in terms]),
        hierarchy.participant,
        hierarchy.num_participants,
    )


def _block(columns: list[np.ndarray]) -> np.ndarray:
    """Each parameter's columns in its own row of every series."""
    widths = [part.shape[1] for part in columns]
    found = np.zeros((len(columns[0]), len(columns), sum(widths)))
    for row, (part, stop) in enumerate(zip(columns, np.cumsum(widths), strict=True)):
        found[:, row, stop - part.shape[1] : stop] = part
    return found


def effects_of(hierarchy: Hierarchy, places: Places) -> Float[Array, " effects"]:
    r"""All common effects $\beta$."""
    return jnp.concatenate(
        [
            term.effect_mean
            + term.effect_sd * jnp.asarray(places[f"{term.parameter.name}.common"])
            for term in hierarchy.terms
        ]
    )


def spreads_of(hierarchy: Hierarchy, places: Places) -> Float[Array, "varying varying"]:
    r"""The root $L$ of the covariance over participants."""
    blocks = [_spread(term, places) for term in hierarchy.terms if is_varying(term)]
    if not blocks:
        return jnp.zeros((0, 0))
    return jax.scipy.linalg.block_diag(*blocks)


def is_varying(term: Term) -> bool:
    """Whether participants differ in the parameter."""
    return bool(term.design.varying_names)


def _spread(term: Term, places: Places) -> Array:
    """The root of one parameter's covariance over participants."""
    name, size = term.parameter.name, len(term.design.varying_names)
    spread = term.spread_scale * jnp.exp(jnp.asarray(places[f"{name}.scale"]))
    if f"{name}.root" not in places:
        return jnp.diag(spread)
    root = biject_to(constraints.corr_cholesky)(places[f"{name}.root"])
    return spread[:, None] * root.reshape(size, size)


def standard_normals(
    hierarchy: Hierarchy, people: Float[Array, "participants varying"]
) -> dict[str, Array]:
    """The participants' coordinates by the name of their site."""
    found, start = {}, 0
    for term in filter(is_varying, hierarchy.terms):
        stop = start + len(term.design.varying_names)
        found[f"{term.parameter.name}.person"] = people[:, start:stop]
        start = stop
    return found


def group_places(
    hierarchy: Hierarchy, group: Float[Array, " group"]
) -> dict[str, Array]:
    """The group's unconstrained values by the name of their site, from its flat vector.

    The vector has standard normals where the prior is normal or half-normal (`log_spread`).
    """
    return {
        name: log_spread(own) if _is_spread(name) else own
        for name, own in _pieces(hierarchy, group).items()
    }


def group_volume(
    hierarchy: Hierarchy, group: Float[Array, " group"]
) -> Float[Array, ""]:
    """Log Jacobian of `group_places`."""
    found = jnp.zeros((), group.dtype)
    for name, own in _pieces(hierarchy, group).items():
        if _is_spread(name):
            found = found + jnp.sum(log_slope(own, log_spread(own)))
    return found


def _pieces(hierarchy: Hierarchy, group: Float[Array, " group"]) -> dict[str, Array]:
    """The part of the flat vector that belongs to each site."""
    found, start = {}, 0
    for name, size in group_sizes(hierarchy).items():
        found[name] = group[start : start + size]
        start += size
    return found


def _is_spread(site: str) -> bool:
    return site.endswith(".scale")


def group_sizes(hierarchy: Hierarchy) -> dict[str, int]:
    """The number of unconstrained coordinates of each of the group's sites."""
    found = {}
    for term in hierarchy.terms:
        name, varying = term.parameter.name, len(term.design.varying_names)
        found[f"{name}.common"] = len(term.design.common_names)
        if varying:
            found[f"{name}.scale"] = varying
        if f"{name}.root" in hierarchy.group_sites():
            found[f"{name}.root"] = varying * (varying - 1) // 2
    return found

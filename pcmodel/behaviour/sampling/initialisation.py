"""Initial values of sampling: Gaussian stand-ins at the mode, and the group's Laplace approximation.

A hierarchy's joint mode is at zero spread, so spreads are fixed while participants and
effects are optimised, and then set to the mode of their density with participants
integrated out under the stand-in; two or three rounds converge.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpyro.infer.util import potential_energy
from scipy.optimize import minimize

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    NUMPYRO,
    Hierarchy,
    hierarchical_model,
    with_held,
)
from pcmodel.behaviour.hierarchy.layout import (
    effects_of,
    group_places,
    group_sizes,
    group_volume,
    lay_out,
    spreads_of,
    standard_normals,
)
from pcmodel.behaviour.sampling.coordinates import (
    Coordinates,
    Frame,
    change_stand_in,
    given_group,
    no_whitening,
    num_group,
    num_varying,
    parameters_of,
    part,
)
from pcmodel.behaviour.sampling.laplace_sites import (
    StandIn,
    log_evidence,
    nothing_known,
    spread_out,
    sum_series,
)

ROUNDS = 3
FIRST_NORMAL = -0.3  # of a spread: half of the prior's scale
CURVATURE_FLOOR = 0.5  # of the group, in standard-normal coordinates the prior gives 1
FLATTEST = 1e-6  # curvature of a likelihood in any direction, at least
REACH = 3.0  # units of a parameter: largest distance of its Gaussian's centre
MOST_ITERATIONS = 200
DIFFERENCE = 1e-4  # step of central differences


class Beginning(NamedTuple):
    """Where chains start.

    frame: in which the chains' initial distribution is standard normal.
    mode: in the coordinates of the frame's stand-in.
    """

    frame: Frame
    mode: Coordinates


class Finder(NamedTuple):
    """Compiled functions for one design."""

    linearise: Callable  # (plain, stand-in, data) -> a new stand-in
    change: Callable  # (old, new, plain) -> plain
    evidence: Callable  # (group, stand-in) -> minus log evidence and its slope


def build_finder(hierarchy: Hierarchy) -> Finder:
    """Compile for one design; the data are arguments."""
    layout = lay_out(hierarchy)

    def linearise(plain: Coordinates, stand_in: StandIn, data: Any) -> StandIn:
        places = group_places(hierarchy, plain.group)
        people = spread_out(given_group(hierarchy, stand_in, plain.group), plain.people)
        values = parameters_of(hierarchy, places, people)
        return sum_series(layout, *second_order(hierarchy, values, data))

    def negative(group: Array, stand_in: StandIn) -> Array:
        return -group_log_density(hierarchy, group, stand_in)

    return Finder(
        jax.jit(linearise),
        jax.jit(partial(change_stand_in, hierarchy)),
        jax.jit(jax.value_and_grad(negative)),
    )


def second_order(
    hierarchy: Hierarchy, values: Float[Array, "series parameters"], data: Any
) -> tuple[Array, Array]:
    """$H_s$, made convex, and $h_s$ of the Gaussian tangent to each log likelihood."""
    names = [term.parameter.name for term in hierarchy.terms]
    held = with_held(hierarchy, {})

    def total(own: Array, fixed: Any, trials: Any) -> Array:
        known = dict(zip(names, own, strict=True)) | fixed
        return hierarchy.model.log_likelihood(known, trials).sum()

    def slopes(at: Array) -> Array:
        return jax.vmap(jax.jacfwd(total))(at, held, data)

    # Central differences of slopes: second derivatives take longer to compile than to run.
    nudges = DIFFERENCE * jnp.eye(len(names))
    around = jnp.concatenate([jnp.zeros((1, len(names))), nudges, -nudges])
    slope, *found = jax.vmap(lambda nudge: slopes(values + nudge[None]))(around)
    rising, falling = jnp.split(jnp.stack(found), 2)
    curvature = jnp.moveaxis(rising - falling, 0, 1) / (2.0 * DIFFERENCE)
    curvature = 0.5 * (curvature + jnp.swapaxes(curvature, 1, 2))
    usable = jnp.isfinite(curvature).all((1, 2)) & jnp.isfinite(slope).all(1)
    curvature = jnp.where(usable[:, None, None], -curvature, 0.0)
    sizes, directions = jnp.linalg.eigh(curvature)
    shift = jnp.where(usable[:, None], slope, 0.0)
    # Where a likelihood is steep with little curvature its Gaussian would be centred far outside the prior, and the
    # group's spreads would become as wide.
    steep = jnp.abs(jnp.einsum("spk,sp->sk", directions, shift)) / REACH
    sizes = jnp.maximum(jnp.maximum(sizes, FLATTEST), steep)
    precision = jnp.einsum("spk,sk,sqk->spq", directions, sizes, directions)
    return precision, shift + jnp.einsum("spq,sq->sp", precision, values)


def group_log_density(
    hierarchy: Hierarchy, group: Float[Array, " group"], stand_in: StandIn
) -> Float[Array, ""]:
    """Log density of the group's coordinates, participants integrated out under the stand-in."""
    places = group_places(hierarchy, group)
    centre = jnp.zeros((hierarchy.num_participants, num_varying(hierarchy)))
    model = partial(hierarchical_model, hierarchy)
    sites = places | standard_normals(hierarchy, centre)
    with NUMPYRO:
        prior = -potential_energy(model, (), {}, sites)
    effects, spreads = effects_of(hierarchy, places), spreads_of(hierarchy, places)
    prior = prior + group_volume(hierarchy, group)
    return prior + log_evidence(stand_in, effects, spreads)


def first_coordinates(hierarchy: Hierarchy) -> Coordinates:
    """The centre of the prior, with spreads below their scale."""
    scales = {f"{term.parameter.name}.scale" for term in hierarchy.terms}
    group = [
        np.full(size, FIRST_NORMAL if name in scales else 0.0)
        for name, size in group_sizes(hierarchy).items()
    ]
    shape = (hierarchy.num_participants, num_varying(hierarchy))
    return Coordinates(jnp.asarray(np.concatenate(group)), jnp.zeros(shape))


def begin(hierarchy: Hierarchy, finder: Finder, slope: Callable) -> Beginning:
    """Find the mode, the stand-in and the group's covariance.

    slope: `slope(coordinates, frame)`, the potential and its gradients.
    """
    plain, stand_in = first_coordinates(hierarchy), nothing_known(lay_out(hierarchy))
    white = no_whitening(
        num_group(hierarchy), hierarchy.num_participants, num_varying(hierarchy)
    )
    for _ in range(ROUNDS):
        place = _climb(hierarchy, plain, partial(slope, frame=Frame(stand_in, white)))
        new = finder.linearise(place, stand_in, hierarchy.data)
        place = finder.change(stand_in, new, place)
        place = place._replace(group=_most_probable(finder, place.group, new))
        value, _ = slope(place, Frame(new, white))
        if not all(np.isfinite(part).all() for part in (value, *place)):
            break  # chains start from the last finite place
        plain, stand_in = place, new
    root = _laplace_root(_curvature(finder, plain.group, stand_in))
    whitening = white._replace(group_centre=plain.group, group_root=jnp.asarray(root))
    return Beginning(Frame(stand_in, whitening), plain)


def _climb(hierarchy: Hierarchy, plain: Coordinates, slope: Callable) -> Coordinates:
    """The mode at these spreads."""
    sizes = group_sizes(hierarchy)
    effects = {f"{term.parameter.name}.common" for term in hierarchy.terms}
    free = np.ones(plain.flat().size)
    free[: sum(sizes.values())] = np.concatenate(
        [np.full(size, name in effects) for name, size in sizes.items()]
    )

    def value_and_slope(vector: np.ndarray) -> tuple[float, np.ndarray]:
        at = part(jnp.asarray(vector), len(plain.group), hierarchy.num_participants)
        value, gradients = slope(at)
        return float(value), free * np.asarray(Coordinates(*gradients).flat())

    found = minimize(
        value_and_slope,
        np.asarray(plain.flat(), float),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MOST_ITERATIONS},
    )
    return part(jnp.asarray(found.x), len(plain.group), hierarchy.num_participants)


def _most_probable(finder: Finder, group: Array, stand_in: StandIn) -> Array:
    def value_and_slope(vector: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = finder.evidence(jnp.asarray(vector), stand_in)
        return float(value), np.asarray(slope, float)

    found = minimize(
        value_and_slope, np.asarray(group, float), jac=True, method="L-BFGS-B"
    )
    return jnp.asarray(found.x)


def _curvature(finder: Finder, group: Array, stand_in: StandIn) -> np.ndarray:
    """Central differences of the slope of the group's minus log density."""
    nudges = DIFFERENCE * np.eye(len(group))
    rows = [
        np.asarray(finder.evidence(group + nudge, stand_in)[1])
        - np.asarray(finder.evidence(group - nudge, stand_in)[1])
        for nudge in nudges
    ]
    return np.stack(rows) / (2.0 * DIFFERENCE)


def _laplace_root(curvature: np.ndarray) -> np.ndarray:
    """Lower root of the inverse of a curvature, made convex."""
    if not np.isfinite(curvature).all():
        return np.eye(len(curvature))
    sizes, directions = np.linalg.eigh(0.5 * (curvature + curvature.T))
    sizes = np.maximum(sizes, CURVATURE_FLOOR)
    return np.linalg.cholesky((directions / sizes) @ directions.T)

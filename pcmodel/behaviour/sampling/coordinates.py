r"""The flat vector that a sampler updates, and its density.

Three changes of variables relate it to the model's own sites, each with its log Jacobian:
an affine one that gives the group's coordinates, and each participant's, zero mean and
unit covariance (`Whitening`, adapted during warm-up); participants conditioned on
the group (`stand_in`); and NumPyro's own to unconstrained values.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpyro.infer.util import constrain_fn, potential_energy

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    NUMPYRO,
    Hierarchy,
    hierarchical_model,
    series_totals,
)
from pcmodel.behaviour.hierarchy.layout import (
    Places,
    effects_of,
    group_places,
    group_sizes,
    group_volume,
    lay_out,
    spreads_of,
    standard_normals,
)
from pcmodel.behaviour.sampling.laplace_sites import (
    Conditional,
    StandIn,
    condition,
    log_volume,
    spread_out,
    whiten,
)


class Coordinates(NamedTuple):
    """The sampler's coordinates; in the flat vector the group is first, then one participant after the other.

    group: shared by all participants.
    people: of each participant.
    """

    group: Float[Array, " group"]
    people: Float[Array, "participants varying"]

    def flat(self) -> Float[Array, " size"]:
        """Both as one vector."""
        return jnp.concatenate([self.group, self.people.ravel()])


class Whitening(NamedTuple):
    """Centres and lower Cholesky factors of covariances.

    group_centre: of the group.
    group_root: of the group.
    people_centre: of each participant.
    people_root: of each participant.
    """

    group_centre: Float[Array, " group"]
    group_root: Float[Array, "group group"]
    people_centre: Float[Array, "participants varying"]
    people_root: Float[Array, "participants varying varying"]


class Frame(NamedTuple):
    """What determines the map from the flat vector to the model's sites.

    stand_in: Gaussian approximation of the likelihoods.
    whitening: the affine map.
    """

    stand_in: StandIn
    whitening: Whitening


def part(
    vector: Float[Array, " size"], num_group: int, num_participants: int
) -> Coordinates:
    """The group's and participants' coordinates in a flat vector."""
    people = vector[num_group:]
    varying = people.size // num_participants
    people = people.reshape(num_participants, varying)
    return Coordinates(vector[:num_group], people)


def no_whitening(num_group: int, num_participants: int, varying: int) -> Whitening:
    """The identity map."""
    eye = np.eye(varying)
    return Whitening(
        jnp.zeros(num_group),
        jnp.eye(num_group),
        jnp.zeros((num_participants, varying)),
        jnp.tile(jnp.asarray(eye), (num_participants, 1, 1)),
    )


def unwhiten(whitening: Whitening, white: Coordinates) -> Coordinates:
    """Coordinates before whitening, from white ones."""
    return Coordinates(
        whitening.group_centre + whitening.group_root @ white.group,
        whitening.people_centre
        + jnp.einsum("nkj,nj->nk", whitening.people_root, white.people),
    )


def make_white(whitening: Whitening, plain: Coordinates) -> Coordinates:
    """The inverse of `unwhiten`."""
    solve = partial(jax.scipy.linalg.solve_triangular, lower=True)
    return Coordinates(
        solve(whitening.group_root, plain.group - whitening.group_centre),
        jax.vmap(solve)(whitening.people_root, plain.people - whitening.people_centre),
    )


def given_group(
    hierarchy: Hierarchy, stand_in: StandIn, group: Float[Array, " group"]
) -> Conditional:
    """The participants' distribution given the group, under the Gaussian stand-in."""
    places = group_places(hierarchy, group)
    return condition(
        stand_in, effects_of(hierarchy, places), spreads_of(hierarchy, places)
    )


def places_of(
    hierarchy: Hierarchy, stand_in: StandIn, plain: Coordinates
) -> tuple[dict[str, Array], Float[Array, ""]]:
    """Unconstrained values by site, and the log Jacobian of the map to them."""
    places = group_places(hierarchy, plain.group)
    volume = group_volume(hierarchy, plain.group)
    if not plain.people.size:
        return places, volume
    given = given_group(hierarchy, stand_in, plain.group)
    people = spread_out(given, plain.people)
    return places | standard_normals(hierarchy, people), volume + log_volume(given)


def potential(
    hierarchy: Hierarchy, white: Coordinates, frame: Frame, data: Any
) -> Float[Array, ""]:
    """Minus the log density of the white coordinates, up to a constant."""
    places, volume = sites_of(hierarchy, white, frame)
    model = partial(hierarchical_model, hierarchy)
    with NUMPYRO:
        return potential_energy(model, (data,), {}, places) - volume


def energies(
    hierarchy: Hierarchy, white: Coordinates, frame: Frame, data: Any
) -> Float[Array, " participants"]:
    """Each participant's own part of the potential, given the group."""
    plain = unwhiten(frame.whitening, white)
    given = given_group(hierarchy, frame.stand_in, plain.group)
    people = spread_out(given, plain.people)
    values = parameters_of(hierarchy, group_places(hierarchy, plain.group), people)
    named = {
        term.parameter.name: values[:, i] for i, term in enumerate(hierarchy.terms)
    }
    totals = series_totals(hierarchy, named, data)
    own = jax.ops.segment_sum(totals, hierarchy.participant, hierarchy.num_participants)
    return 0.5 * jnp.sum(people**2, axis=1) - own


def parameters_of(
    hierarchy: Hierarchy, places: Places, people: Float[Array, "participants varying"]
) -> Float[Array, "series parameters"]:
    """The estimated parameters of every series."""
    layout = lay_out(hierarchy)
    own = people @ spreads_of(hierarchy, places).T
    varying = jnp.einsum("spk,sk->sp", layout.varying, own[layout.participant])
    return jnp.asarray(layout.common) @ effects_of(hierarchy, places) + varying


def sites_of(
    hierarchy: Hierarchy, white: Coordinates, frame: Frame
) -> tuple[dict[str, Array], Float[Array, ""]]:
    """Unconstrained values by site from white coordinates, and the log Jacobian."""
    return places_of(hierarchy, frame.stand_in, unwhiten(frame.whitening, white))


def constrained(
    hierarchy: Hierarchy, white: Coordinates, frame: Frame, data: Any
) -> dict[str, Array]:
    """The values of all of the model's sites, those derived from others included."""
    places, _ = sites_of(hierarchy, white, frame)
    model = partial(hierarchical_model, hierarchy)
    with NUMPYRO:
        return constrain_fn(model, (data,), {}, places, return_deterministic=True)


def num_group(hierarchy: Hierarchy) -> int:
    """Number of coordinates shared by all participants."""
    return sum(group_sizes(hierarchy).values())


def num_varying(hierarchy: Hierarchy) -> int:
    """Number of coordinates of each participant."""
    return sum(len(term.design.varying_names) for term in hierarchy.terms)


def change_stand_in(
    hierarchy: Hierarchy, old: StandIn, new: StandIn, plain: Coordinates
) -> Coordinates:
    """The same participants in the coordinates of another stand-in."""
    if not plain.people.size:
        return plain
    people = spread_out(given_group(hierarchy, old, plain.group), plain.people)
    return plain._replace(
        people=whiten(given_group(hierarchy, new, plain.group), people)
    )

"""People who are not in a fit: their parameters, and how well their responses are predicted.

A new person's parameters are drawn from the population that the fit found, a draw of the group for each. The density of
all of the person's responses together is averaged over these, so that a model cannot adapt to the person: it is the
leave-one-person-out density that compares models of people (cross-validation with whole people left out).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from pcmodel.behaviour.models import ParticipantModel
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.errors import UserError

BATCH = 64  # draws computed at once


class PeoplePrediction(NamedTuple):
    """How well people are predicted who were left out.

    log_density: of all responses of a series together, nats.
    effective_draws: that the average rests on; where they are few, the log density is uncertain and most often too low.
    """

    log_density: Float[np.ndarray, " series"]
    effective_draws: Float[np.ndarray, " series"]


def draw_people(
    key: Key[Array, ""], posterior: Posterior, num_people: int
) -> dict[str, Float[np.ndarray, " people"]]:
    """By name the parameters of people who are not in the fit, those that were held fixed included.

    UserError for a fit in which people differ by more than an intercept: whose values a new person has is not known.
    """
    hierarchy = posterior.hierarchy
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in posterior.sites.items()}
    total = len(next(iter(flat.values())))
    pick_key, *keys = jax.random.split(key, 1 + len(hierarchy.terms))
    picks = np.asarray(jax.random.randint(pick_key, (num_people,), 0, total))
    found = {name: np.full(num_people, value) for name, value in hierarchy.held.items()}
    for own_key, term in zip(keys, hierarchy.terms, strict=True):
        name, design = term.parameter.name, term.design
        columns = (*design.common_names, *design.varying_names)
        if set(columns) != {"Intercept"}:
            raise UserError(
                f"{name!r} depends on {', '.join(dict.fromkeys(columns))}",
                where="posterior",
                expected="a fit without conditions: a new person's are not known",
            )
        value = flat[name][picks, 0]
        if design.varying_names:
            normal = np.asarray(jax.random.normal(own_key, (num_people,)))
            value = value + flat[f"{name}_sd"][picks, 0] * normal
        found[name] = value
    return found


def predict_people(
    model: ParticipantModel, people: Mapping[str, np.ndarray], data: Any
) -> PeoplePrediction:
    """The density of each series' responses, averaged over `people` (`draw_people`).

    data: of the series that were left out, as `model.prepare` returns them.
    """
    values = {name: jnp.asarray(own) for name, own in people.items()}
    return average_density(np.asarray(_totals(model, values, data)))


@partial(jax.jit, static_argnums=0)
def _totals(
    model: ParticipantModel, values: dict[str, Array], data: Any
) -> Float[Array, "people series"]:
    """Log likelihood (nats) of each series with the parameters of each person."""

    def one(own: dict[str, Array]) -> Array:
        each = jax.vmap(model.log_likelihood, in_axes=(None, 0))(own, data)
        return each.sum(axis=-1)

    return jax.lax.map(one, values, batch_size=BATCH)


def average_density(terms: Float[np.ndarray, "draws series"]) -> PeoplePrediction:
    """The log of the mean of densities, and how many draws it rests on."""
    most = terms.max(axis=0)
    weights = np.exp(terms - most)
    total = weights.sum(axis=0)
    return PeoplePrediction(
        most + np.log(total / len(terms)), total**2 / (weights**2).sum(axis=0)
    )

"""Simulated people with and without a drug, fitted at every size that its effect may have."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.models import ParticipantModel
from pcmodel.behaviour.sampling.map_estimates import (
    QUICK,
    climb,
    free_parameters,
    place_values,
)
from pcmodel.behaviour.studies.possible import IMPOSSIBLE, Pool, first_possible

NUM_STEPS = 6  # of scoring, from the truth

Shift = dict[str, Float[Array, ""]]  # added to each parameter under the drug


def scaled(size: float | Array, weights: Shift) -> Shift:
    """The shift that is `size` times another."""
    return {name: size * weight for name, weight in weights.items()}


@partial(jax.jit, static_argnums=0, compiler_options=QUICK)
def draw_pool(
    model: ParticipantModel, key: Key[Array, ""], data: Any, shift: Shift
) -> Pool:
    """People drawn around the prior's centre, with the prior's spreads.

    Each is the first of a few draws that the model itself does not exclude with the shift: a single
    person excluded at the true size would decide any study.
    """
    free = free_parameters(model)
    share = np.asarray([p.spread / np.hypot(p.sd, p.spread) for p in free])

    def attempt(key: Key[Array, ""], own: Any) -> Pool:
        place_key, *keys = jax.random.split(key, 3)
        place = jnp.asarray(share) * jax.random.normal(place_key, (len(free),))
        sessions = _sessions(model, place, shift)
        drawn = jax.vmap(model.simulate)(jnp.stack(keys), sessions, own)
        scores = jax.vmap(model.log_likelihood)(sessions, drawn)
        return Pool(place, drawn, jnp.all(scores > IMPOSSIBLE))

    return first_possible(attempt, key, data)


def _sessions(
    model: ParticipantModel, place: Array, shift: Shift
) -> dict[str, Float[Array, " 2"]]:
    """One person's parameters without and with the drug."""
    values = place_values(model, place)
    return {n: jnp.stack([v, v + shift[n]]) for n, v in values.items()}


@partial(jax.jit, static_argnums=0, compiler_options=QUICK)
def profile_pool(
    model: ParticipantModel,
    pool: Pool,
    weights: Shift,
    grid: Array,
    used: Bool[Array, " trials"],
) -> Float[Array, "people sizes"]:
    """Penalised log likelihood of each person, fitted at every size of an account, nats."""

    def at(place: Array, data: Any, size: Array) -> Array:
        shift = scaled(size, weights)

        def terms(tried: Array) -> Array:
            both = jax.vmap(model.log_likelihood)(_sessions(model, tried, shift), data)
            return jnp.where(used[None, :], both, 0.0).ravel()

        best = climb(terms, place, num_steps=NUM_STEPS)
        return terms(best).sum() - 0.5 * jnp.sum(best**2)

    def person(place: Array, data: Any) -> Array:
        return jax.vmap(lambda size: at(place, data, size))(grid)

    return jax.lax.map(lambda own: person(*own), (pool.place, pool.data), batch_size=8)

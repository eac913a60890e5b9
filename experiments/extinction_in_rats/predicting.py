"""What a model says of rats: the density of those left out, and simulated freezing under each protocol."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models import ConditioningModel
from pcmodel.behaviour.posterior.left_out import PeoplePrediction, average_density

from .protocol import GROUPS, as_series


def predict_rats(
    model: ConditioningModel, people: dict[str, np.ndarray], left: Series
) -> PeoplePrediction:
    """`predict_people`, with what is expected computed once for each protocol instead of each rat."""
    values = {name: jnp.asarray(own) for name, own in people.items()}
    blank = as_series(np.full((len(GROUPS), left.present.shape[1]), np.nan), GROUPS)
    group = np.asarray([GROUPS.index(g) for g in left.covariates["group"]])
    data, protocols = model.prepare(left), model.prepare(blank)
    return average_density(np.asarray(_totals(model, values, data, protocols, group)))


@partial(jax.jit, static_argnums=0)
def _totals(
    model: ConditioningModel, values: Any, data: Any, protocols: Any, group: jax.Array
) -> jax.Array:
    """Log likelihood (nats) of each rat with the parameters of each drawn one, (draws, rats)."""

    def one(own):
        mean = jax.vmap(model.mean_response, in_axes=(None, 0))(own, protocols)
        each = jax.vmap(model.score, in_axes=(None, 0, 0))(own, mean[group], data)
        return each.sum(axis=-1)

    return jax.lax.map(one, values, batch_size=256)


@partial(jax.jit, static_argnums=0)
def draw_freezing(
    model: ConditioningModel, key: jax.Array, values: dict[str, jax.Array], data: Any
) -> jax.Array:
    """Simulated freezing of each rat under each group's protocol, (rats, groups, rows)."""

    def one(given):
        own_key, own = given
        each = jax.random.split(own_key, len(GROUPS))
        drawn = jax.vmap(model.simulate, in_axes=(0, None, 0))(each, own, data)
        return model.responses(drawn)

    keys = jax.random.split(key, len(next(iter(values.values()))))
    return jax.lax.map(one, (keys, values), batch_size=64)

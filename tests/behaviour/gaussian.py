"""A participant model whose posterior is known: responses are normal around one number."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models import Parameter
from pcmodel.behaviour.models.interface import Course


class Data(NamedTuple):
    response: Array
    scored: Array


@dataclass(frozen=True)
class GaussianModel:
    """y ~ N(level + held, 1)."""

    parameters: tuple[Parameter, ...] = (
        Parameter("level", 1.0, 2.0, 1.0, names=("height",)),
        Parameter("held", 0.25, 1.0, free=False),
    )

    def prepare(self, series):
        response = series.values["response"]
        scored = np.isfinite(response)
        return Data(jnp.asarray(np.nan_to_num(response)), jnp.asarray(scored))

    def log_likelihood(self, values, data):
        error = data.response - values["level"] - values["held"]
        return jnp.where(data.scored, -0.5 * (error**2 + jnp.log(2 * jnp.pi)), 0.0)

    def simulate(self, key, values, data):
        noise = jax.random.normal(key, data.response.shape)
        return data._replace(response=values["level"] + values["held"] + noise)

    def course(self, values, data):
        return Course((jnp.full_like(data.response, values["level"]),), ())

    def responses(self, data):
        return jnp.where(data.scored, data.response, jnp.nan)


def make_series(responses, *, people=None, **covariates):
    """Series of the given responses, NaN missing."""
    responses = np.asarray(responses, float)
    people = np.arange(len(responses)) if people is None else np.asarray(people)
    return Series(
        {"response": responses},
        np.ones(responses.shape, bool),
        people,
        {name: np.asarray(values) for name, values in covariates.items()},
        {"response": int(np.isnan(responses).sum())},
    )

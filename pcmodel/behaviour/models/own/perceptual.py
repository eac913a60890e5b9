"""A perceptual model of a user's own, as a filter of this package.

A class with `parameters` and three methods, of which the docstrings of `OwnPerception` say what they are given. Values come on
their natural scales, by their natural names; everything that a trial leaves to the next is in one state, of any names.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pcmodel.behaviour.models.filters import Filter
from pcmodel.behaviour.models.interface import Parameter, Values
from pcmodel.behaviour.perception import Beliefs, IndependentArms, Inputs, Prediction
from pcmodel.behaviour.perception.interface import bernoulli_log_probability, choose


@dataclass(frozen=True)
class OwnPerception:
    """A perceptual model whose functions are those of a user's object.

    Attributes:
        own: an object with `init(values)`, the state before the first trial; `predict(values, state)`, the expected outcome
            (the probability of a 1); `update(values, state, outcome)`, the state after a trial; and, if it has one,
            `precision(values, state)`, above 0.
    """

    own: Any

    def init(self, parameters: Values) -> Beliefs:
        kind = jnp.result_type(float, *parameters.values())
        state = jax.tree.map(
            lambda leaf: jnp.asarray(leaf, kind), self.own.init(parameters)
        )
        return self._beliefs(parameters, state)

    def predict(self, parameters: Values, beliefs: Beliefs) -> Prediction:
        return Prediction(beliefs.mean[0], beliefs.mean, beliefs.precision, ())

    def update(
        self,
        parameters: Values,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        state = self.own.update(parameters, beliefs.state, trial.outcome)
        state = jax.tree.map(
            lambda new, old: jnp.asarray(new, old.dtype), state, beliefs.state
        )
        return choose(trial.seen, self._beliefs(parameters, state), beliefs)

    def log_evidence(
        self, parameters: Values, prediction: Prediction, trial: Inputs
    ) -> Float[Array, ""]:
        chance = jnp.clip(prediction.outcome, 0.0, 1.0)
        return bernoulli_log_probability(trial.outcome, chance)

    def _beliefs(self, parameters: Values, state: Any) -> Beliefs:
        kind = jnp.result_type(float, *parameters.values())
        mean = jnp.asarray(self.own.predict(parameters, state), kind)
        precision: tuple = ()
        if hasattr(self.own, "precision"):
            precision = (jnp.asarray(self.own.precision(parameters, state), kind),)
        return Beliefs((mean,), precision, jnp.asarray(True), state)


def own_filter(own: Any, num_arms: int | None = None) -> Filter:
    """The user's object as a filter of one value, or of one for each option."""
    parameters = tuple(own.parameters)
    one = OwnPerception(own)
    model: Any = one if num_arms is None else IndependentArms(one, num_arms)
    return Filter(model, parameters, NaturalValues(parameters))


@dataclass(frozen=True)
class NaturalValues:
    """From values on the real line to those on the natural scales, by their natural names.

    Attributes:
        parameters: the user's.
    """

    parameters: tuple[Parameter, ...]

    def __call__(self, values: Values) -> dict[str, Array]:
        return {
            p.natural_name: _natural(p, jnp.asarray(values[p.name]))
            for p in self.parameters
        }


def _natural(parameter: Parameter, value: Array) -> Array:
    if parameter.transform == "logistic":
        return jax.nn.sigmoid(value)
    if parameter.transform == "exp" and parameter.floor:
        return jnp.hypot(jnp.exp(value), parameter.floor)
    return jnp.exp(value) if parameter.transform == "exp" else value

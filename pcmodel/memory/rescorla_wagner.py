r"""A rival without causes: one weight for each stimulus, moved by the error (Rescorla & Wagner 1972).

$w \leftarrow w + \eta\, x\, (r - x^\top w)$. It is what the latent-cause model becomes as its concentration goes to 0, clock and
amnestic agents included, and has no way to keep an old memory beside a new one.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Bool, Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import check_range, checked_arguments
from pcmodel.inputs.arrays import is_traced, read_numbers
from pcmodel.inputs.ranges import Count, Range
from pcmodel.memory.latent_causes import num_iterations
from pcmodel.memory.trials import Trials, check_one_animal


class RescorlaWagnerParameters(NamedTuple):
    """Parameters of one animal.

    learning_rate: share of the error that one iteration corrects, per unit of stimulus squared.
    initial_weight: of every feature.
    response_threshold: prediction at which the response is one half.
    response_scale: standard deviation of the response's threshold.
    """

    learning_rate: Any = 0.3
    initial_weight: Any = 0.0
    response_threshold: Any = 0.02
    response_scale: Any = 0.01


class ValueHistory(NamedTuple):
    """What one animal without causes expected; 0 on trials that are not present.

    prediction: of the outcome before it, in its unit.
    response: conditioned response, 0 to 1.
    weights: after each trial.
    variances: of the weights after each trial; 0 where the learner is sure of them.
    diverged: whether numbers left the range of their type.
    """

    prediction: Float[Array, " trials"]
    response: Float[Array, " trials"]
    weights: Float[Array, "trials features"]
    variances: Float[Array, "trials features"]
    diverged: Bool[Array, ""]


RANGES = {
    "learning_rate": Range(0.0),
    "initial_weight": Range(),
    "response_threshold": Range(),
    "response_scale": Range(0.0, open="least"),
}
PLAIN = RescorlaWagnerParameters()


@checked_arguments
def learn_values(
    trials: Trials,
    parameters: RescorlaWagnerParameters = PLAIN,
    *,
    max_iterations: Count = 3,
) -> ValueHistory:
    """What one animal expects.

    max_iterations: of learning after one trial, at most.

    Raises UserError for parameters out of range or of a wrong shape, and for trials of several animals.
    """
    check_one_animal(trials)
    numbers = checked_numbers(parameters, RANGES, trials)
    return _learn(trials, numbers, max_iterations)


def checked_numbers(parameters: Any, ranges: dict[str, Range], trials: Trials) -> Any:
    """The named tuple's numbers as arrays of the trials' type; UserError for those out of range or of a wrong shape."""
    found, features = {}, trials.stimuli.shape[-1]
    for name, given in parameters._asdict().items():
        values = read_numbers(given, where=name)
        # More numbers than one would otherwise be spread over trials.
        shapes = ((), (features,)) if name == "initial_weight" else ((),)
        if np.shape(values) not in shapes:
            raise UserError(
                f"has the shape {np.shape(values)}",
                where=name,
                expected=" or ".join(map(str, shapes)),
            )
        for number in () if is_traced(values) else np.ravel(values):
            check_range(float(number), ranges[name], where=name)
        found[name] = jnp.asarray(values, trials.time.dtype)
    return type(parameters)(**found)


@partial(jax.jit, static_argnames="max_iterations")
def _learn(
    trials: Trials, parameters: RescorlaWagnerParameters, max_iterations: int
) -> ValueHistory:
    features = trials.stimuli.shape[1]
    iterations = num_iterations(trials, max_iterations)

    def trial(weights: Array, row: tuple[Trials, Array]) -> tuple[Array, Any]:
        at, rounds = row
        x, rate = at.stimuli, parameters.learning_rate * at.learning_gain

        def iterate(_: Array, w: Array) -> Array:
            learned = w + rate * x * (at.outcome - x @ w)
            return learned * (1.0 - at.amnesia)

        learned = jax.lax.fori_loop(
            0, jnp.where(at.present, rounds, 0), iterate, weights
        )
        value = jnp.where(at.present, x @ weights, 0.0)
        return learned, (value, learned)

    start = jnp.broadcast_to(parameters.initial_weight, (features,))
    _, (value, weights) = jax.lax.scan(trial, start, (trials, iterations))
    return history_of(value, weights, jnp.zeros_like(weights), trials, parameters)


def history_of(
    value: Array, weights: Array, variances: Array, trials: Trials, parameters: Any
) -> ValueHistory:
    """Predictions with their responses."""
    scaled = (value - parameters.response_threshold) / parameters.response_scale
    return ValueHistory(
        value,
        jnp.where(trials.present, ndtr(scaled), 0.0),
        weights,
        variances,
        ~(jnp.all(jnp.isfinite(weights)) & jnp.all(jnp.isfinite(variances))),
    )

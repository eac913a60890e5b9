r"""What an animal expects of a stimulus: latent causes, one cause, or Rescorla-Wagner.

Each is a function from parameters and trials to the outcome expected before each trial, $V$, in units of the outcome. The
rivals have no second memory: nothing that they unlearned comes back with time.
"""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.memory import CauseHistory, CauseOptions, CauseParameters, Soft, Trials
from pcmodel.memory import learn_causes as infer_causes

Values = dict[str, Array]

LEARNING_RATE = Parameter(
    "learning_rate_logit",
    -1.0,
    1.5,
    0.7,
    about="logit of the share of an error that is corrected at once",
    natural="learning_rate",
    transform="logistic",
    unit="share of the error, for a stimulus of 1",
    published="eta (Gershman et al. 2017); alpha beta_1 (Rescorla & Wagner 1972)",
)
INITIAL_WEIGHT = Parameter(
    "initial_weight",
    0.2,
    0.2,
    0.1,
    about="outcome that a memory not met before expects of a stimulus",
    unit="of the outcome / stimulus",
    published="w_0 (Gershman et al. 2017)",
)
MEMORY = (
    Parameter(
        "log_concentration",
        0.0,
        2.0,
        0.7,
        about="log weight of a new cause against a trial one iteration ago; 0 on the natural scale: never another",
        natural="concentration",
        transform="exp",
        published="alpha (Gershman et al. 2017)",
    ),
    Parameter(
        "log_temporal_decay",
        -0.7,
        0.7,
        0.3,
        about="log exponent with which the weight of past trials falls with time",
        natural="temporal_decay",
        transform="exp",
        published="g (Gershman et al. 2017)",
    ),
    Parameter(
        "outcome_log_precision",
        1.0,
        1.5,
        0.7,
        about="log precision granted to the outcome around its prediction",
        natural="outcome_precision",
        transform="exp",
        unit="1 / the outcome's unit squared",
        published="1 / sigma_r^2 (Gershman et al. 2017)",
    ),
    Parameter(
        "log_stimulus_variance",
        0.0,
        1.0,
        free=False,
        about="log variance of the stimuli of one cause",
        natural="stimulus_variance",
        transform="exp",
        unit="the stimuli's unit squared",
        published="sigma_x^2 (Gershman et al. 2017)",
    ),
)
EXTINCTION_RATE = Parameter(
    "extinction_rate_logit",
    -1.0,
    1.5,
    0.7,
    about="logit of the rate on trials without an outcome",
    natural="extinction_rate",
    transform="logistic",
    unit="share of the error, for a stimulus of 1",
    published="alpha beta_2 (Rescorla & Wagner 1972)",
)


@runtime_checkable
class Learner(Protocol):
    """What is learned over the trials of one animal."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters, on the real line."""
        ...

    def expect(self, values: Values, trials: Trials) -> Float[Array, " trials"]:
        """The outcome expected before each trial; 0 on trials that are not present."""
        ...


@dataclass(frozen=True)
class LatentCauses:
    """Every trial belongs to one of several causes, each with its own expectation (Gershman et al. 2017).

    Attributes:
        options: places for causes, iterations between trials, and what is remembered of a trial's cause: `Soft()` is
            differentiable, as fits need it; `Map()` is the paper's, for simulation.
        naive: a cause not met before expects nothing, instead of the fitted `initial_weight`.
    """

    options: CauseOptions = CauseOptions(10, 10, Soft())
    naive: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        weight = INITIAL_WEIGHT
        if self.naive:
            weight = replace(weight, mean=0.0, free=False)
        return (*MEMORY[:2], LEARNING_RATE, weight, *MEMORY[2:])

    def history(self, values: Values, trials: Trials) -> CauseHistory:
        """All that is inferred, with the number of causes and whether places were too few."""
        return infer_causes(trials, cause_parameters(values), options=self.options)

    def expect(self, values: Values, trials: Trials) -> Float[Array, " trials"]:
        return self.history(values, trials).prediction


@dataclass(frozen=True)
class SingleCause:
    """The same with one cause for ever, the limit of a concentration of 0: what is learned later overwrites.

    Attributes:
        max_iterations: of learning after one trial, at most.
    """

    max_iterations: int = 10

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (LEARNING_RATE, INITIAL_WEIGHT)

    def expect(self, values: Values, trials: Trials) -> Float[Array, " trials"]:
        zero = jnp.zeros_like(values["initial_weight"])
        parameters = CauseParameters(
            concentration=zero,
            learning_rate=jax.nn.sigmoid(values["learning_rate_logit"]),
            initial_weight=values["initial_weight"],
        )
        options = CauseOptions(1, self.max_iterations, Soft())
        return infer_causes(trials, parameters, options=options).prediction


@dataclass(frozen=True)
class RescorlaWagner:
    """One weight for each stimulus, corrected once a trial, at one rate with and another without an outcome.

    Rescorla & Wagner (1972) with their two rates. Time plays no part.
    """

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (LEARNING_RATE, EXTINCTION_RATE, INITIAL_WEIGHT)

    def expect(self, values: Values, trials: Trials) -> Float[Array, " trials"]:
        reinforced = jax.nn.sigmoid(values["learning_rate_logit"])
        omitted = jax.nn.sigmoid(values["extinction_rate_logit"])

        def step(weights: Array, trial: Trials) -> tuple[Array, Array]:
            expected = trial.stimuli @ weights
            rate = jnp.where(trial.outcome != 0.0, reinforced, omitted)
            error = trial.outcome - expected
            learned = weights + rate * trial.learning_gain * error * trial.stimuli
            weights = jnp.where(trial.present, learned, weights)
            return weights, jnp.where(trial.present, expected, 0.0)

        start = jnp.full(trials.stimuli.shape[-1], values["initial_weight"])
        return jax.lax.scan(step, start.astype(trials.time.dtype), trials)[1]


def cause_parameters(values: Values) -> CauseParameters:
    """The parameters of `pcmodel.memory` from those on the real line; the response's are left alone."""
    return CauseParameters(
        concentration=jnp.exp(values["log_concentration"]),
        temporal_decay=jnp.exp(values["log_temporal_decay"]),
        learning_rate=jax.nn.sigmoid(values["learning_rate_logit"]),
        initial_weight=values["initial_weight"],
        outcome_log_precision=values["outcome_log_precision"],
        stimulus_variance=jnp.exp(values["log_stimulus_variance"]),
    )

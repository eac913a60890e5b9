r"""Choices among options with binary outcomes: any filter with the softmax.

With `volatile_choice` the inverse temperature falls with the predicted volatility,
$\log\beta_t = \log\beta - \hat\mu_3$, with $\log\beta$ fixed at 0 as in TAPAS's
`softmax_mu3`: this assumes that the noise of choices is the volatility. TAPAS takes $\mu_3$ after
the outcome of the trial, which whoever chooses has not seen yet.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.binary import score
from pcmodel.behaviour.models.filters import (
    Filter,
    perceived_course,
    perceived_trials,
    response_quantities,
)
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.perception import Inputs, Prediction, make_inputs, perceive
from pcmodel.behaviour.perception.quantities import Quantities, Quantity
from pcmodel.behaviour.responses import (
    ChoiceParameters,
    as_trace,
    chosen_log_probability,
    traced_log_probabilities,
    update_trace,
)

RESPONSE = (
    Parameter(
        "log_beta",
        1.5,
        0.7,
        0.5,
        about="log inverse temperature of choice",
        natural="inverse_temperature",
        transform="exp",
        unit="1 / probability",
        published="beta; TAPAS `be` of softmax; twice hBayesDM's `tau` (bandit2arm_delta) and "
        "`beta` (prl_rp), whose outcomes are -1 and 1",
    ),
    Parameter(
        "stickiness",
        0.5,
        1.0,
        0.7,
        about="log odds for repeating the last choice",
        unit="log odds",
        published="perseveration; not in TAPAS `softmax` and hBayesDM `bandit2arm_delta`, "
        "where it is 0",
    ),
    Parameter(
        "lapse_logit",
        -4.0,
        1.0,
        free=False,
        about="logit of the probability of choosing blindly",
        natural="lapse",
        transform="logistic",
        unit="probability",
        published="epsilon; hBayesDM `xi` (bandit4arm_lapse)",
    ),
)

TRACE_RESPONSE = (
    RESPONSE[0],
    replace(
        RESPONSE[1],
        about="log odds that a full trace of past choices adds to its option",
        published="phi, the weight of the choice kernel; beta_c (Wilson & Collins 2019)",
    ),
    RESPONSE[2],
    Parameter(
        "trace_rate_logit",
        0.0,
        1.5,
        0.7,
        about="logit of the weight of the last choice in the trace; 1 on the natural scale: it alone",
        natural="trace_rate",
        transform="logistic",
        unit="share a trial",
        published="tau; alpha_c (Wilson & Collins 2019)",
    ),
)
VOLATILE_RESPONSE = (
    replace(
        RESPONSE[0],
        mean=0.0,
        spread=0.0,
        free=False,
        about="log inverse temperature of choice at a volatility of 0",
        published="0 in TAPAS `softmax_mu3`, where mu_3 is the belief after the trial's outcome; here "
        "it is the prediction before it",
    ),
    *RESPONSE[1:],
)


class BanditData(NamedTuple):
    """The trials of one series.

    inputs: outcomes; `inputs.arm` is the choice, from 0, whether or not its outcome was seen.
    scored: whether a choice was made.
    last_choice: the choice before each trial, from 0; -1 for none.
    potential: the outcome that each option would have given, 0 or 1.
    """

    inputs: Inputs
    scored: Bool[Array, "*trials"]
    last_choice: Int[Array, "*trials"]
    potential: Float[Array, "*trials arms"]


@dataclass(frozen=True)
class BanditModel:
    """A filter with a belief for each option, and a softmax choice rule.

    Attributes:
        filter: the perceptual model.
        num_arms: the number of options.
        volatile_choice: whether the inverse temperature falls with the predicted volatility.
        choice_trace: whether choices are drawn to a decaying trace of all past choices, instead of to the last alone.
    """

    filter: Filter
    num_arms: int
    volatile_choice: bool = False
    choice_trace: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        response = VOLATILE_RESPONSE if self.volatile_choice else RESPONSE
        trace = TRACE_RESPONSE[3:] if self.choice_trace else ()
        if self.choice_trace and not self.volatile_choice:
            response = TRACE_RESPONSE[:3]
        return (*self.filter.parameters, *response, *trace)

    def prepare(self, series: Series) -> BanditData:
        """The data of each series.

        The outcomes of options that were not chosen are unknown. They are drawn with the
        share of wins that the option gave in the same series, so that simulated people do
        the same task, without its reversals.
        """
        choice, outcome = series.values["choice"], series.values["outcome"]
        made = np.isfinite(choice)
        arm = np.where(made, choice - 1.0, 0.0).astype(int)
        inputs = make_inputs(np.where(made, outcome, np.nan), arm=arm)
        return BanditData(
            inputs,
            jnp.asarray(made),
            jnp.asarray(last_choices(arm, made)),
            jnp.asarray(_potential(arm, outcome, made, self.num_arms)),
        )

    def _remember(self, values: Values, trace: Array, arm: Array, made: Array) -> Array:
        """The trace of past choices after a trial: without `choice_trace` the last choice alone."""
        rate = jax.nn.sigmoid(values["trace_rate_logit"]) if self.choice_trace else 1.0
        return update_trace(trace, arm, made, jnp.asarray(rate, trace.dtype))

    def _past_traces(
        self, values: Values, data: BanditData
    ) -> Float[Array, "trials arms"]:
        """The trace of past choices before each trial."""
        potential = data.potential
        if not self.choice_trace:
            return as_trace(data.last_choice, potential)

        def step(trace: Array, trial: tuple) -> tuple[Array, Array]:
            return self._remember(values, trace, *trial), trace

        start = jnp.zeros(self.num_arms, potential.dtype)
        return jax.lax.scan(step, start, (data.inputs.arm, data.scored))[1]

    def _chooser(self, values: Values, prediction: Prediction) -> ChoiceParameters:
        log_beta = values["log_beta"]
        if self.volatile_choice:
            log_beta = log_beta - prediction.mean[1]
        return ChoiceParameters(log_beta, values["stickiness"], values["lapse_logit"])

    def log_likelihood(
        self, values: Values, data: BanditData
    ) -> Float[Array, " trials"]:
        trace = perceive(self.filter.model, self.filter.build(values), data.inputs)
        chosen = chosen_log_probability(
            self._chooser(values, trace.prediction),
            trace.prediction.outcome,
            self._past_traces(values, data),
            data.inputs.arm,
        )
        return score(chosen, trace, data.scored)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: BanditData
    ) -> BanditData:
        """The data with simulated choices, and their outcomes from `data.potential`."""
        parameters, model = self.filter.build(values), self.filter.model

        def step(carry, trial):
            beliefs, past, last = carry
            trial_key, scored, shown, potential = trial
            prediction = model.predict(parameters, beliefs)
            chooser = self._chooser(values, prediction)
            every = traced_log_probabilities(chooser, prediction.outcome, past)
            arm = jax.random.categorical(trial_key, every).astype(last.dtype)
            seen = Inputs(potential[arm], shown, arm)
            beliefs = model.update(parameters, beliefs, prediction, seen)
            past = self._remember(values, past, arm, scored)
            return (beliefs, past, jnp.where(scored, arm, last)), (seen, last)

        keys = jax.random.split(key, data.scored.shape[0])
        nobody = jnp.full_like(data.inputs.arm[0], -1)
        past = jnp.zeros(self.num_arms, data.potential.dtype)
        start = (model.init(parameters), past, nobody)
        shown = data.scored & data.inputs.seen
        trials = (keys, data.scored, shown, data.potential)
        inputs, last = jax.lax.scan(step, start, trials)[1]
        return data._replace(inputs=inputs, last_choice=last)

    def course(self, values: Values, data: BanditData) -> Course:
        return perceived_course(self.filter, values, data.inputs)

    def trial_quantities(self, values: Values, data: BanditData) -> Quantities:
        trace, told = perceived_trials(
            self.filter, values, data.inputs, chosen=data.scored
        )
        chooser = self._chooser(values, trace.prediction)
        past = self._past_traces(values, data)
        every = traced_log_probabilities(chooser, trace.prediction.outcome, past)
        predicted = {
            Quantity(
                f"predicted_response_option{arm + 1}",
                "response",
                "probability",
                f"probability of choosing option {arm + 1}",
            ): jnp.exp(every[:, arm])
            for arm in range(self.num_arms)
        }
        chosen = jnp.take_along_axis(every, data.inputs.arm[:, None], axis=1)[:, 0]
        return told | response_quantities(predicted, chosen, data.scored)

    def responses(self, data: BanditData) -> Float[Array, "*shape"]:
        arm = data.inputs.arm.astype(data.potential.dtype)
        return jnp.where(data.scored, arm, jnp.nan)


def last_choices(
    arm: Int[np.ndarray, "series trials"], made: Bool[np.ndarray, "series trials"]
) -> Int[np.ndarray, "series trials"]:
    """The last choice before each trial, from 0; -1 for none."""
    last = np.full(arm.shape, -1)
    for t in range(1, arm.shape[1]):
        last[:, t] = np.where(made[:, t - 1], arm[:, t - 1], last[:, t - 1])
    return last


def _potential(arm, outcome, made, num_arms: int) -> Float[np.ndarray, "s t arms"]:
    """The outcome of each option, drawn where it was not seen."""
    rng = np.random.default_rng(0)
    found = np.empty((*arm.shape, num_arms))
    for k in range(num_arms):
        own = made & (arm == k) & np.isfinite(outcome)
        wins = np.where(own, outcome, 0.0).sum(axis=1)
        share = (wins + 0.5) / (own.sum(axis=1) + 1.0)
        coin = rng.random(arm.shape) < share[:, None]
        found[..., k] = np.where(own, np.nan_to_num(outcome), coin)
    return found

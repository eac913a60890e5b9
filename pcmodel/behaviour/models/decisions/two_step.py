r"""The two-step task: model-free and model-based values (Daw et al. 2011, Neuron 69:1204).

Values of the second stage $Q_2$ are learned from the outcome, $\delta_2 = r - Q_2(c_2)$; model-free values
of the first from what followed, $\delta_1 = Q_2(c_2) - Q_1(c_1)$:

$Q_1(c_1) \leftarrow Q_1(c_1) + \alpha_1 (\delta_1 + \lambda\,\delta_2)$,
$\quad Q_2(c_2) \leftarrow Q_2(c_2) + \alpha_2\,\delta_2$,

both errors from the values before the trial. Model-based values expect the better option of each state with the
transitions' probabilities. The first choice is a softmax of $w\,Q_{MB} + (1 - w)\,Q_1$ with perseveration.

hBayesDM (`ts_par4`, `ts_par6`, `ts_par7`) takes $\delta_2$ after $Q_2$ was updated, which multiplies it by
$1 - \alpha_2$ in the update of $Q_1$: its $\lambda$ is this one's divided by $1 - \alpha_2$. Daw et al. let people
find out which state follows which choice; here, as in hBayesDM, they know it.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.decisions.outcomes import (
    given_potential,
    largest,
    potential_outcomes,
    refuse_where,
)
from pcmodel.behaviour.models.decisions.parameters import (
    inverse_temperature,
    learning_rate,
)
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.errors import UserError

UNIT = "1 / greatest outcome"
ONE_RATE = learning_rate("learning_rate", "of both stages", "hBayesDM `a` (ts_par4)")
RATES = (
    learning_rate(
        "first_rate", "of the first stage", "alpha_1 (Daw et al. 2011); hBayesDM `a1`"
    ),
    learning_rate(
        "second_rate", "of the second stage", "alpha_2 (Daw et al. 2011); hBayesDM `a2`"
    ),
)
ONE_BETA = inverse_temperature(
    "beta", 1.0, "of both choices", UNIT, "hBayesDM `beta` (ts_par4)"
)
BETAS = (
    inverse_temperature(
        "beta_first",
        1.0,
        "of the first choice",
        UNIT,
        "beta_1 (Daw et al. 2011); hBayesDM `beta1`",
    ),
    inverse_temperature(
        "beta_second",
        1.0,
        "of the second choice",
        UNIT,
        "beta_2 (Daw et al. 2011); hBayesDM `beta2`",
    ),
)
STICKINESS = Parameter(
    "stickiness",
    0.3,
    0.7,
    0.5,
    about="log odds for repeating the last first choice",
    unit="log odds",
    published="beta_1 p (Daw et al. 2011); hBayesDM `pi`",
)
WEIGHT = Parameter(
    "model_based_logit",
    0.0,
    1.2,
    0.8,
    about="logit of the weight of model-based against model-free values",
    natural="model_based_weight",
    transform="logistic",
    unit="share",
    published="w (Daw et al. 2011), omega; hBayesDM `w`",
)
TRACE = Parameter(
    "trace_logit",
    0.5,
    1.2,
    0.8,
    about="logit of the share of the outcome's error that reaches the first choice at once",
    natural="eligibility_trace",
    transform="logistic",
    published="lambda (Daw et al. 2011); hBayesDM `lambda` times 1 - `a2`",
)
COMMON = Parameter(
    "common_logit",
    0.8472978603872034,
    0.5,
    free=False,
    about="logit of the probability that first choice 1 leads to state 1, and 2 to 2",
    natural="common_transition",
    transform="logistic",
    unit="probability",
    published="0.7 (Daw et al. 2011); hBayesDM `trans_prob`",
)


class TwoStepData(NamedTuple):
    """The trials of one series; options are counted from 0.

    first: the first choice, 0 or 1.
    second: the second choice: 0 or 1 in state 0, 2 or 3 in state 1.
    outcome: in units of the data set's greatest.
    made: whether the first choice was made.
    reached: whether the second choice was made, too.
    seen: whether the outcome was seen.
    is_common: whether the transition is the common one.
    potential: the outcome that each second option would have given.
    """

    first: Int[Array, "*trials"]
    second: Int[Array, "*trials"]
    outcome: Float[Array, "*trials"]
    made: Bool[Array, "*trials"]
    reached: Bool[Array, "*trials"]
    seen: Bool[Array, "*trials"]
    is_common: Bool[Array, "*trials"]
    potential: Float[Array, "*trials options"]


class State(NamedTuple):
    """What is carried from trial to trial.

    first: model-free values of the first options.
    second: values of the four second options.
    last: the last first choice, 0 or 1; -1 for none.
    """

    first: Float[Array, "*trials options"]
    second: Float[Array, "*trials all_options"]
    last: Int[Array, "*trials"]


class Weights(NamedTuple):
    """The parameters on their natural scales, with those that a variant fixes."""

    first_rate: Array
    second_rate: Array
    first_beta: Array
    second_beta: Array
    stickiness: Array
    model_based: Array
    trace: Array
    common: Array


@dataclass(frozen=True)
class TwoStepModel:
    """The hybrid of Daw et al. (2011), and its variants.

    Attributes:
        model_based: the weight of model-based values where it is fixed, 0 or 1; None: a parameter.
        per_stage: whether each stage has a learning rate and an inverse temperature of its own.
        trace: whether the eligibility trace is a parameter; else it is 1.
    """

    model_based: float | None = None
    per_stage: bool = True
    trace: bool = True
    has_precision = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        rates, betas = (RATES, BETAS) if self.per_stage else ((ONE_RATE,), (ONE_BETA,))
        if self.model_based == 1.0:  # nothing is learned of the first stage
            rates = rates[-1:]
        weight = (WEIGHT,) if self.model_based is None else ()
        trace = (TRACE,) if self.trace and self.model_based != 1.0 else ()
        common = COMMON
        if self.model_based == 0.0:
            return (*rates, *betas, STICKINESS, *trace)
        return (*rates, *betas, STICKINESS, *weight, *trace, common)

    def _weights(self, values: Values) -> Weights:
        def one_of(own: str, shared: str) -> Array:
            return values[own if own in values else shared]

        def share(name: str, fixed: float) -> Array:
            if name in values:
                return jax.nn.sigmoid(values[name])
            return jnp.full_like(values["stickiness"], fixed)

        second = jax.nn.sigmoid(one_of("second_rate_logit", "learning_rate_logit"))
        first = second
        if self.model_based != 1.0:
            first = jax.nn.sigmoid(one_of("first_rate_logit", "learning_rate_logit"))
        return Weights(
            first,
            second,
            jnp.exp(one_of("log_beta_first", "log_beta")),
            jnp.exp(one_of("log_beta_second", "log_beta")),
            values["stickiness"],
            share("model_based_logit", self.model_based or 0.0),
            share("trace_logit", 1.0),
            share("common_logit", 0.7),
        )

    def prepare(self, series: Series) -> TwoStepData:
        """The data of each series; UserError for choices that cannot be, and transitions the wrong way round."""
        first, second = series.values["first_choice"], series.values["second_choice"]
        second = _numbered(second, series.values.get("second_state"))
        made = np.isfinite(first)
        reached = made & np.isfinite(second)
        refuse_where(
            np.isfinite(second) & ~np.isin(second, (1, 2, 3, 4)),
            "is none of the four second options",
            where="second_choice",
            expected="1 or 2 in state 1, 3 or 4 in state 2, or 1 and 2 with a column second_state",
        )
        first = np.where(made, first - 1.0, 0.0).astype(int)
        second = np.where(reached, second - 1.0, 0.0).astype(int)
        is_common = first == second // 2
        _check_common(is_common, reached)
        outcome = np.where(reached, series.values["outcome"], np.nan)
        outcome = outcome / largest(outcome, where="outcome")
        potential = given_potential(series.values, 4)
        if potential is None:
            cell = np.where(reached, second, -1)
            every = np.broadcast_to(np.arange(4), (*cell.shape, 4))
            potential = potential_outcomes(cell, every, outcome)
        return TwoStepData(
            jnp.asarray(first),
            jnp.asarray(second),
            jnp.asarray(np.nan_to_num(outcome)),
            jnp.asarray(made),
            jnp.asarray(reached),
            jnp.asarray(np.isfinite(outcome)),
            jnp.asarray(np.where(reached, is_common, True)),
            jnp.asarray(potential),
        )

    def _start(self, values: Values) -> State:
        zero = jnp.zeros_like(values["stickiness"])
        return State(jnp.zeros(2) * zero, jnp.zeros(4) * zero, jnp.asarray(-1))

    def log_likelihood(
        self, values: Values, data: TwoStepData
    ) -> Float[Array, " trials"]:
        own = self._weights(values)

        def step(state: State, trial: TwoStepData) -> tuple[State, Array]:
            first = _of_two(_first_log_odds(own, state), trial.first)
            second = _of_two(
                _second_log_odds(own, state, trial.second // 2), trial.second % 2
            )
            total = jnp.where(trial.made, first, 0.0)
            total = total + jnp.where(trial.reached, second, 0.0)
            return _learn(own, state, trial), total

        return jax.lax.scan(step, self._start(values), data)[1]

    def simulate(
        self, key: Key[Array, ""], values: Values, data: TwoStepData
    ) -> TwoStepData:
        """The data with simulated choices; transitions are common where they were in `data`."""
        own = self._weights(values)

        def step(
            state: State, both: tuple[Array, TwoStepData]
        ) -> tuple[State, TwoStepData]:
            trial = both[1]
            first_key, second_key = jax.random.split(both[0])
            first = _draw(first_key, _first_log_odds(own, state))
            place = jnp.where(trial.is_common, first, 1 - first)
            second = 2 * place + _draw(second_key, _second_log_odds(own, state, place))
            outcome = trial.potential[second]
            drawn = trial._replace(first=first, second=second, outcome=outcome)
            return _learn(own, state, drawn), drawn

        keys = jax.random.split(key, data.made.shape[0])
        return jax.lax.scan(step, self._start(values), (keys, data))[1]

    def course(self, values: Values, data: TwoStepData) -> Course:
        """Values after each trial: those by which the first choice is made, then those of the four second options."""
        own = self._weights(values)

        def step(state: State, trial: TwoStepData) -> tuple[State, tuple[Array, Array]]:
            state = _learn(own, state, trial)
            return state, (_hybrid(own, state), state.second)

        return Course(jax.lax.scan(step, self._start(values), data)[1], ())

    def shown(self, data: TwoStepData) -> Float[Array, "*shape"]:
        """Outcomes in the unit of the values."""
        return jnp.where(data.seen, data.outcome, jnp.nan)

    def responses(self, data: TwoStepData) -> Float[Array, "*shape"]:
        """The first choices, from 0."""
        return jnp.where(data.made, data.first.astype(data.outcome.dtype), jnp.nan)


def _numbered(second: np.ndarray, state: np.ndarray | None) -> np.ndarray:
    """The second options as 1 to 4, where a column of states counts them anew in each."""
    if state is None or not np.isfinite(state).any():
        return second
    known = np.isfinite(second)
    if np.nanmin(state) >= 2.0:  # the first stage is counted as state 1
        state = state - 1.0
    refuse_where(
        ~np.isin(state, (1, 2)) & np.isfinite(state),
        "is neither of two states",
        where="second_state",
        expected="1 and 2, or 2 and 3",
    )
    refuse_where(
        known & ~np.isfinite(state),
        "is missing beside a second choice",
        where="second_state",
        expected="the state of every second choice",
    )
    if (second[known] > 2).any():
        refuse_where(
            known & (np.ceil(second / 2) != state),
            "is not the state of the second choice",
            where="second_state",
            expected="1 with the choices 1 and 2, and 2 with 3 and 4",
        )
        return second
    return second + 2.0 * (state - 1.0)


def _check_common(is_common: np.ndarray, reached: np.ndarray) -> None:
    """UserError where first choice 1 leads mostly to state 2."""
    share = is_common[reached].mean() if reached.any() else 1.0
    if share < 0.5:
        raise UserError(
            f"only {100 * share:.0f} % of the first choices lead to the state of their number",
            where="second_choice",
            expected="first choice 1 to lead mostly to state 1 (second choices 1 and 2): number the states, or the "
            "first choices (--codes first_choice=2,1), the other way round",
        )


def _hybrid(own: Weights, state: State) -> Array:
    """The values of the first options: a mixture of model-based and model-free ones."""
    best = jnp.max(state.second.reshape(2, 2), axis=1)
    planned = own.common * best + (1.0 - own.common) * best[::-1]
    return own.model_based * planned + (1.0 - own.model_based) * state.first


def _first_log_odds(own: Weights, state: State) -> Array:
    """Log odds of first option 1 (the second of the two)."""
    value = _hybrid(own, state)
    leaning = jnp.where(state.last < 0, 0.0, own.stickiness * (2.0 * state.last - 1.0))
    return own.first_beta * (value[1] - value[0]) + leaning


def _second_log_odds(own: Weights, state: State, place: Array) -> Array:
    """Log odds of the second of the two options in the state `place`."""
    gap = jnp.where(
        place > 0,
        state.second[3] - state.second[2],
        state.second[1] - state.second[0],
    )
    return own.second_beta * gap


def _learn(own: Weights, state: State, trial: TwoStepData) -> State:
    """The values after a trial; only complete trials teach anything."""
    is_first = jnp.arange(2) == trial.first
    is_second = jnp.arange(4) == trial.second
    arrived = jnp.sum(jnp.where(is_second, state.second, 0.0))
    error = jnp.where(trial.seen, trial.outcome - arrived, 0.0)
    step = own.first_rate * (arrived - state.first + own.trace * error)
    first = jnp.where(is_first & trial.reached, state.first + step, state.first)
    second = state.second + jnp.where(is_second, own.second_rate * error, 0.0)
    second = jnp.where(trial.reached, second, state.second)
    return State(first, second, jnp.where(trial.made, trial.first, state.last))


def _of_two(log_odds: Array, choice: Array) -> Array:
    return jax.nn.log_sigmoid(jnp.where(choice > 0, log_odds, -log_odds))


def _draw(key: Array, log_odds: Array) -> Array:
    return jax.random.bernoulli(key, jax.nn.sigmoid(log_odds)).astype(int)


HYBRID = TwoStepModel()
HYBRID_WITHOUT_TRACE = replace(HYBRID, trace=False)
HYBRID_ONE_RATE = replace(HYBRID, trace=False, per_stage=False)

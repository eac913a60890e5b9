r"""Options of which each trial offers some: probabilistic selection, and bandits with offered options.

Any learner with a value for each option, and a softmax over those on offer. Outcomes count from 0, for the least of the
data set (or 0), to 1, for the greatest (or 0), and values begin at 0.5: 0 and 1 stay as they are, gains and losses of 1 become 1
and 0. In the transfer phase of probabilistic selection pairs are new and no outcome is shown: choices are scored by what
was learned (Frank, Seeberger & O'Reilly 2004, Science 306:1940; two rates: Frank et al. 2007, PNAS 104:16311).

With the Kalman filter the learning rate is the precision of an outcome over that of the belief with it: it is high for options
that were not seen for long.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.bandit import RESPONSE, last_choices
from pcmodel.behaviour.models.binary import score
from pcmodel.behaviour.models.decisions.outcomes import (
    given_potential,
    in_range,
    potential_outcomes,
    refuse_where,
)
from pcmodel.behaviour.models.filters import Filter, perceived_course
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.perception import Inputs, make_inputs, perceive
from pcmodel.behaviour.responses.choice import ChoiceParameters
from pcmodel.behaviour.responses.offered import draw_offered, offered_log_probabilities

PAIR = "pair"  # two digits, of a probabilistic selection


class OfferedData(NamedTuple):
    """The trials of one series.

    inputs: outcomes, 0 to 1; `inputs.arm` is the choice, from 0, whether or not its outcome was seen.
    scored: whether a choice was made.
    last_choice: the choice before each trial, from 0; -1 for none.
    offered: which options could be chosen.
    first: the option that a response of 1 chooses; -1 where responses are the options.
    potential: the outcome that each option would have given, 0 to 1.
    """

    inputs: Inputs
    scored: Bool[Array, "*trials"]
    last_choice: Int[Array, "*trials"]
    offered: Bool[Array, "*trials arms"]
    first: Int[Array, "*trials"]
    potential: Float[Array, "*trials arms"]


@dataclass(frozen=True)
class OfferedModel:
    """A learner with a value for each option, and a softmax over those on offer.

    Attributes:
        filter: the perceptual model.
        num_arms: the number of options.
    """

    filter: Filter
    num_arms: int

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (*self.filter.parameters, *RESPONSE)

    def prepare(self, series: Series) -> OfferedData:
        """The data of each series; UserError for an option that was chosen and not offered."""
        offered, first, second = _offers(series, self.num_arms)
        choice = series.values["choice"]
        made = np.isfinite(choice)
        if first is None or second is None:
            arm = np.where(made, choice - 1.0, 0.0).astype(int)
        else:
            arm = np.where(np.nan_to_num(choice) > 0.5, first, second)
        was_offered = np.take_along_axis(offered, arm[..., None], axis=2)[..., 0]
        refuse_where(
            made & ~was_offered,
            "was not among the options offered",
            where="choice",
            expected="one of them, by its number",
        )
        outcome = in_range(np.where(made, series.values["outcome"], np.nan))
        potential = given_potential(series.values, self.num_arms)
        if potential is None:
            every = np.broadcast_to(np.arange(self.num_arms), offered.shape)
            potential = potential_outcomes(np.where(made, arm, -1), every, outcome)
        return OfferedData(
            make_inputs(outcome, arm=arm),
            jnp.asarray(made),
            jnp.asarray(last_choices(arm, made)),
            jnp.asarray(offered),
            jnp.asarray(np.full(arm.shape, -1) if first is None else first),
            jnp.asarray(potential),
        )

    def log_likelihood(
        self, values: Values, data: OfferedData
    ) -> Float[Array, " trials"]:
        trace = perceive(self.filter.model, self.filter.build(values), data.inputs)
        every = jax.vmap(
            lambda value, last, offered: offered_log_probabilities(
                _chooser(values), value, last, offered
            )
        )(trace.prediction.outcome, data.last_choice, data.offered)
        chosen = jnp.take_along_axis(every, data.inputs.arm[:, None], axis=1)[:, 0]
        return score(chosen, trace, data.scored)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: OfferedData
    ) -> OfferedData:
        """The data with simulated choices, and their outcomes from `data.potential`."""
        parameters, model = self.filter.build(values), self.filter.model

        def step(carry, trial):
            beliefs, last = carry
            trial_key, scored, shown, offered, potential = trial
            prediction = model.predict(parameters, beliefs)
            arm = draw_offered(
                trial_key, _chooser(values), prediction.outcome, last, offered
            )
            seen = Inputs(potential[arm], shown, arm)
            beliefs = model.update(parameters, beliefs, prediction, seen)
            return (beliefs, jnp.where(scored, arm, last)), (seen, last)

        keys = jax.random.split(key, data.scored.shape[0])
        start = (model.init(parameters), jnp.full_like(data.inputs.arm[0], -1))
        shown = data.scored & data.inputs.seen
        trials = (keys, data.scored, shown, data.offered, data.potential)
        inputs, last = jax.lax.scan(step, start, trials)[1]
        return data._replace(inputs=inputs, last_choice=last)

    def course(self, values: Values, data: OfferedData) -> Course:
        return perceived_course(self.filter, values, data.inputs)

    def shown(self, data: OfferedData) -> Float[Array, "*shape"]:
        """Outcomes in the unit of the values."""
        return jnp.where(data.inputs.seen, data.inputs.outcome, jnp.nan)

    def responses(self, data: OfferedData) -> Float[Array, "*shape"]:
        """The options chosen, from 0; of pairs 1 for the first option and 0 for the second."""
        kind = data.potential.dtype
        chosen = jnp.where(
            data.first < 0, data.inputs.arm, data.inputs.arm == data.first
        )
        return jnp.where(data.scored, chosen.astype(kind), jnp.nan)


def _chooser(values: Values) -> ChoiceParameters:
    return ChoiceParameters(
        values["log_beta"], values["stickiness"], values["lapse_logit"]
    )


def _offers(
    series: Series, num_arms: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Which options each trial offers, and of pairs the first option and the second."""
    shape = series.present.shape
    offered = np.zeros((*shape, num_arms), bool)
    if PAIR in series.values:
        pair = np.where(series.present, np.nan_to_num(series.values[PAIR]), 12.0)
        first, second = (pair // 10).astype(int), (pair % 10).astype(int)
        wrong = (pair != np.floor(pair)) | (first == second) | (second == 0)
        refuse_where(
            wrong | (pair < 12) | (pair > 98),
            "is no pair of two options",
            where=PAIR,
            expected="two digits from 1 to 9, such as 12",
        )
        for option in (first, second):
            np.put_along_axis(offered, option[..., None] - 1, True, axis=2)
        return offered, first - 1, second - 1
    columns = [v for name, v in series.values.items() if name.startswith("option_")]
    columns = [v for v in columns if np.isfinite(v).any()]
    if not columns:
        return np.ones_like(offered), None, None
    for option in columns:
        known = np.isfinite(option)
        refuse_where(
            known & (option != np.floor(option)),
            "is no whole number",
            where="option",
            expected="the number of an option",
        )
        number = np.where(known, option - 1.0, 0.0).astype(int)
        offered |= known[..., None] & (number[..., None] == np.arange(num_arms))
    nothing = np.logical_not(offered.any(axis=2))
    refuse_where(
        nothing & series.present & np.isfinite(series.values["choice"]),
        "names no option that was offered",
        where="option_1",
        expected="at least one option for each choice",
    )
    return offered | nothing[..., None], None, None

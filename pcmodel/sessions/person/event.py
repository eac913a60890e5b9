r"""One event in one person: gains, attribution, inference, learning, and the time until the next.

Inference is that of the package's hierarchy under the modulation of the moment. The top's prior then moves by a step of
stepwise EM (Cappe & Moulines 2009, J R Stat Soc B 71:593) at a rate a that the plasticity window scales,

$$ m \leftarrow m + a\, (E[x] - m), \qquad \Pi^{-1} \leftarrow \Pi^{-1} + b\, (E[g e^2] - \Pi^{-1}), $$

with g the gain of the top, which is never stored: a gain without evidence moves nothing, since then
E[e^2] = 1 / (g Pi). In the precision's own units the second is log Pi <- log Pi - log(1 + b (E[g Pi e^2] - 1)).

What was learned is labile: a share of it is consolidated, the rest is lost, and what is consolidated returns slowly to
the person's baseline (`pcmodel.paradigms.lasting`).
"""

from dataclasses import replace
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import logit, ndtr
from jaxtyping import Bool, Float

from pcmodel.learning.em import problem_of
from pcmodel.learning.linear.moments import posterior_moments
from pcmodel.model.modulation import Modulation
from pcmodel.model.slopes import Factors, factors_of
from pcmodel.paradigms.lasting.retention import Trace, after_days
from pcmodel.sessions.person.attribution import log_validity, predictive
from pcmodel.sessions.person.dynamics import Numbers
from pcmodel.sessions.person.hierarchy import (
    ABSENT,
    STREAMS,
    self_model,
    self_parameters,
    self_structure,
    self_values,
)
from pcmodel.sessions.person.threat_and_trust import StreamAccount
from pcmodel.sessions.person.traits import Traits

EVERYDAY, MEMORY, THERAPIST, EXPECTATION = (
    STREAMS.index(name) for name in ("everyday", "memory", "therapist", "expectation")
)
BELIEF = -1  # the self, in a hierarchy's levels


class State(NamedTuple):
    """What one person carries from event to event, () each.

    belief: prior mean of the self, belief units.
    log_precision: of that prior.
    slow_belief: the part of it that is consolidated.
    slow_log_precision: likewise.
    alliance: share of the therapist's words that is heard, 0 to 1.
    """

    belief: Array
    log_precision: Array
    slow_belief: Array
    slow_log_precision: Array
    alliance: Array


class Event(NamedTuple):
    """One event of one person in one arm, () each unless stated.

    mean: what each stream says, belief units; of `expectation` the improvement that a person of average expectancy, sure
        of having had the drug, expects.
    precision: of each stream, 0 or more; 0 = absent.
    replays_belief: whether the memory is replayed with the feeling that the belief predicts, to which `mean` adds.
    is_chosen: whether the person decides if the everyday evidence is met.
    alliance_building: share of what is left to be gained in alliance.
    released: serotonin, in multiples of its K at 5-HT2A.
    believed: probability that the person gives to having had the drug, 0 to 1.
    learning: factor on the rates of learning.
    """

    mean: Float[Array, " streams"]
    precision: Float[Array, " streams"]
    replays_belief: Bool[Array, ""]
    is_chosen: Bool[Array, ""]
    alliance_building: Array
    released: Array
    believed: Array
    learning: Array


class EventInfo(NamedTuple):
    """What only an observer wants to know of one event.

    posterior: mean of the self while the evidence is present, belief units.
    variance: of the self then.
    validity: probability that each stream's item says something about the self; 1 where it is absent.
    """

    posterior: Array
    variance: Array
    validity: Float[Array, " streams"]


def at_rest(person: Traits) -> State:
    """The state before anything happens: the baseline."""
    return State(
        person.belief,
        person.log_precision,
        person.belief,
        person.log_precision,
        person.alliance,
    )


def meet(
    state: State,
    event: Event,
    person: Traits,
    numbers: Numbers,
    modulation: Modulation | None = None,
    streams: StreamAccount | None = None,
) -> tuple[State, EventInfo]:
    """The state right after one event.

    streams: account of released serotonin; None: it does nothing.
    modulation: at that moment, in the names of the hierarchy's levels. Its plasticity multiplies the rates, its top-down
        share mixes what is learned from with what the belief generates; a temperature makes activity fluctuate around
        its mean, from which nothing is learned.
    """
    values, precision = evidence(state, event, person)
    log_odds = jnp.zeros_like(precision)
    if streams is not None:
        change = streams.change(event.released, values)
        precision, log_odds = precision * change.precision, change.log_odds
    acting = modulation or Modulation()
    model, dtype = self_model().model, state.belief.dtype
    factors = factors_of(acting.in_inference(), model, dtype)
    # Errors that are not passed on leave predictions as wide as they are; the gains that stand for them do not.
    sent = replace(acting.in_inference(), error_transmission={})
    values, log_precisions, validity = attributed(
        *(state, values, precision, log_odds, person, numbers),
        factors_of(sent, model, dtype),
    )
    parameters = self_parameters(
        state.belief,
        state.log_precision,
        log_precisions=log_precisions,
        feeling=numbers.feeling_precision,
    )
    moments, _ = posterior_moments(
        parameters,
        tuple(value[None] for value in self_values(values)),
        jnp.ones((1,), state.belief.dtype),
        structure=self_structure(),
        factors=factors,
    )
    shift = moments.errors[BELIEF][0, 0]
    variance = jnp.sum(moments.error_rows[BELIEF] ** 2)
    gain = jnp.ones(()) if factors is None else factors.gains[BELIEF]
    share = 1 - jnp.asarray(acting.top_down, state.belief.dtype)
    seen = gain * jnp.exp(state.log_precision) * (shift**2 + variance)
    learned = learn(
        state,
        shift=share * shift,
        square=share * seen + (1 - share),
        learning=person.learning
        * event.learning
        * jnp.asarray(acting.plasticity, state.belief.dtype),
        numbers=numbers,
    )
    alliance = state.alliance + jnp.minimum(
        event.alliance_building * person.alliance_growth, 1
    ) * (1 - state.alliance)
    info = EventInfo(state.belief + shift, variance, validity)
    return learned._replace(alliance=alliance), info


def evidence(
    state: State, event: Event, person: Traits
) -> tuple[Float[Array, " streams"], Float[Array, " streams"]]:
    """What each stream says to this person, and with what precision."""
    values, precision = event.mean, event.precision
    values = values.at[MEMORY].add(jnp.where(event.replays_belief, state.belief, 0))
    expected = person.belief + person.expectancy * event.believed * values[EXPECTATION]
    values = values.at[EXPECTATION].set(expected)
    negative = ndtr(-state.belief * jnp.exp(0.5 * state.log_precision))
    met = jnp.where(event.is_chosen, 1 - person.avoidance * negative, 1)
    dwelt = jnp.where(event.replays_belief, person.rumination, 1)
    heard = person.suggestibility * state.alliance
    precision = precision.at[EVERYDAY].multiply(met)
    precision = precision.at[MEMORY].multiply(dwelt)
    return values, precision.at[THERAPIST].multiply(heard)


def attributed(
    state: State,
    values: Float[Array, " streams"],
    precision: Float[Array, " streams"],
    log_odds: Float[Array, " streams"],
    person: Traits,
    numbers: Numbers,
    factors: Factors | None,
) -> tuple[
    Float[Array, " streams"], Float[Array, " streams"], Float[Array, " streams"]
]:
    """Values and log-precisions of the streams after attribution, and the validity of each.

    log_odds: added to the person's prior log odds of validity.

    Absent streams are at the prediction.
    """
    is_present = precision > 0
    own = jnp.where(is_present, jnp.log(jnp.where(is_present, precision, 1)), ABSENT)
    parameters = self_parameters(
        state.belief,
        state.log_precision,
        log_precisions=own,
        feeling=numbers.feeling_precision,
    )
    problem = problem_of(self_structure(), *parameters, self_values(values), factors)
    told = predictive(problem)
    gains = jnp.stack(problem.inputs.gains[: len(STREAMS)])
    log_r = log_validity(
        told,
        jnp.exp(-0.5 * own) / jnp.sqrt(gains),
        prior_log_odds=logit(person.validity) + log_odds,
        exception_sd=numbers.exception_sd,
    )
    log_r = jnp.where(is_present, log_r, 0)
    values = jnp.where(is_present, values, told.mean)
    return values, jnp.maximum(own + log_r, ABSENT), jnp.exp(log_r)


def learn(
    state: State, *, shift: Array, square: Array, learning: Array, numbers: Numbers
) -> State:
    """The step of stepwise EM.

    shift: E[x] - m.
    square: E[g Pi e^2], 1 without evidence.
    learning: factor on both rates, which are at most 1.
    """
    mean_rate = jnp.minimum(numbers.mean_rate * learning, 1)
    precision_rate = jnp.minimum(numbers.precision_rate * learning, 1)
    change = precision_rate * (square - 1)
    # Accurate both where the change is small and where next to nothing is left of the variance.
    log_variance = jnp.where(
        change > -0.5,
        jnp.log1p(jnp.maximum(change, -0.5)),
        jnp.log((1 - precision_rate) + precision_rate * square),
    )
    return state._replace(
        belief=state.belief + mean_rate * shift,
        log_precision=state.log_precision - log_variance,
    )


def passed(state: State, days: Array, person: Traits, numbers: Numbers) -> State:
    """The state when some days have passed without events."""
    trace = Trace(
        (state.belief, state.log_precision),
        (state.slow_belief, state.slow_log_precision),
        (person.belief, person.log_precision),
    )
    later = after_days(
        trace,
        days,
        labile_days=numbers.labile_days,
        consolidation=numbers.consolidation,
        forgetting_per_day=numbers.forgetting,
    )
    (belief, log_precision), slow = later.current, later.slow
    return State(belief, log_precision, slow[0], slow[1], state.alliance)

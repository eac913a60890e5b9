"""A cohort: the same people in every arm of a protocol, event by event.

People differ in traits, in how they take up and respond to drugs, and in what they happen to meet. All of these draws are
shared by the arms, so that a difference between arms is the treatment's.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import is_traced
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.neuromodulation.accounts.accounts import Account
from pcmodel.neuromodulation.compounds import Library, load_compounds
from pcmodel.neuromodulation.participant import Variation
from pcmodel.runtime.contents import Static
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits
from pcmodel.sessions.person.dynamics import Dynamics, Numbers
from pcmodel.sessions.person.event import Event, State, at_rest, meet, passed
from pcmodel.sessions.person.hierarchy import self_anatomy
from pcmodel.sessions.person.threat_and_trust import StreamAccount, ThreatAndTrust
from pcmodel.sessions.person.traits import (
    Phenotype,
    Traits,
    draw_people,
    find_phenotype,
)
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.timeline import Timeline, timeline
from pcmodel.sessions.treatment.acute import Population
from pcmodel.sessions.treatment.treat import (
    DEFAULT_ACCOUNT,
    Treatment,
    check_acts,
    treat,
)
from pcmodel.sessions.treatment.windows import Plasticity

DYNAMICS = Dynamics()
WINDOW = Plasticity()
STREAM_ACCOUNT = ThreatAndTrust()


class Cohort(NamedTuple):
    """The people of a protocol in all of its arms, day by day.

    arms: names, in the order of the first axis.
    days: of the readings, days since the first dosing; each is before what happens at that time.
    belief: mean of the belief about the self, belief units; negative is bad.
    log_precision: of that belief.
    alliance: share of the therapist's words that is heard.
    event_days: of the events, days since the first dosing.
    inferred: mean of the self while an event's evidence is present, under the drug.
    validity: probability that each stream's evidence in an event says something about the self; 1 where there is none.
    """

    arms: tuple[str, ...]
    days: Float[np.ndarray, " days"]
    belief: Float[Array, "arms people days"]
    log_precision: Float[Array, "arms people days"]
    alliance: Float[Array, "arms people days"]
    event_days: Float[np.ndarray, " events"]
    inferred: Float[Array, "arms people events"]
    validity: Float[Array, "arms people events streams"]


class Study(NamedTuple):
    """A protocol with its people, ready to be followed; nothing here depends on beliefs.

    arms: names.
    days: of the readings, days since the first dosing, ascending.
    course: the events.
    people: traits.
    luck: standard normal deviations of what people happen to meet.
    treatment: what the arms do to them.
    """

    arms: tuple[str, ...]
    days: Float[np.ndarray, " days"]
    course: Timeline
    people: Traits
    luck: Float[Array, "people events streams"]
    treatment: Treatment


@checked_arguments
def prepare(
    protocol: Protocol,
    *,
    num_people: SupportsIndex,
    key: Array,
    arms: Sequence[str] | None = None,
    phenotype: Phenotype | None = None,
    dynamics: Dynamics = DYNAMICS,
    window: Plasticity | None = WINDOW,
    library: Library | None = None,
    variation: Variation | None = None,
) -> Study:
    """A protocol with its people and what its arms do to them.

    num_people: in every arm, the same ones.
    key: for all draws; the first of many people are those of a few.
    arms: by name; None: those that the protocol names.
    phenotype: of the people; None: that of the protocol's condition.
    dynamics: its `unblinding` is used.
    window: of plasticity; None: there is none.
    library: the compounds' numbers, by default the package's.
    variation: of how people take up and respond to drugs, by default as published.

    Raises UserError for no people, more than memory holds, an unknown arm or compound, and doses that are not possible.
    """
    number = whole_number(num_people, "num_people")
    course = timeline(protocol, arms=arms)
    names = tuple(arms or (arm.name for arm in protocol.arms))
    num_events = len(course.day)
    check_fits(len(names), number, num_events, 20, what="such a cohort")
    for_traits, for_drugs, for_luck = jax.random.split(check_key(key), 3)
    compounds = {dose.compound: None for doses in course.doses for dose in doses}
    population = Population(
        number,
        for_drugs,
        tuple(compounds),
        load_compounds() if library is None else library,
        variation,
    )
    return Study(
        names,
        np.arange(protocol.first_day, protocol.length + 1, dtype=float),
        course,
        draw_people(
            phenotype or find_phenotype(protocol.condition),
            num_people=number,
            key=for_traits,
        ),
        _luck(for_luck, number, course),
        treat(course, population, unblinding=dynamics.unblinding, window=window),
    )


def _luck(key: Array, number: int, course: Timeline) -> Array:
    shape = course.mean.shape[1:]

    def one(person: Array) -> Array:
        return jax.random.normal(jax.random.fold_in(key, person), shape)

    return jax.vmap(one)(jnp.arange(number))


@checked_arguments
def follow(
    study: Study,
    *,
    dynamics: Dynamics = DYNAMICS,
    account: Account = DEFAULT_ACCOUNT,
    streams: StreamAccount | None = STREAM_ACCOUNT,
) -> Cohort:
    """Follow the people of a study through all of its events.

    dynamics: the numbers that do not differ between people.
    account: of what drugs do to the hierarchy's precisions, slopes and activity (`pcmodel.neuromodulation`).
    streams: of what released serotonin does to evidence; None: nothing.

    Raises UserError for an account that does not fit the hierarchy, and for one of blocked channels where all are.
    """
    _check_block(study, account)
    found, info = _followed(
        study.people,
        study.luck,
        study.course._replace(doses=()),
        study.treatment,
        dynamics.numbers(),
        account=Static(account),
        streams=Static(streams),
    )
    read = _read(found, study.people, study.course.day, study.days, dynamics.numbers())
    return Cohort(
        study.arms,
        study.days,
        read.belief,
        read.log_precision,
        read.alliance,
        np.asarray(study.course.day, float),
        *info,
    )


def _check_block(study: Study, account: Account) -> None:
    """UserError where an account needs channels that are not blocked and there are none: 1 / 0 would be no number."""
    blocked = study.treatment.acute.effects.nmda_block
    if "nmda_block" not in account.needs or is_traced(blocked):
        return
    if not np.all(np.asarray(blocked) < 1):
        raise UserError(
            "all NMDA channels of a person are blocked, and nothing is passed on that could be learned from",
            where="follow",
            expected="a smaller dose, or effects with a block below 1",
        )


@checked_arguments
def simulate_cohort(
    protocol: Protocol,
    *,
    num_people: SupportsIndex,
    key: Array,
    account: Account | None = None,
    dynamics: Dynamics = DYNAMICS,
    streams: StreamAccount | None = STREAM_ACCOUNT,
    library: Library | None = None,
    **options: Any,
) -> Cohort:
    """The people of a protocol in all of its arms: `prepare`, then `follow`.

    account: by default relaxed priors for psychedelics and blocked transmission for ketamine; one that depends on
        nothing that the protocol's compounds do is refused.
    options: further arguments of `prepare`.
    """
    study = prepare(
        protocol,
        num_people=num_people,
        key=key,
        dynamics=dynamics,
        library=library,
        **options,
    )
    if account is not None:
        taken = {dose.compound: None for doses in study.course.doses for dose in doses}
        check_acts(account, load_compounds() if library is None else library, taken)
    return follow(
        study, dynamics=dynamics, account=account or DEFAULT_ACCOUNT, streams=streams
    )


@partial(jax.jit, static_argnames=("account", "streams"))
@in_full_precision
def _followed(
    people: Traits,
    luck: Array,
    course: Timeline,
    treatment: Treatment,
    numbers: Numbers,
    *,
    account: Static[Account],
    streams: Static[StreamAccount | None],
) -> tuple[State, tuple[Array, Array]]:
    """The state right after each event, (arms, people, events), and what was inferred in it."""
    days = jnp.concatenate([jnp.zeros(1), jnp.diff(course.day)])

    def one(person: Traits, luck: Array, arm: tuple, acting: Treatment):
        mean, sd, precision, replays, alliance = arm

        def step(state: State, now):
            (event, felt, since) = now
            state = passed(state, since, person, numbers)
            modulation = account.value.modulate(felt, self_anatomy())
            state, info = meet(state, event, person, numbers, modulation, streams.value)
            return state, (state, (info.posterior, info.validity))

        events = Event(
            mean + sd * luck,
            precision,
            replays,
            course.chosen,
            alliance,
            acting.acute.released,
            acting.believed,
            acting.plasticity,
        )
        _, found = jax.lax.scan(
            step, at_rest(person), (events, acting.acute.effects, days)
        )
        return found

    arms = (
        course.mean,
        course.sd,
        course.precision,
        course.replays_belief,
        course.alliance_building,
    )
    of_people = jax.vmap(one, in_axes=(0, 0, None, 0))
    return jax.vmap(of_people, in_axes=(None, None, 0, 0))(
        people, luck, arms, treatment
    )


@jax.jit
def _read(
    states: State, people: Traits, day: Array, days: Array, numbers: Numbers
) -> State:
    """The states at given days: that after the last event before, and the time since."""
    last = jnp.searchsorted(day, days, side="left") - 1
    since = jnp.where(last >= 0, days - day[jnp.maximum(last, 0)], 0)

    def one(states: State, person: Traits) -> State:
        def at(index: Array, since: Array) -> State:
            begun = jax.tree.map(
                lambda leaf, start: jnp.where(index >= 0, leaf[index], start),
                states,
                at_rest(person),
            )
            return passed(begun, since, person, numbers)

        return jax.vmap(at)(last, since)

    return jax.vmap(jax.vmap(one), in_axes=(0, None))(states, people)

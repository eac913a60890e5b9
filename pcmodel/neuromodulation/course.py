r"""From doses to receptors over time, for one participant.

dose -> plasma -> effect site -> competitive occupancy -> operational response -> second stage.
The result holds every stage. A dose of zero yields exact zeros in all of them.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Annotated, Any, NamedTuple, TypeGuard

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import one_number, read_numbers
from pcmodel.inputs.ranges import Range
from pcmodel.neuromodulation.carried import (
    Carried,
    beside_first,
    check_carried,
    held_by_agonists,
    receptor_pool,
)
from pcmodel.neuromodulation.checking import (
    as_hours,
    check_curve,
    check_taken,
    check_times,
)
from pcmodel.neuromodulation.dosing import Regimen
from pcmodel.neuromodulation.participant import Participant, Physiology, check_one
from pcmodel.neuromodulation.pharmacology.exchange import AtOnce, Exchange
from pcmodel.neuromodulation.pharmacology.kinetics import Concentration, superpose
from pcmodel.neuromodulation.pharmacology.pools import depletable
from pcmodel.neuromodulation.pharmacology.receptors import operational
from pcmodel.neuromodulation.pharmacology.transducer import (
    Sigmoid,
    Threshold,
    Transducer,
)

Curve = Float[Array, " times"]
Sites = Callable[[Array], Float[Array, "compounds times"]]
PartOfPeak = Annotated[float, Range(0.0, 1.0, open="most")]
StageOf = Callable[[Physiology], Transducer]


def check_strategies(transducer: object, exchange: object) -> None:
    """UserError unless these are a second stage and a rule of exchange."""
    if transducer is not None and not callable(transducer):
        raise UserError(
            f"transducer is {transducer!r}",
            expected="Sigmoid(...), Threshold(...), Direct(...), or a function from Physiology to one",
        )
    if not isinstance(exchange, Exchange):
        raise UserError(f"exchange is {exchange!r}", expected="AtOnce() or WithRates()")


def is_function(stage: Transducer | StageOf | None) -> TypeGuard[StageOf]:
    """Whether a second stage is a function from `Physiology` to one."""
    return stage is not None and not isinstance(stage, Transducer)


class Course(NamedTuple):
    """The course of every stage in one person over time.

    plasma: concentration of each compound, ng/mL.
    effect_site: concentration of each compound, ng/mL.
    occupancy_2a: share of 5-HT2A receptors occupied by each compound.
    occupancy_1a: share of 5-HT1A receptors occupied by each compound.
    serotonin: released serotonin, in multiples of its K at 5-HT2A.
    store: content of the serotonin store; 1 = full.
    receptors: share of 5-HT2A receptors that are left; 1 = all. Without `tolerance`, of those left in a first session.
    response_2a: share of the 5-HT2A system's maximum, above rest.
    response_1a: share of the 5-HT1A system's maximum, above rest.
    effect_2a: response after the second stage; 1 = psilocin at every receptor.
    nmda_block: share of NMDA channels blocked.
    """

    plasma: Float[Array, "compounds times"]
    effect_site: Float[Array, "compounds times"]
    occupancy_2a: Float[Array, "compounds times"]
    occupancy_1a: Float[Array, "compounds times"]
    serotonin: Curve
    store: Curve
    receptors: Curve
    response_2a: Curve
    response_1a: Curve
    effect_2a: Curve
    nmda_block: Curve


def concentrations(doses: Regimen, times: Curve, person: Participant) -> Concentration:
    """Plasma and effect-site concentration of every compound, (compounds, times), ng/mL."""
    curves = []
    for index, name in enumerate(person.compounds):
        kinetics = jax.tree.map(itemgetter(index), person.ligands.kinetics)
        parts = []
        for dose in doses:
            if dose.compound == name:
                hours = read_numbers(dose.hours, where=name)
                mg = read_numbers(dose.mg, where=name)
                since = times - jnp.asarray(hours, times.dtype)
                plasma, site = dose.route.per_mg(kinetics, since)
                mg = jnp.asarray(mg, times.dtype)
                parts.append((mg * plasma, mg * site))
        curves.append(superpose(parts, times))
    stacked = jax.tree.map(lambda *rows: jnp.stack(rows), *curves)
    return Concentration(stacked.plasma, stacked.effect_site)


class Release(NamedTuple):
    """The release of serotonin over time.

    serotonin: extracellular, above rest, in multiples of its K at 5-HT2A.
    store: its content; 1 = full.
    """

    serotonin: Curve
    store: Curve


def release(
    site: Array, times: Curve, person: Participant, *, store: Array | float = 1.0
) -> Release:
    """Serotonin released by reversed transport from a store that is depleted.

    dS/dt = -k f(C) S + r (1 - S), f = C / (C + EC50); extracellular serotonin is proportional to
    f S at each time.

    store: its content at the first time.
    """
    if not person.has_releaser:
        return Release(jnp.zeros_like(times), jnp.ones_like(times))
    reversal = jnp.sum(site / person.ligands.release_ec50[:, None], axis=0)
    demand = reversal / (1 + reversal)
    body = person.physiology
    content = depletable(
        times, demand, spend=body.release, refill=body.refill, initial=store
    )
    return Release(body.excess * demand * content, content)


class Binding(NamedTuple):
    """Binding at one receptor type.

    occupancy: share of receptors occupied by each compound.
    stimulus: of all ligands, serotonin included.
    rest: stimulus of serotonin at rest.
    """

    occupancy: Float[Array, "compounds times"]
    stimulus: Curve
    rest: Array


def bind(
    sites: Sites,
    serotonin: Curve,
    times: Curve,
    *,
    exchange: Exchange,
    dissociation: Array,
    off_rates: Array,
    efficacy: Array,
    serotonin_k: Array,
    serotonin_efficacy: Array,
    tone: Array,
) -> Binding:
    """Competition of all compounds and serotonin for one receptor type.

    sites: effect-site concentrations at any times, ng/mL.
    serotonin: released, in multiples of its K at 5-HT2A; it exchanges at once.
    times: of the result, h.
    exchange: the rule of exchange.
    dissociation: K of each compound, ng/mL.
    off_rates: of each compound, 1/h.
    efficacy: tau of each compound.
    serotonin_k: K of serotonin, in multiples of that at 5-HT2A.
    serotonin_efficacy: tau of serotonin.
    tone: serotonin at rest, in multiples of its K at 5-HT2A.
    """

    def ratios(moments: Array) -> Array:
        own = tone + jnp.interp(moments, times, serotonin)
        drugs = sites(moments) / dissociation[:, None]
        return jnp.concatenate([drugs, (own / serotonin_k)[None]])

    at_rest = tone / serotonin_k
    before = jnp.concatenate([jnp.zeros_like(dissociation), at_rest[None]])
    every = jnp.concatenate([off_rates, jnp.full_like(at_rest, jnp.inf)[None]])
    shares = exchange.occupy(ratios, times, every, before)
    taus = jnp.concatenate([efficacy, serotonin_efficacy[None]])
    rest = serotonin_efficacy * at_rest / (1 + at_rest)
    return Binding(shares[:-1], taus @ shares, rest)


def above_rest(stimulus: Curve, rest: Array, acting: Array, slope: Array) -> Curve:
    """Operational response minus that at rest: exactly 0 where no compound acts.

    The rounding error there is subtracted as a constant, which keeps the derivative at a dose of 0.
    """
    change = operational(stimulus, slope) - operational(rest, slope)
    return change - jax.lax.stop_gradient(jnp.where(acting, 0.0, change))


@checked_arguments
def transducer_of(body: Physiology) -> Sigmoid:
    """The default second stage, a sigmoid with this person's midpoint."""
    return Sigmoid(body.half, body.power, body.full)


@checked_arguments
def threshold_of(body: Physiology) -> Threshold:
    """The rival second stage with this person's threshold: `simulate(..., transducer=threshold_of)`."""
    return Threshold(body.onset, body.full)


@checked_arguments
def simulate(
    doses: Any,
    times: Any,
    person: Participant,
    *,
    transducer: Any = None,
    tolerance: bool = False,
    exchange: Any = None,
    carried: Carried | None = None,
) -> Course:
    """One participant's course.

    doses: a `Regimen`.
    times: h, ascending (`check_times`).
    person: one participant.
    transducer: the second stage, or a function from `Physiology` to one; by default
        `transducer_of`, the participant's own sigmoid.
    tolerance: whether receptors are lost with use. It matters from the second dose on, and is off
        by default because the second stage was calibrated on single sessions, loss included.
    exchange: how fast 5-HT2A receptors exchange their ligands, by default `AtOnce()`;
        `WithRates()` uses the compounds' `off_rate_2a`.
    carried: what earlier doses have left at the first time (`carry`); those that are still in the body may be among
        the doses, before the first time. By default the person is at rest. Without `tolerance` only what was lost
        earlier weakens a response, not what is lost on the way.

    Raises UserError for a compound without numbers in the participant, a group where one person
    is meant, a route or an amount that is not possible, and times that do not ascend, are not
    finite, or do not suit the integration.
    """
    exchange = AtOnce() if exchange is None else exchange
    check_strategies(transducer, exchange)
    times = as_hours(times)
    check_one(person)
    check_taken(doses, person)
    check_carried(carried, exchange)
    check_times(
        times,
        person,
        tolerance=tolerance,
        doses=doses,
        exchange=exchange,
        at_rest=carried is None,
    )
    ligands, body = person.ligands, person.physiology

    def sites(moments: Array) -> Array:
        return concentrations(doses, moments, person).effect_site

    plasma, site = concentrations(doses, times, person)
    full = 1.0 if carried is None else carried.store
    serotonin, store = release(site, times, person, store=full)
    at_2a = bind(
        sites,
        serotonin,
        times,
        exchange=exchange,
        dissociation=ligands.k_2a,
        off_rates=ligands.off_2a,
        efficacy=ligands.efficacy_2a,
        serotonin_k=body.serotonin_k_2a,
        serotonin_efficacy=body.serotonin_efficacy_2a,
        tone=body.tone,
    )
    at_1a = bind(
        sites,
        serotonin,
        times,
        exchange=AtOnce(),
        dissociation=ligands.k_1a,
        off_rates=jnp.full_like(ligands.k_1a, jnp.inf),
        efficacy=ligands.efficacy_1a,
        serotonin_k=body.serotonin_k_1a,
        serotonin_efficacy=body.serotonin_efficacy_1a,
        tone=body.tone,
    )
    receptors = jnp.ones_like(times)
    held = held_by_agonists(at_2a.occupancy, person)
    if tolerance:
        lost = 0.0 if carried is None else carried.lost
        receptors = receptor_pool(times, held, person, lost=lost)
    elif carried is not None:
        receptors = beside_first(times, held, person, carried.lost)
    # From the first drug on: its action on receptors outlasts it.
    acting = jnp.cumsum(jnp.max(site, axis=0)) > 0
    response_2a = above_rest(at_2a.stimulus * receptors, at_2a.rest, acting, body.slope)
    blocked = jnp.sum(site / ligands.nmda_ic50[:, None], axis=0)
    stage = transducer(body) if is_function(transducer) else transducer
    return Course(
        plasma,
        site,
        at_2a.occupancy,
        at_1a.occupancy,
        serotonin,
        store,
        receptors,
        response_2a,
        above_rest(at_1a.stimulus, at_1a.rest, acting, body.slope),
        (stage or transducer_of(body))(response_2a),
        blocked / (1 + blocked),
    )


@checked_arguments
def duration(
    times: Any, effect: Any, *, share: PartOfPeak = 0.1, least: ArrayLike = 0.0
) -> Array:
    """Hours for which an effect exceeds a share of its own peak; 0 if the peak is not above `least`.

    times: h, ascending.
    effect: at the times.
    share: of the peak.
    least: peaks up to this count as no effect.
    Crossings are interpolated, so that the duration varies smoothly with the dose. For an effect
    that is above at the first or last time the duration is a lower bound: UserError outside of
    `jit`; within, see `is_over`.
    """
    times, effect = as_hours(times), _curve(effect)
    over = is_over(times, effect, share=share, least=least)
    if not isinstance(over, Tracer) and not bool(over):
        raise UserError(
            f"the effect is still above {share:g} of its peak when the times begin "
            f"or end ({float(times[0]):g} and {float(times[-1]):g} h)",
            where="duration",
            expected="times from before the effect to after it",
        )
    peak = jnp.max(effect)
    hours = jnp.where(peak <= least, 0.0, hours_above(times, effect, share * peak))
    return jnp.where(jnp.isnan(peak), jnp.nan, hours)


@checked_arguments
def is_over(
    times: Any, effect: Any, *, share: PartOfPeak = 0.1, least: ArrayLike = 0.0
) -> Array:
    """Whether the effect is at most a share of its peak at the first and last time.

    It also is where the peak is not above `least`. UserError for a curve that does not fit the times.
    """
    times, effect = as_hours(times), _curve(effect)
    least = one_number(least, where="least")
    check_curve(times, effect)
    peak = jnp.max(effect)
    ends = jnp.maximum(effect[0], effect[-1])
    return (ends <= share * peak) | (peak <= least)


def _curve(effect: Any) -> Array:
    return jnp.asarray(read_numbers(effect, where="effect", finite=False), float)


def hours_above(times: Curve, effect: Curve, level: Array) -> Array:
    """Hours for which a curve, linear between the times, exceeds a level."""
    before, after = effect[:-1] - level, effect[1:] - level
    rise = after - before
    risen = jnp.maximum(after, 0.0) - jnp.maximum(before, 0.0)
    is_flat = rise == 0
    share = jnp.where(is_flat, before > 0, risen / jnp.where(is_flat, 1.0, rise))
    return jnp.sum(share * jnp.diff(times))

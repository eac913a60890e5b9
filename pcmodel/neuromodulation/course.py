r"""From doses to receptors over time, for one participant.

dose -> plasma -> effect site -> competitive occupancy -> operational response -> second stage (named).
Every stage is kept, so that each can be looked at and each can be replaced.  Zero dose gives exact
zeros all the way.
"""

from operator import itemgetter
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.arrays import default_dtype, is_wide, read_numbers
from pcmodel.errors import UserError
from pcmodel.neuromodulation.dosing import Regimen, check_value
from pcmodel.neuromodulation.kinetics import Concentration, superpose
from pcmodel.neuromodulation.participant import Participant, Physiology
from pcmodel.neuromodulation.pools import depletable
from pcmodel.neuromodulation.receptors import occupancy, operational
from pcmodel.neuromodulation.transducer import Threshold, Transducer

Curve = Float[Array, " times"]

LONGEST_STEP = 0.25
"""Hours between times up to which a store or a pool is integrated."""


class Course(NamedTuple):
    """What happens in one person over time.

    plasma, effect_site: ng/mL.  occupancy_2a, occupancy_1a: share of receptors filled by each compound.
    serotonin: released, in multiples of its K at 5-HT2A; store: content, 1 = full.
    receptors: 5-HT2A that are left, 1 = all.  response_*: share of the system's maximum, above rest.
    effect_2a: after the second stage, 1 = psilocin at every receptor.
    nmda_block: share of channels blocked.
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


def check_times(
    times: np.ndarray,
    person: Participant,
    *,
    tolerance: bool,
    doses: Regimen = (),
) -> None:
    """Raise a UserError unless the times fit what is integrated.

    They must ascend, densely enough, and begin before the first dose: stores and pools are full then.
    """
    steps = np.diff(times)
    if times.ndim != 1 or len(times) < 2 or not np.all(steps > 0):
        raise UserError("times must ascend, in hours, two or more of them.")
    if (person.has_releaser or tolerance) and steps.max() > LONGEST_STEP + 1e-9:
        raise UserError(
            f"times are up to {steps.max():g} h apart; a serotonin store or receptor "
            f"tolerance needs steps of {LONGEST_STEP} h or less."
        )
    early = [dose for dose in doses if _is_before(dose.hours, times[0])]
    if (person.has_releaser or tolerance) and early:
        raise UserError(
            f"dose 1 ({early[0].compound}): is at {early[0].hours:g} h, before the first time, "
            f"{times[0]:g} h, at which a serotonin store or receptors would be full."
        )


def _is_before(hours: ArrayLike, time: float) -> bool:
    return not isinstance(hours, Tracer) and bool(np.any(np.asarray(hours) < time))


def read_times(
    times: ArrayLike, doses: Regimen, person: Participant, *, tolerance: bool
) -> Curve:
    """Hours as floats: a dose at half past is not to be rounded to whole hours."""
    numbers = read_numbers(times, where="times", dtype=default_dtype())
    for number, dose in enumerate(doses, 1):
        check_value(dose.mg, "amount", "mg", f"dose {number} ({dose.compound})")
        check_value(dose.hours, "time", "h", f"dose {number} ({dose.compound})")
    if numbers.ndim != 1 or not numbers.size:
        raise UserError(
            f"has shape {numbers.shape}",
            where="times",
            expected="hours, one after another",
        )
    known = not isinstance(numbers, Tracer)
    if known and (person.has_releaser or tolerance):
        check_times(np.asarray(numbers), person, tolerance=tolerance, doses=doses)
    return jnp.asarray(times if is_wide(times) else numbers)


def concentrations(doses: Regimen, times: Curve, person: Participant) -> Concentration:
    """Plasma and effect site of every compound: (compounds, times)."""
    curves = []
    for index, name in enumerate(person.compounds):
        kinetics = jax.tree.map(itemgetter(index), person.ligands.kinetics)
        parts = []
        for dose in doses:
            if dose.compound == name:
                hours = read_numbers(dose.hours, where=name)
                since = times - jnp.asarray(hours, times.dtype)
                mg = jnp.asarray(read_numbers(dose.mg, where=name), times.dtype)
                plasma, site = dose.route.per_mg(kinetics, since)
                parts.append((mg * plasma, mg * site))
        curves.append(superpose(parts, times))
    stacked = jax.tree.map(lambda *rows: jnp.stack(rows), *curves)
    return Concentration(stacked.plasma, stacked.effect_site)


class Release(NamedTuple):
    """Extracellular serotonin above rest (multiples of its K at 5-HT2A), and the store."""

    serotonin: Curve
    store: Curve


def release(site: Array, times: Curve, person: Participant) -> Release:
    """Serotonin released by reversed transport from a store that runs out.

    dS/dt = -k f(C) S + r (1 - S), f = C / (C + EC50); what is outside follows f S at once.
    """
    if not person.has_releaser:
        return Release(jnp.zeros_like(times), jnp.ones_like(times))
    reversal = jnp.sum(site / person.ligands.release_ec50[:, None], axis=0)
    demand = reversal / (1 + reversal)
    body = person.physiology
    store = depletable(times, demand, spend=body.release, refill=body.refill)
    return Release(body.excess * demand * store, store)


class Binding(NamedTuple):
    """At one receptor type: who fills it, and the stimulus above which serotonin's is counted."""

    occupancy: Float[Array, "compounds times"]
    stimulus: Curve
    rest: Array


def bind(
    site: Array,
    serotonin: Curve,
    *,
    dissociation: Array,
    efficacy: Array,
    serotonin_k: Array,
    serotonin_efficacy: Array,
    tone: Array,
) -> Binding:
    """Competition of all compounds and serotonin for one receptor type."""
    ratios = site / dissociation[:, None]
    own = (tone + serotonin) / serotonin_k
    every = jnp.concatenate([ratios, own[None]])
    shares = jax.vmap(occupancy, in_axes=1, out_axes=1)(every)
    taus = jnp.concatenate([efficacy, serotonin_efficacy[None]])
    at_rest = tone / serotonin_k
    rest = serotonin_efficacy * at_rest / (1 + at_rest)
    return Binding(shares[:-1], taus @ shares, rest)


def above_rest(stimulus: Curve, rest: Array, acting: Array, slope: Array) -> Curve:
    """Operational response less that at rest: exactly 0 where nothing acts.

    What rounding leaves there is taken away as a constant, so that the derivative in a dose of 0 stays.
    """
    change = operational(stimulus, slope) - operational(rest, slope)
    return change - jax.lax.stop_gradient(jnp.where(acting, 0.0, change))


def transducer_of(body: Physiology) -> Threshold:
    """The default second stage, with this person's threshold."""
    return Threshold(body.onset, body.full)


def simulate(
    doses: Regimen,
    times: ArrayLike,
    person: Participant,
    *,
    transducer: Transducer | None = None,
    tolerance: bool = False,
) -> Course:
    """One participant's course.

    times: hours, ascending (`check_times`).  transducer: the second stage; by default the
    participant's own threshold.  tolerance: whether receptors are lost with use; it matters from
    the second dose on, and is off because within one session the loss is part of what the
    second stage was calibrated on.

    Raises UserError for times or amounts that are not finite numbers, and where a store or a pool is
    integrated as `check_times` does; traced ones are taken as they are.
    """
    times = read_times(times, doses, person, tolerance=tolerance)
    ligands, body = person.ligands, person.physiology
    plasma, site = concentrations(doses, times, person)
    serotonin, store = release(site, times, person)
    at_2a = bind(
        site,
        serotonin,
        dissociation=ligands.k_2a,
        efficacy=ligands.efficacy_2a,
        serotonin_k=body.serotonin_k_2a,
        serotonin_efficacy=body.serotonin_efficacy_2a,
        tone=body.tone,
    )
    at_1a = bind(
        site,
        serotonin,
        dissociation=ligands.k_1a,
        efficacy=ligands.efficacy_1a,
        serotonin_k=body.serotonin_k_1a,
        serotonin_efficacy=body.serotonin_efficacy_1a,
        tone=body.tone,
    )
    receptors = jnp.ones_like(times)
    if tolerance:
        agonists = ligands.efficacy_2a > 0
        receptors = depletable(
            times,
            jnp.sum(jnp.where(agonists[:, None], at_2a.occupancy, 0), axis=0),
            spend=body.down_regulation,
            refill=body.recovery,
        )
    acting = jnp.sum(site, axis=0) > 0
    response_2a = above_rest(at_2a.stimulus * receptors, at_2a.rest, acting, body.slope)
    blocked = jnp.sum(site / ligands.nmda_ic50[:, None], axis=0)
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
        (transducer or transducer_of(body))(response_2a),
        blocked / (1 + blocked),
    )


def duration(times: Curve, effect: Curve, *, share: float = 0.1) -> Array:
    """Hours for which an effect exceeds a share of its own peak (0 if there is none).

    Crossings are interpolated, so that it varies smoothly with the dose.
    """
    return hours_above(times, effect, share * jnp.max(effect))


def hours_above(times: Curve, effect: Curve, level: Array) -> Array:
    """Hours for which a curve, a straight line between the times, exceeds a level."""
    before, after = effect[:-1] - level, effect[1:] - level
    rise = after - before
    part = jnp.where(rise == 0, 0.0, after / jnp.where(rise == 0, 1.0, rise))
    above = jnp.where(
        (before > 0) & (after > 0),
        1.0,
        jnp.where(
            (before <= 0) & (after > 0), part, jnp.where(before > 0, 1 - part, 0.0)
        ),
    )
    above = jnp.where((before <= 0) & (after <= 0), 0.0, above)
    return jnp.sum(above * jnp.diff(times))

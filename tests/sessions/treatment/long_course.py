"""A person who swallows one compound several times, by scipy from the differential equations: for tests."""

from typing import NamedTuple

import jax
import numpy as np
from scipy.integrate import solve_ivp


class LongCourse(NamedTuple):
    """At given hours: released serotonin over its K, and the effect at 5-HT2A."""

    released: np.ndarray
    effect: np.ndarray


def long_course(person, doses, hours, *, renewed=()):
    """The whole course of a person.

    renewed: hours at which a first session would have all receptors; a response is weakened by what is left over what
        would be left then.
    """
    # Numbers as Python has them: the equations are evaluated many thousand times.
    drug, body = jax.tree.map(
        lambda leaf: np.ravel(leaf)[0].item(), (person.ligands, person.physiology)
    )
    kinetics = drug.kinetics

    def binding(site, store):
        reversal = site / drug.release_ec50
        demand = reversal / (1 + reversal)
        released = body.excess * demand * store
        bound = site / drug.k_2a, (body.tone + released) / body.serotonin_k_2a
        shares = np.array(bound) / (1 + sum(bound))
        return demand, released, shares

    def slope(_, state):
        gut, plasma, site, store, left, fresh = state
        demand, _, shares = binding(site, store)
        held = shares[0] * (drug.efficacy_2a > 0)
        used, recovery = body.down_regulation * held, body.recovery
        return [
            -kinetics.absorption * gut,
            1000 * kinetics.absorption * gut / kinetics.volume
            - kinetics.elimination * plasma,
            kinetics.effect_site * (plasma - site),
            body.refill * (1 - store) - body.release * demand * store,
            recovery * (1 - left) - used * left,
            recovery * (1 - fresh) - used * fresh,
        ]

    changes = sorted(
        [(dose.hours + kinetics.lag, dose.mg) for dose in doses]
        + [(hour, None) for hour in renewed]
    )
    state, now, rows = np.array([0.0, 0, 0, 1, 1, 1]), 0.0, []
    for until, mg in [*changes, (hours[-1], 0.0)]:
        own = hours[(hours > now) & (hours <= until)]
        if until > now:
            solved = solve_ivp(
                slope,
                (now, until),
                state,
                "LSODA",
                np.unique(np.append(own, until)),
                rtol=1e-9,
                atol=1e-11,
            )
            rows += list(solved.y[:, : len(own)].T)
            state = solved.y[:, -1]
        if mg is None:
            state[5] = 1.0
        else:
            state[0] += mg
        now = until
    told = np.array([_read(row, binding, drug, body) for row in rows])
    return LongCourse(*told.T)


def _read(row, binding, drug, body):
    *_, site, store, left, fresh = row
    _, released, shares = binding(site, store)

    def response(stimulus):
        return stimulus**body.slope / (1 + stimulus**body.slope)

    taus = np.array([drug.efficacy_2a, body.serotonin_efficacy_2a])
    rest = body.tone / body.serotonin_k_2a
    rest = body.serotonin_efficacy_2a * rest / (1 + rest)
    above = response(taus @ shares * left / fresh) - response(rest)

    def steep(value):
        return 1 / (1 + (body.half / max(value, 1e-12)) ** body.power)

    return released, steep(above) / steep(body.full)

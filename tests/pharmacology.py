"""Pharmacology derived a second time: differential equations handed to scipy, and
textbook formulas in numpy. Nothing here uses the package's own expressions."""

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp


def chain_by_ode(times, rates, doses, volume):
    """Plasma and effect site (ng/mL) of a gut - plasma - effect-site chain.

    rates: (absorption, elimination, effect site, lag), 1/h and h.  doses: (mg, hours,
    route, duration) with route "oral", "bolus" or "infusion".  Integrated from event to
    event, so that no jump falls inside a step.
    """
    ka, ke, k0, lag = rates
    jumps, infusions, events = [], [], {0.0, float(times[-1])}
    for mg, hours, route, length in doses:
        if route == "oral":
            jumps.append((hours + lag, 0, mg))
        elif route == "bolus":
            jumps.append((hours, 1, mg))
        else:
            infusions.append((hours, hours + length, mg / length))
            events |= {hours, hours + length}
    events = sorted(events | {time for time, *_ in jumps})
    state, grid, found = np.zeros(3), [0.0], [np.zeros(3)]
    for start, end in pairwise(events):
        for time, part, mg in jumps:
            if time == start:
                state = state + np.eye(3)[part] * mg
        rate = sum(r for a, b, r in infusions if a <= start < b)

        def slope(_, y, rate=rate):
            return [
                -ka * y[0],
                ka * y[0] + rate - ke * y[1],
                k0 * (y[1] - y[2]),
            ]

        inside = times[(times > start) & (times <= end)]
        wanted = np.unique([*inside, end])
        solved = solve_ivp(
            slope, (start, end), state, t_eval=wanted, rtol=1e-11, atol=1e-13
        )
        state = solved.y[:, -1]
        grid.extend(wanted)
        found.extend(solved.y.T)
    rows = np.asarray(found)[np.searchsorted(grid, times)]
    return 1000 * rows[:, 1] / volume, 1000 * rows[:, 2] / volume


def pool_by_ode(times, demand, spend, refill):
    """dP/dt = -k u P + r (1 - P) from 1, u a function of time."""
    solved = solve_ivp(
        lambda t, p: -spend * demand(t) * p + refill * (1 - p),
        (times[0], times[-1]),
        [1.0],
        t_eval=times,
        rtol=1e-10,
        atol=1e-12,
        max_step=0.05,
    )
    return solved.y[0]


def lag_by_ode(times, signal, rate):
    """dh/dt = k (u - h) from 0."""
    solved = solve_ivp(
        lambda t, h: rate * (signal(t) - h),
        (times[0], times[-1]),
        [0.0],
        t_eval=times,
        rtol=1e-10,
        atol=1e-12,
        max_step=0.02,
    )
    return solved.y[0]


def black_leff(concentration, dissociation, efficacy, slope):
    """(tau A)^n / ((K + A)^n + (tau A)^n)."""
    driven = (efficacy * concentration) ** slope
    return driven / ((dissociation + concentration) ** slope + driven)


def binding_by_ode(times, ratios, rates):
    """Shares of receptors (ligands, times) from empty ones: d rho_i / dt = k_i (x_i vacant - rho_i).

    ratios: a function of time; rates: 1/h.  An implicit method, for stiff rates.
    """
    rates = np.asarray(rates)
    solved = solve_ivp(
        lambda t, rho: rates * (ratios(t) * (1 - rho.sum()) - rho),
        (times[0], times[-1]),
        np.zeros(len(rates)),
        t_eval=times,
        method="Radau",
        rtol=1e-9,
        atol=1e-12,
        max_step=0.05,
    )
    return solved.y


def binding_exactly(shares, ratios, rates, step):
    """Shares after a step of constant concentrations, in 80 decimal digits.

    Scaling and squaring of the whole generator, vacant state included: no rate is too fast for it.
    """
    from decimal import Decimal, localcontext

    with localcontext() as context:
        context.prec = 80
        exact = [[Decimal(float(v)) for v in row] for row in (shares, ratios, rates)]
        size, hours = len(shares) + 1, Decimal(float(step))
        generator = [[Decimal(0)] * size for _ in range(size)]
        for i, (x, k) in enumerate(zip(exact[1], exact[2], strict=True)):
            for row, column, rate in ((i, i, -k), (-1, i, k), (i, -1, k * x)):
                generator[row][column] += rate * hours
            generator[-1][-1] -= k * x * hours
        halvings, largest = 0, max(abs(v) for row in generator for v in row)
        while largest > Decimal("0.01"):
            largest, halvings = largest / 2, halvings + 1
        small = [[v / Decimal(2) ** halvings for v in row] for row in generator]
        result = power = [
            [Decimal(int(i == j)) for j in range(size)] for i in range(size)
        ]
        for order in range(1, 30):
            power = [[v / order for v in row] for row in _product(power, small)]
            result = [
                [a + b for a, b in zip(*rows, strict=True)]
                for rows in zip(result, power, strict=True)
            ]
        for _ in range(halvings):
            result = _product(result, result)
        start = [*exact[0], 1 - sum(exact[0])]
        return np.asarray(
            [
                float(sum(a * b for a, b in zip(row, start, strict=True)))
                for row in result[:-1]
            ]
        )


def _product(a, b):
    columns = list(zip(*b, strict=True))
    return [
        [sum(x * y for x, y in zip(row, column, strict=True)) for column in columns]
        for row in a
    ]


def agonist_effect(site, dissociation, efficacy, *, half, power, full, blocker=0.0):
    """Effect of one agonist beside an antagonist's C/K, written out: Gaddum, Black & Leff, Hill."""
    x = site / dissociation
    driven = efficacy * x / (1 + x + blocker)
    response = driven / (1 + driven)
    top = full**power / (full**power + half**power)
    with np.errstate(under="ignore"):
        return response**power / (response**power + half**power) / top

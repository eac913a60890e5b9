"""The plasticity window derived a second time: its differential equations handed to scipy, and divided
differences in decimals of a hundred digits.  Nothing here uses the package's own expressions."""

from decimal import Decimal, localcontext

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar


def chain_by_decimals(time, rates):
    """Content of the last stage, as the textbook sum; equal rates are parted by 1e-25 of themselves."""
    with localcontext() as context:
        context.prec = 150
        parted = [
            Decimal(float(rate)) * (1 + (place + 1) * Decimal(10) ** -25)
            for place, rate in enumerate(rates)
        ]
        total = Decimal(0)
        for place, rate in enumerate(parted):
            term = (-rate * Decimal(float(time))).exp()
            for other in parted[:place] + parted[place + 1 :]:
                term /= other - rate
            total += term
        for rate in parted[:-1]:
            total *= rate
        return float(total)


def chains_by_ode(days, impulses, stages, taps):
    """Contents of stages over days after impulses into the first.

    impulses: (day, size).  stages: time constants of a common line of stages, days.  taps: by name, time
    constants of a line that the last common stage feeds.  Returns (common stages, days) and by name the
    last stage of each line.
    """
    lines = list(taps.values())
    rates = 1 / np.asarray(stages, float)
    own = [1 / np.asarray(line, float) for line in lines]
    sizes = [len(rates), *(len(line) for line in own)]
    offsets = np.cumsum([0, *sizes])

    def slope(_, y):
        found = np.zeros_like(y)
        flow = rates * y[: sizes[0]]
        found[: sizes[0]] = np.concatenate([[0.0], flow[:-1]]) - flow
        for line, start in zip(own, offsets[1:-1], strict=True):
            out = line * y[start : start + len(line)]
            found[start : start + len(line)] = (
                np.concatenate([flow[-1:], out[:-1]]) - out
            )
        return found

    days = np.asarray(days, float)
    grid = np.unique([*days, *(day for day, _ in impulses)])
    state, rows = np.zeros(offsets[-1]), []
    for place, day in enumerate(grid):
        if place:
            solved = solve_ivp(
                slope,
                (grid[place - 1], day),
                state,
                method="LSODA",
                rtol=1e-11,
                atol=1e-15,
            )
            state = solved.y[:, -1]
        for moment, size in impulses:
            if moment == day:
                state = state + size * np.eye(len(state))[0]
        rows.append(state)
    found = np.asarray(rows)[np.searchsorted(grid, days)].T
    return found[: sizes[0]], {
        name: found[end - 1] for name, end in zip(taps, offsets[2:], strict=True)
    }


def largest(stages):
    """The largest content of the last of a line of stages after a unit impulse."""

    def content(day):
        return chains_by_ode([day], [(0.0, 1.0)], stages, {})[0][-1, 0]

    grid = np.linspace(0, 3 * np.sum(stages), 400)
    values = chains_by_ode(grid, [(0.0, 1.0)], stages, {})[0][-1]
    top = int(np.argmax(values))
    if top == 0:
        return values[0]
    found = minimize_scalar(
        lambda day: -content(day),
        bounds=(grid[top - 1], grid[top + 1]),
        method="bounded",
        options={"xatol": 1e-7},
    )
    return -found.fun

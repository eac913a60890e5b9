"""Alternation with fatigue by a master equation on a grid, in numpy and scipy alone.

States are (activity, fatigue, which percept dominates).  Activity moves between neighbouring cells with rates that keep
detailed balance at every fatigue (Wang, Peskin & Elston 2003); fatigue is carried upwind; errors of both fall as their cells
do, so that grids are extrapolated.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu, spsolve


class Landscape(NamedTuple):
    """cause m, precision of the causes, J, slope of the blend in x, y, temperature, log odds phi, time constant tau."""

    cause: float = 1.0
    causes: float = 14.0
    evidence: float = 4 / 3
    slope: float = 1.0
    target: float = 0.0
    temperature: float = 1.0
    log_odds: float = 3.0
    time: float = 3.0


class Expected(NamedTuple):
    """Switches per time, shares of time of mixed and left percepts, mean dominance and variation of either side."""

    rate: float
    mixed: float
    left: float
    dominance_left: float
    dominance_right: float
    variation_left: float
    variation_right: float


def expected(where: Landscape, cells: int = 64, tired: int = 30) -> Expected:
    """Extrapolated to no size of cells, of activity and of fatigue, whose errors are of the first order."""
    coarse, fine, finer = (
        _solve(where, *sizes)
        for sizes in ((cells, tired), (cells, 2 * tired), (2 * cells, tired))
    )
    return Expected(*(b + c - a for a, b, c in zip(coarse, fine, finer, strict=True)))


def _energy(where: Landscape, x: np.ndarray, fatigue: float) -> np.ndarray:
    odds = where.log_odds * fatigue
    causes = np.logaddexp(
        -0.5 * where.causes * (x - where.cause) ** 2 - odds,
        -0.5 * where.causes * (x + where.cause) ** 2 + odds,
    )
    return -causes + 0.5 * where.evidence * (where.target - where.slope * x) ** 2


def _ratio(z: np.ndarray) -> np.ndarray:
    """z / (exp(z) - 1)."""
    small = np.abs(z) < 1e-9
    return np.where(small, 1 - z / 2, z / np.expm1(np.where(small, 1.0, z)))


def _solve(where: Landscape, cells: int, tired: int) -> Expected:
    half, heat = where.cause / 2, where.temperature
    far = where.cause + 5 * np.sqrt(heat / where.causes)
    width = half / max(round(cells * half / (2 * far)), 4)
    edges = np.arange(-np.ceil(far / width), np.ceil(far / width) + 1) * width
    x = 0.5 * (edges[1:] + edges[:-1])
    rims = np.linspace(-1, 1, tired + 1)
    fatigue = 0.5 * (rims[1:] + rims[:-1])
    places = np.arange(2 * tired * len(x)).reshape(2, tired, len(x))
    # Where the other percept's region begins, this one no longer dominates: such states are never entered.
    region = np.where(x > half, 0, np.where(x < -half, 1, -1))
    moves = []

    def move(start, end, rate, flips=-1):
        moves.append((start, end, rate, np.full(len(start), flips)))

    for at, own in enumerate(fatigue):
        steps = np.diff(_energy(where, x, own)) / heat
        rates = heat / width**2 * _ratio(steps), heat / width**2 * _ratio(-steps)
        pairs = ((np.arange(len(x) - 1), 1), (np.arange(1, len(x)), -1))
        for side in (0, 1):
            for (start, way), rate in zip(pairs, rates, strict=True):
                end = start + way
                flips = region[end] == 1 - side
                stays = ~flips
                move(places[side, at, start[stays]], places[side, at, end[stays]], rate[stays])  # fmt: skip
                move(places[side, at, start[flips]], places[1 - side, at, end[flips]], rate[flips], side)  # fmt: skip
            if at + 1 < tired:
                speed = (np.tanh(where.causes * where.cause * x) - rims[at + 1]) / where.time  # fmt: skip
                speed = speed / (rims[1] - rims[0])
                move(places[side, at], places[side, at + 1], np.maximum(speed, 0))
                move(places[side, at + 1], places[side, at], np.maximum(-speed, 0))
    start, end, rate, flips = (
        np.concatenate(each) for each in zip(*moves, strict=True)
    )
    size = places.size
    generator = sparse.csc_matrix((rate, (end, start)), shape=(size, size))
    generator = generator - sparse.diags(np.bincount(start, rate, size))
    is_entered = np.ones(places.shape, bool)
    for side in (0, 1):
        is_entered[side][:, region == 1 - side] = False
    kept = np.flatnonzero(is_entered)
    generator = generator[kept][:, kept]
    share = np.zeros(size)
    share[kept] = _stationary(generator)
    flow = share[start] * rate * (flips >= 0)
    activity = np.broadcast_to(x, places.shape).ravel()
    moments = []
    for side in (0, 1):
        own = kept[kept // (tired * len(x)) == side]
        entering = np.bincount(end, flow * (flips == 1 - side), size)[own]
        inside = generator[np.isin(kept, own)][:, np.isin(kept, own)]
        leaving = splu(inside.T.tocsc())
        mean = leaving.solve(-np.ones(len(own)))
        square = leaving.solve(-2 * mean)
        entering = entering / entering.sum()
        first, second = entering @ mean, entering @ square
        moments.append((first, np.sqrt(second - first**2) / first))
    (left, left_varies), (right, right_varies) = moments
    mixed, of_left = share[np.abs(activity) < half].sum(), share[activity > half].sum()
    return Expected(flow.sum(), mixed, of_left, left, right, left_varies, right_varies)


def _stationary(generator: sparse.csc_matrix) -> np.ndarray:
    number = generator.shape[0]
    whole = sparse.vstack([generator[:-1], np.ones((1, number))]).tocsc()
    return spsolve(whole, np.eye(number, 1, 1 - number)[:, 0])

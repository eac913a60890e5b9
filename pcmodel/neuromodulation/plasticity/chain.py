r"""A chain of first-order stages in closed form, stable where time constants coincide.

A unit impulse enters the first stage, and each passes its content on at its rate,

$$\dot a_1 = -k_1 a_1, \qquad \dot a_j = k_{j-1} a_{j-1} - k_j a_j.$$

The content of the last is a sum of exponentials: the product of the other rates times the divided
difference of $e^{-kt}$ over all (Bateman 1910). The textbook sum divides by differences of rates. Here
rates that are apart by less than `NEAR` over the time take the series of the divided difference
about the fastest of them, whose terms are all positive (so nothing cancels), and the others the
recursion of divided differences. The content is log-concave in time and has one peak.
"""

from functools import partial
from math import factorial

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

NEAR = 1.0  # spread of rates times time below which the series is used
TERMS = 20  # of the series; the first one left out is below 1e-18
HALVINGS = 60  # of an interval that is bisected


def through(time: Float[Array, ""], rates: Float[Array, " stages"]) -> Float[Array, ""]:
    """Content of the last stage a time after a unit impulse into the first; share, 0 to 1.

    time: since the impulse, 0 or more.
    rates: of every stage, positive, in any order; the last one given is that of the last stage.
    """
    ascending = jnp.sort(rates)
    turns = list(ascending * time)
    # Divided differences times every rate but the slowest, which keeps them between 0 and 1.
    row = [jnp.exp(-turn) for turn in turns]
    for order in range(1, len(turns)):
        row = [
            _joined(turns[first : first + order + 1], row[first], row[first + 1])
            for first in range(len(row) - 1)
        ]
    # The slowest of the sorted ones: of equal ones it is the one left out above.
    return row[0] * (ascending[0] / rates[-1])


def _joined(turns: list[Array], without_last: Array, without_first: Array) -> Array:
    """The divided difference over ascending rates times time, from those over all but one."""
    gap = turns[-1] - turns[0]
    near = gap < NEAR
    apart = turns[-1] * without_last - turns[1] * without_first
    series = _series([jnp.where(near, turn, 1.0) for turn in turns])
    return jnp.where(near, series, apart / jnp.where(near, 1.0, gap))


def _series(turns: list[Array]) -> Array:
    """The same by its series: complete homogeneous polynomials of the distances to the fastest."""
    order = len(turns) - 1
    below = [turns[-1] - turn for turn in turns]

    def add(term: Array, carried: tuple[list[Array], Array, Array]):
        powers, weight, total = carried
        total = total + weight * powers[-1]
        # h_m of the first variables is h_m of all but the last of them plus that one times h_(m-1).
        grown = [below[0] * powers[0]]
        for distance, power in zip(below[1:], powers[1:], strict=True):
            grown.append(grown[-1] + distance * power)
        return grown, weight / (term + order + 1), total

    one = jnp.ones_like(turns[0])
    start = ([one] * len(turns), one / factorial(order), jnp.zeros_like(one))
    total = jax.lax.fori_loop(0, TERMS, add, start)[2]
    fall = jnp.exp(-turns[-1] / order)
    for turn in turns[1:]:
        total = total * (turn * fall)
    return total


def peak_time(rates: Float[Array, " stages"]) -> Float[Array, ""]:
    """When the content of the last stage is largest, by bisection of its slope; no derivative."""
    rates = jax.lax.stop_gradient(rates)
    if len(rates) == 1:
        return jnp.zeros((), rates.dtype)

    def rises(time: Array) -> Array:
        inflow = rates[-2] * through(time, rates[:-1])
        return inflow > rates[-1] * through(time, rates)

    def halve(_, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        up = rises(middle)
        return jnp.where(up, middle, low), jnp.where(up, high, middle)

    # The mode of a sum of exponential delays is not beyond its mean.
    ends = (jnp.zeros((), rates.dtype), 2 * jnp.sum(1 / rates))
    low, high = jax.lax.fori_loop(0, HALVINGS, halve, ends)
    return 0.5 * (low + high)


def peak(rates: Float[Array, " stages"]) -> Float[Array, ""]:
    """The largest content of the last stage; its derivative in the rates is that at a fixed time."""
    return through(peak_time(rates), rates)


@partial(jax.jit, static_argnames="share")
def falling_at(
    onset_days: Float[Array, " stages"], time: Float[Array, ""], *, share: float = 0.1
) -> Float[Array, ""]:
    """The time constant of a last stage that has fallen to a share of its peak at a time, days.

    onset_days: time constants of the stages before it, days.
    time: since the impulse, days.
    NaN where the stages before are too slow for that.
    """

    def later(log_days: Array) -> Array:
        """Whether it falls to the share after the time."""
        rates = 1 / jnp.append(onset_days, jnp.exp(log_days))
        at_peak = peak_time(rates)
        left = through(time, rates)
        return (left > share * through(at_peak, rates)) | (at_peak > time)

    def halve(_, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        after = later(middle)
        return jnp.where(after, low, middle), jnp.where(after, middle, high)

    ends = (jnp.log(1e-6 * time), jnp.log(10 * time))
    low, high = jax.lax.fori_loop(0, HALVINGS, halve, ends)
    return jnp.where(later(ends[0]), jnp.nan, jnp.exp(0.5 * (low + high)))

r"""What passing time keeps of what was learned, for any pytree of parameters.

What is new is *labile*; it decays, and a share of what decays is *consolidated* into a slow trace, which is itself
forgotten towards the person's baseline.  With $\ell$ the labile part, s the slow trace, b the baseline, and the current
parameters $s + \ell$,

$$ \dot\ell = -\ell / \tau, \qquad \dot s = c\, \ell / \tau - f\, (s - b) . $$

Over d days, whatever they hold,

$$ \ell(d) = e^{-d/\tau} \ell, \qquad s(d) = b + e^{-f d} (s - b) + c\, \ell\, \frac{d}{\tau}\, e^{-m}\,
   \frac{1 - e^{-|d/\tau - f d|}}{|d/\tau - f d|}, \qquad m = \min(d / \tau, f d) . $$

Without forgetting (f = 0) the last term is $c\,(1 - e^{-d/\tau})\,\ell$: of what decayed the share c is kept.  The formula
is the flow of the equations, so that two intervals make the same as their sum (consolidation and forgetting included): how
often one looks changes nothing.  Consolidating first, and forgetting for d days what was consolidated, would not do so.

Two time scales with transfer are the simplest account in which learning is fast, and keeping it slow (a cascade of two;
Fusi, Drew & Abbott 2005, Neuron 45:599; Benna & Fusi 2016, Nat Neurosci 19:1697).  Parameters are linear in time:
means and weights in their own units, precisions in logarithms.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import NotNegative, Positive, Share


class Trace(NamedTuple):
    """Parameters in three states, pytrees of equal structure.

    current: with which inference works; labile part included.
    slow: the consolidated part.
    baseline: towards which the slow part is forgotten.
    """

    current: Any
    slow: Any
    baseline: Any


@checked_arguments
@dataclass(frozen=True)
class Retention:
    """How much of what was learned is kept.

    labile_days: time constant of what is new, days, above 0: after these days 1/e of it is left as it was.
    consolidation: share of the decaying part that becomes slow, 0 to 1; at 1 nothing decays but into the slow trace.
    forgetting_per_day: rate at which the slow part returns to the baseline, per day, 0 or more; 0: never.

    The values are assumptions to be varied, not measurements of people.
    """

    labile_days: Positive = 2.0
    consolidation: Share = 0.7
    forgetting_per_day: NotNegative = 0.01


def begin(parameters: Any, baseline: Any = None) -> Trace:
    """A trace in which everything is consolidated; baseline: None for the parameters themselves."""
    return Trace(parameters, parameters, parameters if baseline is None else baseline)


def after_days(
    trace: Trace,
    days: ArrayLike,
    *,
    labile_days: ArrayLike,
    consolidation: ArrayLike,
    forgetting_per_day: ArrayLike,
) -> Trace:
    """The trace after a time without sessions; pure, for one person (`vmap` over people and their options).

    days: 0 or more.
    labile_days, consolidation, forgetting_per_day: as for `Retention`, numbers or scalar arrays.
    """
    decayed = jnp.asarray(days) / labile_days
    forgotten = jnp.asarray(days) * forgetting_per_day
    kept, held = jnp.exp(-decayed), jnp.exp(-forgotten)
    gained = consolidation * decayed * mean_decay(decayed, forgotten)

    def one(current: Array, slow: Array, baseline: Array) -> tuple[Array, Array]:
        share = [jnp.asarray(each, current.dtype) for each in (kept, held, gained)]
        labile = current - slow
        new = baseline + share[1] * (slow - baseline) + share[2] * labile
        return new + share[0] * labile, new

    pairs = jax.tree.map(one, *trace)
    current, slow = jax.tree.transpose(
        jax.tree.structure(trace.current), jax.tree.structure((0, 0)), pairs
    )
    return Trace(current, slow, trace.baseline)


def mean_decay(first: Array, last: Array) -> Array:
    """Mean of exp(-t) over t between two positive numbers, in either order; exp(-t) where they are equal."""
    apart = first - last
    near = jnp.abs(apart) < 1e-2
    # Beside 0 / 0 a series, accurate to rounding, whose derivatives are those of the function as well.
    middle = jnp.exp(-(first + last) / 2) * (1 + apart**2 / 24 + apart**4 / 1920)
    safe = jnp.where(near, 1, jnp.abs(apart))
    far = jnp.exp(-jnp.minimum(first, last)) * -jnp.expm1(-safe) / safe
    return jnp.where(near, middle, far)


def labile_part(trace: Trace) -> Any:
    """Current minus slow parameters."""
    return jax.tree.map(jnp.subtract, trace.current, trace.slow)

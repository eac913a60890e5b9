r"""Binocular rivalry whose percepts tire: alternation by noise and adaptation together.

The landscape of `rivalry`, whose prior odds follow a slow *fatigue* a of what is seen,

$$w_{\pm 1} \propto e^{\mp \varphi a}, \qquad \tau \dot a = \tanh(g_2 \pi_2 m x) - a ,$$

where the tanh is how sure x makes the left cause over the right.  The longer a cause has been believed, the less likely it
is held to be: a slow prior that the world changes (Hohwy, Roepstorff & Friston 2008), or, read as physiology, fatigue of the
units that explain (Dayan 1998 Neural Comput 10:1119).  Without fatigue switching has no memory, and the times for which a
percept dominates are nearly exponential (coefficient of variation 1); with it they are like a gamma distribution's
(Levelt 1967 Br J Psychol 58:143; no more than a resemblance: Brascamp et al. 2005 J Vis 5:287).  How much of either is at
work: Shpiro, Moreno-Bote, Rubin & Rinzel 2009 J Comput Neurosci 27:37, coefficients of .4 to .6 (from memory).

Stepped by Heun's scheme with `STEP` of the fastest time of the landscape.  A percept *dominates* from when activity enters its
region (|x| > m/2) until it enters the other's; crossings between two steps are allowed for by moving that line (Broadie,
Glasserman & Kou 1997 Math Finance 7:325).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.ranges import Count, NotNegative, Positive
from pcmodel.neuromodulation.accounts.accounts import Account, Effects
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import Group
from pcmodel.paradigms.perception.rivalry import (
    Landscape,
    Rivalry,
    flattened,
    landscape,
    nearness,
    rivalry_factors,
)
from pcmodel.runtime.memory import check_fits

STEP = 0.2
"""Of a step, over the time of the steepest curvature."""
MISSED = 0.5826
"""How far a line moves for crossings between steps, in s.d. of a step: -zeta(1/2) / sqrt(2 pi)."""
EVERY = 8
"""Steps from one sample to the next."""
SETTLING = 10
"""The part of a run, one in so many, that is left out at its beginning."""


@checked_arguments
@dataclass(frozen=True)
class Fatigue:
    """How percepts tire.

    Attributes:
        log_odds: phi, log odds that a cause loses to the other when it has been believed for long, half of it each, nats; 0 for
            none.
        time: tau, its time constant, 1 / mobility.

    Both were chosen so that dominance times without a drug vary by half of their mean, and are not measured.

    Raises UserError for numbers out of range.
    """

    log_odds: NotNegative = 3.0
    time: Positive = 3.0


class Alternation(NamedTuple):
    """How percepts alternate; the leading axes ("...") are those of the effects, times in 1 / mobility.

    Runs are independent of each other, and the same noise is used at every moment and account.

    rate: switches from one percept to the other, per time.
    mixed: share of time in which the percept is mixed.
    predominance: the left's share of the time that is not mixed; NaN where all is.
    dominance: mean time for which the left and the right percept dominate; NaN where none ended.
    variation: coefficient of variation of these times, each over the mean of its side; NaN with fewer than four. Runs with few
        times miss the longest: it is then too low, and that of the `times` of all runs is better.
    skewness: of the same; a gamma distribution's is twice its coefficient of variation.
    switches: their number.
    duration: of a run, what is left out at the beginning not counted.
    times: of every dominance that began and ended in the run, in order; NaN beyond the last.
    activity: x, sampled evenly.
    """

    rate: Float[np.ndarray, "... runs"]
    mixed: Float[np.ndarray, "... runs"]
    predominance: Float[np.ndarray, "... runs"]
    dominance: Float[np.ndarray, "... runs 2"]
    variation: Float[np.ndarray, "... runs"]
    skewness: Float[np.ndarray, "... runs"]
    switches: Int[np.ndarray, "... runs"]
    duration: Float[np.ndarray, "..."]
    times: Float[np.ndarray, "... runs most"]
    activity: Float[np.ndarray, "... runs samples"]


@checked_arguments
def alternation(
    rival: Rivalry,
    drug: Group | Course | Effects,
    *,
    account: Account,
    key: Array,
    fatigue: Fatigue | None = None,
    runs: Count = 20,
    steps: Count = 100_000,
    anatomy: Anatomy | None = None,
) -> Alternation:
    """Simulated alternation under an account of a drug, at every moment of everyone.

    rival: the eyes and causes.
    key: of the noise.
    fatigue: of percepts; `Fatigue()` by default. Drugs do not act on it: assumed.
    runs: independent ones.
    steps: of a run; what time they cover depends on the landscape (`Alternation.duration`).
    Other arguments and errors as for `size_illusion`; a share from above mixes the percept with draws of the prior,
    tired as it is, and leaves the dynamics.

    Raises UserError for fewer steps than a sample has, for landscapes too steep to be stepped, and for runs that do not fit
    into memory.
    """
    if steps < 2 * SETTLING * EVERY:
        raise UserError(
            f"steps is {steps}",
            where="alternation",
            expected=f"{2 * SETTLING * EVERY} or more",
        )
    factors = rivalry_factors(rival, drug, account, anatomy)
    shape = factors.top_down.shape
    flat, given = flattened(rival, factors)
    check_fits(len(flat.top_down), 16 * runs * (steps // EVERY), what="such a run")
    moments = jax.vmap(partial(landscape, *given))(flat)
    spacing = np.asarray(step_of(moments), float)
    if not np.all((spacing > 1e-30) & (spacing < 1e30)):
        raise UserError(
            "causes and precisions make a landscape that cannot be stepped",
            where="rivalry",
            expected="precisions from 1e-12 to 1e12 and a cause of the order of 1",
        )
    own = fatigue or Fatigue()
    tired = jnp.asarray([own.log_odds, own.time], flat.top_down.dtype)
    walked = _walk(moments, tired, check_key(key), runs=runs, samples=steps // EVERY)
    return told(walked, spacing * EVERY, shape)


def step_of(where: Landscape) -> Array:
    """Time of one step: a share of 1 / the largest curvature that the landscape has anywhere."""
    well = where.causes + where.evidence * where.slope**2
    ridge = (where.causes * where.cause) ** 2 / where.temperature
    return STEP / (well + ridge)


State = tuple[Array, Array, Array]
"""Activity, fatigue, and whether the left percept dominates."""


class Walk(NamedTuple):
    """Samples of a walk, (moments, runs, samples): activity, whether the left percept dominates, chance of a mixed percept."""

    activity: Array
    is_left: Array
    mixed: Array


def drift_at(where: Landscape, odds: Array) -> Callable[[Array], Array]:
    """-dE/dx; odds: half the log odds of the left cause."""

    def drift(x: Array) -> Array:
        cause = where.cause * jnp.tanh(where.causes * where.cause * x + odds)
        left = where.target - where.slope * x
        return where.causes * (cause - x) + where.evidence * where.slope * left

    return drift


@partial(jax.jit, static_argnames=("runs", "samples"))
def _walk(
    moments: Landscape, tired: Array, key: Array, *, runs: int, samples: int
) -> Walk:
    step = step_of(moments)[:, None]
    where = jax.tree.map(lambda leaf: leaf[:, None], moments)
    size = jnp.sqrt(2 * where.temperature * step)
    line = where.cause / 2 - MISSED * size
    rest = -jnp.expm1(-step / tired[1])

    def move(state: State, noise: Array) -> tuple[State, None]:
        x, tiredness, is_left = state
        drift = drift_at(where, -tired[0] * tiredness)
        pushed, kick = drift(x), size * noise[None]
        after = x + 0.5 * step * (pushed + drift(x + step * pushed + kick)) + kick
        sure = jnp.tanh(where.causes * where.cause * x)
        tiredness = tiredness + rest * (sure - tiredness)
        is_left = jnp.where(is_left, after > -line, after >= line)
        return (after, tiredness, is_left), None

    def sample(state: State, own: Array) -> tuple[State, Walk]:
        noise = jax.random.normal(own, (EVERY, runs), step.dtype)
        state, _ = jax.lax.scan(move, state, noise)
        x, tiredness, is_left = state
        odds = -2 * tired[0] * tiredness
        near = nearness(x, where.cause, where.causes, where.share, odds)
        return state, Walk(x, is_left, near)

    begin = jnp.broadcast_to(where.cause, (len(step), runs))
    start = (begin, jnp.zeros_like(begin), jnp.ones_like(begin, bool))
    _, walked = jax.lax.scan(sample, start, jax.random.split(key, samples))
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), walked)


def told(walked: Walk, spacing: np.ndarray, shape: tuple[int, ...]) -> Alternation:
    """What is read of walks whose samples are `spacing` apart, (moments,)."""
    left_out = walked.activity.shape[-1] // SETTLING
    activity, is_left, mixed = (np.asarray(each)[..., left_out:] for each in walked)
    moments, runs, samples = activity.shape
    ended = [
        [times_of(is_left[moment, run]) for run in range(runs)]
        for moment in range(moments)
    ]
    most = max((len(times) for each in ended for times, _ in each), default=0)
    times = np.full((moments, runs, most), np.nan)
    dominance = np.full((moments, runs, 2), np.nan)
    variation, skewness = np.full((2, moments, runs), np.nan)
    for at in np.ndindex(moments, runs):
        own, of_left = ended[at[0]][at[1]]
        own = own * spacing[at[0]]
        times[at][: len(own)] = own
        dominance[at] = [
            own[side].mean() if side.any() else np.nan for side in (of_left, ~of_left)
        ]
        if len(own) > 3:
            variation[at], skewness[at] = shape_of(own, of_left)
    switches = np.sum(np.diff(is_left, axis=-1), axis=-1)
    duration = spacing * samples
    seen = (1 - mixed).sum(-1)
    left = ((1 - mixed) * is_left).sum(-1)
    found = Alternation(
        switches / duration[:, None],
        mixed.mean(-1),
        np.where(seen > 0, left / np.where(seen > 0, seen, 1.0), np.nan),
        dominance,
        variation,
        skewness,
        switches,
        duration,
        times,
        activity,
    )
    return Alternation(*(each.reshape((*shape, *each.shape[1:])) for each in found))


def times_of(is_left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples from each switch to the next, and whether they are the left percept's."""
    switched = np.flatnonzero(np.diff(is_left)) + 1
    return np.diff(switched).astype(float), is_left[switched[:-1]]


def shape_of(times: np.ndarray, of_left: np.ndarray) -> tuple[float, float]:
    """Coefficient of variation and skewness of times over the mean of their side."""
    means = [times[side].mean() for side in (of_left, ~of_left)]
    relative = times / np.where(of_left, *means)
    spread = relative.std()
    if not spread > 0:
        return 0.0, float("nan")
    return float(relative.std(ddof=1)), float(
        np.mean((relative - relative.mean()) ** 3) / spread**3
    )

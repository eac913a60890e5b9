r"""Samples of linear activity over time: the exact transition of an Ornstein-Uhlenbeck process, at any step.

$z_{t+h} = F z_t + w$, $F = e^{-A h}$, $w \sim N(0, \int_0^h e^{-A s} Q e^{-A' s} ds)$.  Over a small enough step both are
series; twice the step has $F F$ and $W + F W F'$, sums of covariances that lose no digits.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.brain.dynamics.linear_activity import LinearActivity
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.ranges import CountOrZero, CountToMany, Positive
from pcmodel.runtime.memory import check_fits

SMALL = 2.0**-6
"""Largest norm of A h for which the series are summed; its eighth power is below 1e-14."""
TERMS = 9
MOST_DOUBLINGS = 200


class Transition(NamedTuple):
    """Exact transition over one step.

    factor: F, (z, z).
    covariance: of what is added, (z, z).
    """

    factor: Float[np.ndarray, "z z"]
    covariance: Float[np.ndarray, "z z"]


@checked_arguments
def transition(activity: LinearActivity, step: Positive) -> Transition:
    """Over `step` seconds; UserError for a step that is too long for its fastest unit to be told from rest."""
    size = np.sqrt(np.maximum(np.diag(activity.covariance), np.finfo(float).tiny))
    drift = activity.drift * size[None, :] / size[:, None]
    noise = activity.diffusion / size[:, None] / size[None, :]
    norm = np.linalg.norm(drift, 2) * step
    doublings = max(0, int(np.ceil(np.log2(norm / SMALL)))) if norm > 0 else 0
    if doublings > MOST_DOUBLINGS:
        raise UserError(f"is {step:g} seconds", where="step", expected="a shorter one")
    h = step / 2**doublings
    factor, added = series(drift, noise, h)
    for _ in range(doublings):
        added = added + factor @ added @ factor.T
        factor = factor @ factor
    scale = size[:, None]
    return Transition(
        factor * scale / size[None, :], (added + added.T) / 2 * scale * size[None, :]
    )


def series(
    drift: np.ndarray, noise: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """e^(-A h), and the covariance added over h: its k-th derivative is (-1)^k of A X + X A', k times, of Q."""
    term, factor = np.eye(len(drift)), np.eye(len(drift))
    moved, added = noise * step, noise * step
    for k in range(1, TERMS + 1):
        term = -(drift @ term) * (step / k)
        factor = factor + term
        moved = -(drift @ moved + moved @ drift.T) * (step / (k + 1))
        added = added + moved
    return factor, added


@checked_arguments
def lagged_covariances(
    activity: LinearActivity, step: Positive, *, lags: CountOrZero
) -> Float[np.ndarray, "lags_and_one free free"]:
    """Covariance of activity at a time with activity k steps before, k = 0 .. lags."""
    move = transition(activity, step).factor
    read, state = activity.read, activity.covariance @ activity.read.T
    found = [read @ state]
    for _ in range(lags):
        state = move @ state
        found.append(read @ state)
    return np.stack(found)


@checked_arguments
def correlation_times(
    activity: LinearActivity, read: Any
) -> Float[np.ndarray, " rows"]:
    """Integral of each read-out's autocorrelation over all lags, seconds; 1 / rate of an Ornstein-Uhlenbeck process alone.

    read: of the process's z, (rows, z), such as `RegionReadOut.weights` or rows of `activity.read`.
    Raises UserError for a read-out without variance.
    """
    weights = np.asarray(read_numbers(read, where="read"), np.float64)
    size = len(activity.drift)
    if weights.ndim != 2 or weights.shape[1] != size:
        raise UserError(
            f"has the shape {weights.shape}", where="read", expected=f"(rows, {size})"
        )
    seen = activity.covariance @ weights.T
    variance = np.sum(weights.T * seen, axis=0)
    if not np.all(variance > 0):
        raise UserError("has a row without variance", where="read")
    return np.sum(weights.T * np.linalg.solve(activity.drift, seen), axis=0) / variance


@checked_arguments
def sample_activity(
    activity: LinearActivity, key: Array, *, step: Positive, num_samples: CountToMany
) -> Float[Array, "samples free"]:
    """Activity of the free units every `step` seconds, from a stationary start; exact at any step.

    Raises UserError for samples that do not fit in memory.
    """
    check_fits(num_samples, len(activity.drift), what="the samples of activity")
    move = transition(activity, step)
    start, going = jax.random.split(check_key(key))
    dtype = jnp.asarray(0.0).dtype
    size = np.sqrt(np.maximum(np.diag(activity.covariance), np.finfo(float).tiny))
    arrays = (
        root(activity.covariance / size[:, None] / size[None, :]),
        move.factor * size[None, :] / size[:, None],
        root(move.covariance / size[:, None] / size[None, :]),
        activity.read * size[None, :],
        activity.activity,
    )
    return _walk(
        *(jnp.asarray(one, dtype) for one in arrays), start, going, number=num_samples
    )


def root(covariance: np.ndarray) -> np.ndarray:
    """R with R R' the covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))


@partial(jax.jit, static_argnames=("number",))
def _walk(
    first: Array,
    factor: Array,
    added: Array,
    read: Array,
    mean: Array,
    start: Array,
    going: Array,
    *,
    number: int,
) -> Array:
    size = factor.shape[0]
    state = first @ jax.random.normal(start, (size,), factor.dtype)

    def move(state: Array, key: Array) -> tuple[Array, Array]:
        noise = jax.random.normal(key, (size,), factor.dtype)
        return factor @ state + added @ noise, read @ state + mean

    return jax.lax.scan(move, state, jax.random.split(going, number))[1]

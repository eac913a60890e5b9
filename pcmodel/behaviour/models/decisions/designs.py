"""Trials of simulated studies of decisions; the responses are placeholders that a simulation replaces.

Each column `potential_K` tells what the action K would bring, so that simulated people meet the task and not what others
found in it.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.models.decisions.outcomes import POTENTIAL

Columns = dict[str, Float[np.ndarray, "series trials"]]
Shape = tuple[int, int]
Rng = np.random.Generator


def _potential(values: np.ndarray) -> Columns:
    """Columns of what each action would bring, from an array with actions last."""
    return {f"{POTENTIAL}{k}": values[..., k] for k in range(values.shape[-1])}


def _two_step(rng: Rng, shape: Shape, num_arms: int) -> Columns:
    """Chances of 0.25 to 0.75 that drift, transitions common in 0.7 of the trials (Daw et al. 2011)."""
    steps = rng.normal(0.0, 0.025, (*shape, 4))
    start = rng.uniform(0.25, 0.75, (shape[0], 1, 4))
    # Reflected at the ends.
    chance = 0.25 + 0.5 * _folded((start + steps.cumsum(axis=1) - 0.25) / 0.5)
    wins = (rng.random(chance.shape) < chance).astype(float)
    first = rng.integers(0, 2, shape)
    state = np.where(rng.random(shape) < 0.7, first, 1 - first)
    second = 2 * state + rng.integers(0, 2, shape)
    outcome = np.take_along_axis(wins, second[..., None], axis=2)[..., 0]
    return {
        "first_choice": first + 1.0,
        "second_choice": second + 1.0,
        "outcome": outcome,
        **_potential(wins),
    }


def _folded(values: np.ndarray) -> np.ndarray:
    """Values reflected at 0 and 1."""
    return 1.0 - np.abs(1.0 - np.mod(values, 2.0))


def _selection(rng: Rng, shape: Shape, num_arms: int) -> Columns:
    """Pairs 12, 34 and 56 that win with 0.8, 0.2, 0.7, 0.3, 0.6 and 0.4; in the last quarter all pairs, without outcomes."""
    chance = np.asarray([0.8, 0.2, 0.7, 0.3, 0.6, 0.4])
    pair = rng.choice([12.0, 34.0, 56.0], shape)
    new = [10.0 * i + j for i in range(1, 7) for j in range(i + 1, 7)]
    is_test = np.broadcast_to(np.arange(shape[1]) >= 3 * shape[1] // 4, shape)
    pair = np.where(is_test, rng.choice(new, shape), pair)
    gains = np.where(rng.random((*shape, 6)) < chance, 1.0, 0.0)
    choice = rng.integers(0, 2, shape).astype(float)
    option = np.where(choice > 0.5, pair // 10, pair % 10).astype(int) - 1
    outcome = np.take_along_axis(gains, option[..., None], axis=2)[..., 0]
    outcome = np.where(is_test, np.nan, outcome)
    return {"pair": pair, "choice": choice, "outcome": outcome, **_potential(gains)}


def _offered(rng: Rng, shape: Shape, num_arms: int) -> Columns:
    """Payoffs around values that drift back to a middle (Daw et al. 2006), two options offered of three or more."""
    value = np.empty((*shape, num_arms))
    value[:, 0] = rng.uniform(0.2, 0.8, (shape[0], num_arms))
    for t in range(1, shape[1]):
        step = rng.normal(0.0, 0.06, (shape[0], num_arms))
        value[:, t] = 0.95 * value[:, t - 1] + 0.05 * 0.5 + step
    payoff = np.clip(value + rng.normal(0.0, 0.08, value.shape), 0.0, 1.0)
    order = rng.permuted(np.broadcast_to(np.arange(num_arms), value.shape), axis=2)
    choice = order[..., 0]
    outcome = np.take_along_axis(payoff, choice[..., None], axis=2)[..., 0]
    found = {"choice": choice + 1.0, "outcome": outcome}
    if num_arms > 2:
        found |= {f"option_{k + 1}": order[..., k] + 1.0 for k in range(2)}
    return {**found, **_potential(payoff)}


def _discounting(rng: Rng, shape: Shape, num_arms: int) -> Columns:
    """A sooner amount of 20 now or, in a third, in a week; a later one of up to four times as much, in a week to a year."""
    wait = rng.choice([7.0, 14.0, 30.0, 60.0, 120.0, 180.0, 365.0], shape)
    start = np.where(rng.random(shape) < 1 / 3, 7.0, 0.0)
    return {
        "choice": np.zeros(shape),
        "amount_later": 20.0 * np.exp(rng.uniform(0.05, 1.4, shape)),
        "amount_sooner": np.full(shape, 20.0),
        "delay_later": start + wait,
        "delay_sooner": start,
    }


def _ultimatum(rng: Rng, shape: Shape, num_arms: int) -> Columns:
    """Offers of 20: low ones, then middle ones, then high ones (as in the norm-training design of Xiang et al. 2013)."""
    phase = np.minimum(3 * np.arange(shape[1]) // max(shape[1], 1), 2)
    mean = np.asarray([4.0, 8.0, 12.0])[phase]
    offer = np.clip(np.round(rng.normal(mean, 2.5, shape)), 1.0, 19.0)
    return {
        "offer": offer,
        "accept": np.zeros(shape),
        "total": np.full(shape, 20.0),
    }


def _go_no_go(rng: Rng, shape: Shape, num_arms: int) -> Columns:
    """Cues to go for a gain, go to avoid a loss, and not to go for either; the right action pays in 0.8."""
    cue = rng.permuted(np.broadcast_to(np.arange(shape[1]) % 4, shape), axis=1)
    should_go, is_gain = cue < 2, cue % 2 == 0
    lucky = rng.random((*shape, 2)) < 0.8
    right = np.stack([~should_go, should_go], axis=-1) == lucky
    outcome = np.where(is_gain[..., None], right.astype(float), right - 1.0)
    return {
        "cue": cue + 1.0,
        "response": np.zeros(shape),
        "outcome": outcome[..., 0],
        **_potential(outcome),
    }


DESIGNS: dict[str, Callable[[Rng, Shape, int], Columns]] = {
    "two_step": _two_step,
    "selection": _selection,
    "offered": _offered,
    "discounting": _discounting,
    "ultimatum": _ultimatum,
    "go_no_go": _go_no_go,
}

"""Simulated studies: the trials of simulated people, for each task.

Reward probabilities of 0.8 and 0.2 swap every 25 trials; positions jump in a tenth of the trials; what was conditioned is
extinguished and tested; continuous outcomes have calm and volatile blocks; faint stimuli become rarer.
"""

from functools import partial
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from pcmodel.behaviour.change_point.task import simulate_task
from pcmodel.behaviour.dataset import Series, find_task, kind_of
from pcmodel.behaviour.models.catalogue import TaskFacts
from pcmodel.behaviour.models.decisions.designs import DESIGNS
from pcmodel.behaviour.responses import Scale

SIDE = 25  # trials between reversals
WINS, LOSES = 0.8, 0.2
CONDITIONS = ("placebo", "drug")


def make_up(
    task: str,
    *,
    num_participants: int,
    num_trials: int,
    num_arms: int = 2,
    low: float = 0.0,
    seed: int = 0,
) -> Series:
    """Trials of every participant, once under placebo and once under a drug (covariate `drug`).

    num_arms: options of a bandit.
    low: low end of a rating's scale.
    All trials have a response; the responses are placeholders that a simulation replaces.
    """
    rng = np.random.default_rng(seed)
    shape = (2 * num_participants, num_trials)
    values = _trials(task, rng, shape, num_arms=num_arms, low=low)
    return Series(
        values,
        np.ones(shape, bool),
        np.repeat(np.arange(num_participants), 2),
        {"drug": np.tile(CONDITIONS, num_participants)},
        {name: int(np.isnan(column).sum()) for name, column in values.items()},
    )


@runtime_checkable
class OfATask(Protocol):
    """The fields of a simulated study's plan that describe its task."""

    @property
    def task(self) -> str: ...
    @property
    def options(self) -> int: ...
    @property
    def scale(self) -> tuple[float, float]: ...


def facts_of(plan: OfATask) -> TaskFacts:
    """The properties of a plan's task that its model needs."""
    return TaskFacts(plan.options, Scale(*scale_of(plan)))


def scale_of(plan: OfATask) -> tuple[float, ...]:
    """The scale of the ratings: the task's own where it has one, else the plan's."""
    return find_task(plan.task).scale or plan.scale


def made_up_series(
    plan: OfATask, *, num_participants: int, num_trials: int, seed: int
) -> Series:
    """`make_up` for the task of a plan, with its options and its scale."""
    kind = kind_of(plan.task)
    return make_up(
        kind,
        num_participants=num_participants,
        num_trials=num_trials,
        num_arms=plan.options,
        low=scale_of(plan)[0] if kind == "rating" else 0.0,
        seed=seed,
    )


def _trials(
    task: str,
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    num_arms: int,
    low: float,
) -> dict[str, np.ndarray]:
    if task in DESIGNS:
        return DESIGNS[task](rng, shape, num_arms)
    if task == "helicopter":
        return _helicopter(rng, shape)
    if task == "bandit":
        wins = draw_wins(rng, shape, num_arms)
        choice = np.tile(np.arange(shape[1]) % num_arms, (shape[0], 1))
        outcome = np.take_along_axis(wins, choice[..., None], axis=2)[..., 0]
        return {"choice": choice + 1.0, "outcome": outcome.astype(float)}
    if task == "conditioning":
        return _conditioning(shape)
    if task == "prediction":
        return _prediction(rng, shape)
    if task == "detection":
        return _detection(rng, shape)
    outcome = draw_wins(rng, shape, 2)[..., 0].astype(float)
    response = "rating" if task == "rating" else "response"
    return {"outcome": outcome, response: np.full(shape, low)}


def draw_wins(
    rng: np.random.Generator, shape: tuple[int, int], num_arms: int
) -> Bool[np.ndarray, "series trials arms"]:
    """Whether each option would win; the better option moves on at every reversal."""
    first = rng.integers(num_arms, size=(shape[0], 1))
    good = (first + np.arange(shape[1]) // SIDE) % num_arms
    chance = np.where(good[..., None] == np.arange(num_arms), WINS, LOSES)
    return rng.random(chance.shape) < chance


def _conditioning(
    shape: tuple[int, int],
) -> dict[str, Float[np.ndarray, "series trials"]]:
    """Conditioning, extinction a day later, tests a day and a month after that; a trial every three minutes."""
    number = np.arange(shape[1])
    few = max(1, shape[1] // 8)
    phase = np.searchsorted([few, shape[1] - 2 * few, shape[1] - few], number, "right")
    time = np.asarray([0.0, 24.0, 48.0, 768.0])[phase] + 0.05 * number
    shape_of = partial(np.broadcast_to, shape=shape)
    return {
        "time": shape_of(time).copy(),
        "outcome": shape_of((phase == 0).astype(float)).copy(),
        "response": np.zeros(shape),
    }


def _prediction(
    rng: np.random.Generator, shape: tuple[int, int]
) -> dict[str, Float[np.ndarray, "series trials"]]:
    """Outcomes of SD 4 around 50, in every second block around a mean that moves by 24 every five trials; predictions of 50."""
    number = np.arange(shape[1])
    side = np.where(number // 5 % 2, -12.0, 12.0) * rng.choice([-1, 1], (shape[0], 1))
    mean = 50.0 + np.where(number // SIDE % 2, side, 0.0)
    outcome = mean + 4.0 * rng.normal(size=shape)
    return {"outcome": outcome, "prediction": np.full(shape, 50.0)}


def _detection(
    rng: np.random.Generator, shape: tuple[int, int]
) -> dict[str, Float[np.ndarray, "series trials"]]:
    """Stimuli that most often are there and clear at first, and most often absent in the end."""
    late = np.linspace(0.0, 1.0, shape[1])[:, None]
    chance = (1.0 - late) * np.array([0.1, 0.1, 0.2, 0.6]) + late * np.array(
        [0.6, 0.2, 0.1, 0.1]
    )
    place = (rng.random((*shape, 1)) > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=-1)
    rate = np.array([0.0, 0.25, 0.5, 0.75])[place]
    return {"detection_rate": rate, "response": np.zeros(shape)}


def _helicopter(
    rng: np.random.Generator, shape: tuple[int, int]
) -> dict[str, Float[np.ndarray, "series trials"]]:
    keys = jax.random.split(jax.random.key(int(rng.integers(2**31))), shape[0])
    tasks = jax.vmap(lambda key: simulate_task(key, num_trials=shape[1]))(keys)
    names = ("outcome", "report", "noise_sd", "helicopter")
    values = {n: np.asarray(getattr(tasks, n), float) for n in names}
    for name in ("helicopter_seen", "block_start"):
        values[name] = np.asarray(getattr(tasks, name), float)
    return values


def with_wins(data, seed: int):
    """Bandit data with the wins of every option, chosen or not, and reversals."""
    *shape, num_arms = data.potential.shape
    wins = draw_wins(np.random.default_rng(seed), (shape[0], shape[1]), num_arms)
    return data._replace(potential=jnp.asarray(wins, data.potential.dtype))

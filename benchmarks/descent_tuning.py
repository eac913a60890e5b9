"""Tuning gradient descent: the setting that needs the fewest steps to an excess energy.

Step size times momentum (heavy ball and Nesterov) and Adam's rate are tried on a few images; the three
best are compared on all.  Energies are in double precision, above the mode that each run ends in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from pcmodel.api.batching import over_examples
from pcmodel.api.pose import Posed
from pcmodel.inference import GaussNewton, StateDescent

TARGET = 1e-3
WORSE = 1.0
"""Nats above the modes found from the sweep at which descent counts as lost."""


@dataclass(frozen=True)
class Search:
    """What is tried; rates are shares of the largest stable one of each momentum."""

    images: int = 20
    max_steps: int = 4000
    momenta: tuple[float, ...] = (0.9, 0.97, 0.99)
    stable_shares: tuple[float, ...] = (0.3, 0.6, 0.9)
    adam_rates: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1)


class Setting(NamedTuple):
    """One way of running gradient descent."""

    family: str
    rate: float
    momentum: float

    def optimiser(self) -> optax.GradientTransformation:
        return FAMILIES[self.family](self.rate, self.momentum)


FAMILIES: dict[str, Callable[..., optax.GradientTransformation]] = {
    "heavy ball": lambda rate, momentum: optax.sgd(rate, momentum),
    "Nesterov": lambda rate, momentum: optax.sgd(rate, momentum, nesterov=True),
    "Adam": lambda rate, momentum: optax.adam(rate, b1=momentum),
}


def cast(posed: Posed, dtype: Any) -> Posed:
    """The problem in another float type."""
    problem = jax.tree.map(lambda array: array.astype(dtype), posed.problem)
    return Posed(problem, posed.batching)


def first_images(posed: Posed, number: int) -> Posed:
    """The first examples of the batch."""
    values = posed.problem.inputs.values
    values = (values[0][:number], *values[1:])
    inputs = posed.problem.inputs._replace(values=values)
    return Posed(type(posed.problem)(posed.problem.structure, inputs), posed.batching)


@partial(jax.jit, static_argnames=("family", "batching", "num_steps"))
def descend(problem, rate, momentum, *, family, batching, num_steps):
    """Energies before every step (images, steps) and the states after the last one."""
    optimiser = FAMILIES[family](rate, momentum)

    def one(problem):
        coordinates = StateDescent.coordinates(problem)
        start = coordinates.parts(coordinates.from_whitened(start_of(problem)))

        def step(carry, _):
            state, memory = carry
            energy, gradient = jax.value_and_grad(coordinates.energy)(state)
            updates, memory = optimiser.update(gradient, memory, state)
            moved: Any = optax.apply_updates(state, updates)
            return (moved, memory), energy

        (state, _), energies = jax.lax.scan(
            step, (start, optimiser.init(start)), length=num_steps
        )
        return energies, coordinates.to_whitened(coordinates.whole(state))

    return over_examples(one, problem, batching=batching)


def start_of(problem) -> jax.Array:
    """The top-down sweep in whitened coordinates."""
    size = problem.structure.num_free
    return jnp.zeros((size,), problem.inputs.gains[0].dtype)


@partial(jax.jit, static_argnames=("batching", "solver"))
def settle(problem, whitened, *, batching, solver):
    """Energies of given points after a solver's run (before it: no iterations)."""

    def one(problem, whitened):
        found = solver.minimise(problem, whitened)
        coordinates = StateDescent.coordinates(problem)
        state = coordinates.from_whitened(found.whitened)
        return coordinates.energy(coordinates.parts(state))

    return over_examples(one, problem, whitened, batching=batching)


def mean_excess(posed: Posed, whitened: jax.Array) -> float:
    """Mean energy above the mode that each point lies beneath, in double precision."""
    double = cast(posed, jnp.float64)
    whitened = whitened.astype(jnp.float64)
    run = partial(settle, double.problem, whitened, batching=posed.batching)
    before = run(solver=GaussNewton(max_iterations=0))
    return float(jnp.mean(before - run(solver=GaussNewton(max_iterations=1000))))


def largest_curvature(posed: Posed) -> float:
    """Largest eigenvalue of the state-space Hessian over images, by power iteration."""

    def one(problem):
        coordinates = StateDescent.coordinates(problem)
        state = coordinates.from_whitened(start_of(problem))
        gradient = jax.grad(lambda x: coordinates.energy(coordinates.parts(x)))

        def iterate(_, vector):
            image = jax.jvp(gradient, (state,), (vector,))[1]
            return image / jnp.linalg.norm(image)

        start = jnp.ones_like(state) / jnp.sqrt(state.size)
        vector = jax.lax.fori_loop(0, 100, iterate, start)
        return vector @ jax.jvp(gradient, (state,), (vector,))[1]

    over = partial(over_examples, one, posed.problem, batching=posed.batching)
    return float(jnp.max(jax.jit(over)()))


def grid(search: Search, curvature: float) -> list[Setting]:
    """Everything tried: rates as shares of the largest stable one of each momentum."""
    settings = [Setting("Adam", rate, 0.9) for rate in search.adam_rates]
    for share in search.stable_shares:
        settings.append(Setting("heavy ball", share * 2 / curvature, 0.0))
        for m in search.momenta:
            heavy, nesterov = 2 * (1 + m), 2 * (1 + m) / (1 + 2 * m)
            settings.append(Setting("heavy ball", share * heavy / curvature, m))
            settings.append(Setting("Nesterov", share * nesterov / curvature, m))
    return settings


def steps_needed(posed: Posed, setting: Setting, max_steps: int) -> int | None:
    """First step from which the mean excess stays at the target; None if never."""
    double = cast(posed, jnp.float64)
    energies, end = descend(
        double.problem,
        setting.rate,
        setting.momentum,
        family=setting.family,
        batching=posed.batching,
        num_steps=max_steps,
    )
    if not bool(jnp.all(jnp.isfinite(end))):
        return None
    solver = GaussNewton(max_iterations=1000)
    mode = partial(settle, batching=posed.batching, solver=solver)
    modes = mode(double.problem, end)
    start = jnp.zeros_like(end)
    if jnp.mean(modes) > jnp.mean(mode(double.problem, start)) + WORSE:
        return None  # it was thrown far off on its way, and came down elsewhere
    excess = np.asarray(jnp.mean(energies, axis=0) - jnp.mean(modes))
    above = np.flatnonzero(~(excess <= TARGET))
    return (
        None
        if len(above) == max_steps or above[-1] == max_steps - 1
        else int(above[-1]) + 1
    )


def tune(posed: Posed, search: Search) -> tuple[Setting, int, bool]:
    """Best setting, steps it needs on the whole batch, and whether it arrives at all.

    Chosen on a few images, then the three best are compared on all.
    """
    few = first_images(posed, search.images)
    settings = grid(search, largest_curvature(cast(few, jnp.float64)))
    counts = {
        setting: steps
        for setting in settings
        if (steps := steps_needed(few, setting, search.max_steps)) is not None
    }
    finalists = sorted(counts, key=lambda setting: counts[setting])[:3]
    whole = {
        setting: steps
        for setting in finalists
        if (steps := steps_needed(posed, setting, 2 * search.max_steps)) is not None
    }
    if not whole:
        return settings[-1], search.max_steps, False
    best = min(whole, key=lambda setting: whole[setting])
    return best, whole[best], True

r"""Langevin inference of any hierarchy with Gaussian levels: Euler-Maruyama steps, with a Metropolis test or told how small.

$x' = x - h M \nabla E(x) + \sqrt{2 h T M}\,\xi$, accepted with the probability that makes $e^{-E/T}$ stationary (Besag 1994;
Roberts & Tweedie 1996, Bernoulli 2:341).  Rejected steps stay where they are, so that time passes a little too slowly: by
the share that is rejected.  Without the test the stationary law is wrong by an amount of the order of h, and what a test
would have accepted says how much.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from pcmodel.api.infer import run_inference
from pcmodel.api.pose import Batching, Posed
from pcmodel.brain.dynamics.brain_hierarchy import BrainHierarchy
from pcmodel.brain.dynamics.conditions import Condition, Drive, positions
from pcmodel.brain.dynamics.linear_activity import (
    level_mobilities,
    on_free_units,
    posed_problem,
)
from pcmodel.brain.dynamics.sampling import root
from pcmodel.errors import UserError
from pcmodel.inference.whitened import unroll
from pcmodel.inputs.arguments import checked_arguments, checked_options
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.ranges import Count, CountOrZero, CountToMany, Positive
from pcmodel.model.energy import energy, latents_from_state, state_from_latents
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits

FAITHFUL = 0.9
"""Least mean acceptance at which samples are trusted to move as the process does."""


@checked_options("langevin.")
@dataclass(frozen=True)
class LangevinOptions:
    """How steps are taken.

    steps: between two samples.
    corrected: whether steps are tested (Metropolis).
    settling: samples that are taken and left out before the first; the walk starts at the mode.
    """

    steps: Count = 10
    corrected: bool = True
    settling: CountOrZero = 200


class LangevinPath(NamedTuple):
    """Samples over time.

    state: of the free units, bottom first, (samples, free).
    acceptance: mean probability with which a step is, or would be, accepted.
    is_faithful: whether it is at least 0.9 and every sample finite; else take more steps.
    """

    state: Float[Array, "samples free"]
    acceptance: Float[Array, ""]
    is_faithful: Bool[Array, ""]


@checked_arguments
def langevin(
    brain: BrainHierarchy,
    condition: Condition,
    key: Array,
    *,
    step: Positive,
    num_samples: CountToMany,
    modulation: Modulation | None = None,
    temperature: Positive = 1.0,
    time_constants: Mapping[str, float] | None = None,
    options: LangevinOptions | None = None,
) -> LangevinPath:
    """Activity of any hierarchy, linear or not, every `step` seconds.

    Other arguments as for `linear_activity`.
    Raises UserError for modulations without an energy (`error_transmission`, `top_down`).
    """
    modulation, options = modulation or Modulation(), options or LangevinOptions()
    refuse_without_energy(modulation)
    given = condition.conditions(brain)
    problem = posed_problem(brain, given, modulation)
    structure = problem.structure
    check_fits(num_samples, structure.num_free, what="the samples of activity")
    mobility = on_free_units(
        structure, level_mobilities(brain, problem, time_constants)
    )
    scale = temperature * float(np.asarray(modulation.temperature))
    if not 0 < scale < np.inf:
        raise UserError(
            f"is {scale:g}", where="temperature", expected="above 0, finite"
        )
    driving, moving = jax.random.split(check_key(key))
    number = num_samples + options.settling
    inputs = drive_path(given.drive, driving, step, number)
    driven = positions(given.drive.levels, brain.network.names) if given.drive else ()
    dtype = problem.inputs.gains[0].dtype
    path, acceptance = _walk(
        problem,
        mode_of(problem),
        jnp.asarray(mobility, dtype),
        jnp.asarray(scale, dtype),
        jnp.asarray(step / options.steps, dtype),
        jnp.asarray(inputs, dtype),
        moving,
        driven=driven,
        steps=options.steps,
        corrected=options.corrected,
    )
    kept = path[options.settling :]
    mean = jnp.mean(acceptance[options.settling :])
    return LangevinPath(kept, mean, (mean >= FAITHFUL) & jnp.all(jnp.isfinite(kept)))


def refuse_without_energy(modulation: Modulation) -> None:
    """UserError for a modulation under which inference is no gradient of an energy, or activity no inference."""
    if modulation.error_transmission or float(np.asarray(modulation.top_down)) > 0:
        raise UserError(
            "weakens the transmission of errors, or generates activity from above",
            where="modulation",
            expected="gains, slopes and temperature; `linear_activity` takes all",
        )


def mode_of(problem: Problem) -> Float[Array, " free"]:
    """The free units at the mode."""
    levels = len(problem.structure.model.widths)
    posed = Posed(problem, Batching((False,) * levels, ()))
    found = run_inference(posed, None)
    return state_from_latents(
        problem.structure, unroll(problem, found.whitened).latents
    )


def drive_path(
    drive: Drive | None, key: Array, step: float, number: int
) -> Float[np.ndarray, "number driven"]:
    """Deviations of the input from what is clamped, from a stationary start; (number, 0) without a drive."""
    if drive is None:
        return np.zeros((number, 0))
    kept = float(np.exp(-step / drive.time_constant))
    added = float(np.sqrt(-np.expm1(-2 * step / drive.time_constant)))
    noise = jax.random.normal(key, (number, len(drive.covariance)))
    noise = np.asarray(noise, np.float64) @ root(drive.covariance).T
    path = np.empty_like(noise)
    path[0] = noise[0]
    for time in range(1, number):
        path[time] = kept * path[time - 1] + added * noise[time]
    return path


@partial(jax.jit, static_argnames=("driven", "steps", "corrected"))
@in_full_precision
def _walk(
    problem: Problem,
    start: Array,
    mobility: Array,
    temperature: Array,
    step: Array,
    inputs: Array,
    key: Array,
    *,
    driven: tuple[int, ...],
    steps: int,
    corrected: bool,
) -> tuple[Array, Array]:
    """States and mean acceptances of every sample."""
    spread = jnp.sqrt(2 * step * temperature * mobility)

    def sample(state: Array, given: tuple[Array, Array]) -> tuple[Array, tuple]:
        key, deviation = given
        own = with_input(problem, driven, deviation)

        def slope_of(x: Array) -> tuple[Array, Array]:
            return jax.value_and_grad(
                lambda x: energy(own, latents_from_state(own, x))
            )(x)

        def one(carry: tuple, key: Array) -> tuple[tuple, Array]:
            x, value, slope = carry
            noise_key, test_key = jax.random.split(key)
            noise = jax.random.normal(noise_key, x.shape, x.dtype)
            there = x - step * mobility * slope + spread * noise
            new_value, new_slope = slope_of(there)
            back = (x - there + step * mobility * new_slope) / spread
            gain = (value - new_value) / temperature
            logged = gain + 0.5 * (jnp.sum(noise**2) - jnp.sum(back**2))
            chance = jnp.nan_to_num(jnp.exp(jnp.minimum(logged, 0.0)), nan=0.0)
            taken = jax.random.uniform(test_key, (), x.dtype) < chance
            taken = taken if corrected else jnp.ones((), bool)
            moved = (there, new_value, new_slope)
            kept = jax.tree.map(
                lambda new, old: jnp.where(taken, new, old), moved, carry
            )
            return kept, chance

        first = (state, *slope_of(state))
        (state, _, _), chances = jax.lax.scan(one, first, jax.random.split(key, steps))
        return state, (state, jnp.mean(chances))

    keys = jax.random.split(key, inputs.shape[0])
    return jax.lax.scan(sample, start, (keys, inputs))[1]


def with_input(problem: Problem, driven: tuple[int, ...], deviation: Array) -> Problem:
    """The problem with the driven levels' values moved."""
    values = list(problem.inputs.values)
    start = 0
    for level in driven:
        size = values[level].shape[0]
        values[level] = values[level] + deviation[start : start + size]
        start += size
    return Problem(problem.structure, problem.inputs._replace(values=tuple(values)))

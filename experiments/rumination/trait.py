"""A person whose default mode is too sure of a negative self, and what contradicts it."""

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import pcmodel.neuromodulation as nm
from pcmodel.api.learning.linear_em import linear_plan
from pcmodel.api.pose import pose
from pcmodel.brain.dynamics import BrainHierarchy, EyesClosed, Task, linear_activity
from pcmodel.brain.dynamics.self_hold import free_places
from pcmodel.learning.linear.linear_em import linear_em_step
from pcmodel.learning.linear.maximisation import Plan
from pcmodel.learning.linear.moments import Parameters
from pcmodel.model.generative import GenerativeModel
from pcmodel.model.modulation import Modulation
from pcmodel.model.precision import pack_cholesky, unpack_cholesky
from pcmodel.model.problem import Structure
from pcmodel.model.slopes import Factors, factors_of
from pcmodel.networks.pure import as_model, with_arrays
from pcmodel.runtime.matmul_precision import in_full_precision

SELF = "default/self"
MEMORY = ("limbic", "control")
"""Levels at which a memory is relived: those that the default mode predicts."""
HOURS, DAY_AFTER = 2.5, 1.0
"""Of the session after the dose, hours; of integration and of reading, days."""


def self_places(brain: BrainHierarchy) -> np.ndarray:
    """Places of the self's units in the top level."""
    regions = brain.modules["default"].parts["self"]
    units = brain.plan.units
    return np.concatenate(
        [np.arange(one * units, (one + 1) * units) for one in regions]
    )


def with_trait(
    brain: BrainHierarchy, *, mean: float, precision: float
) -> BrainHierarchy:
    """The default mode's precision multiplied, and the prior mean of the self's units moved."""
    pure = as_model(brain.network)
    prior = pure.weights["prior_mean"].at[self_places(brain)].add(mean)
    held: Any = pure.log_precisions[-1]
    top = unpack_cholesky(held) * np.sqrt(precision)
    network = with_arrays(
        brain.network,
        {**pure.weights, "prior_mean": prior},
        (*pure.log_precisions[:-1], pack_cholesky(top)),
    )
    return replace(brain, network=network)


def contrary(
    brain: BrainHierarchy, levels: tuple[str, ...], self_value: float
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What levels are like if the self has this value in every unit: mean by level, and their joint covariance."""
    held = {SELF: np.full(len(self_places(brain)), self_value)}
    activity = linear_activity(brain, Task(held, EyesClosed()))
    places = [free_places(brain, activity.structure, name) for name in levels]
    means = {
        name: activity.activity[own] for name, own in zip(levels, places, strict=True)
    }
    joint = np.concatenate(places)
    return means, activity.activity_covariance()[np.ix_(joint, joint)]


def examples_of(
    means: dict[str, np.ndarray],
    covariance: np.ndarray,
    number: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Experiences drawn around the means, (examples, width) by level."""
    root = np.linalg.cholesky(covariance)
    mean = np.concatenate(list(means.values()))
    drawn = mean + rng.standard_normal((number, len(mean))) @ root.T
    ends = np.cumsum([len(own) for own in means.values()])
    return dict(zip(means, np.split(drawn, ends[:-1], axis=1), strict=True))


@lru_cache(maxsize=1)
def window_gains() -> tuple[float, float]:
    """Factor on learning rates in the session and on the day after, psilocybin 25 mg."""
    hours, library = np.linspace(0, 24, 241), nm.load_compounds()
    person = nm.typical(library, "psilocybin")
    doses = nm.regimen(nm.Dose("psilocybin", 25.0), library=library)
    given = nm.administrations(nm.simulate(doses, hours, person), hours, person)
    gain = nm.plasticity_window(given, np.array([HOURS / 24, DAY_AFTER])).gain
    return float(gain[0]), float(gain[1])


class Lesson(NamedTuple):
    """Experiences that one person meets, ready for steps of EM.

    parameters: of the person.  values: of all levels, (experiences, width) each.  plan: what is learned.
    """

    parameters: Parameters
    values: tuple[np.ndarray, ...]
    structure: Structure
    plan: Plan
    model: GenerativeModel


def lesson_of(
    brain: BrainHierarchy, experiences: dict[str, np.ndarray] | None
) -> Lesson:
    """experiences: None for a dose without any, from which the same steps learn."""
    pure, below = as_model(brain.network), brain.network.names[:-1]
    given: Any = experiences
    posed = pose(brain.network, clamp=given)
    size = posed.batch_size or 1
    values = tuple(
        np.broadcast_to(np.asarray(own), (size, own.shape[-1]))
        for own in posed.problem.inputs.values
    )
    plan = linear_plan(brain.network, fixed_layers=below, fixed_precisions=below)
    parameters = Parameters(pure.weights, pure.log_precisions)
    return Lesson(parameters, values, posed.problem.structure, plan, pure.model)


def taught(
    lesson: Lesson,
    modulation: Modulation | None,
    *,
    rate: float,
    window: tuple[float, float],
) -> Parameters:
    """The day after: the experiences met once under the modulation, and once sober on the day after.

    Prior mean and precision of the default mode are learned, by the steps of `pcmodel.paradigms.lasting.LinearLearning`.

    window: factors on the rate on the two days.
    """
    parameters, dtype = lesson.parameters, lesson.parameters.weights["prior_mean"].dtype
    acute = modulation.in_inference() if modulation is not None else None
    plastic = 1.0 if acute is None else float(np.asarray(acute.plasticity))
    factors = None if acute is None else factors_of(acute, lesson.model, dtype)
    for own, gain in ((factors, window[0] * plastic), (None, window[1])):
        parameters = _step(
            parameters,
            lesson.values,
            rate=jnp.asarray(min(rate * gain, 1.0), dtype),
            factors=own,
            structure=lesson.structure,
            plan=lesson.plan,
        )
    return parameters


@partial(jax.jit, static_argnames=("structure", "plan"))
@in_full_precision
def _step(
    parameters: Parameters,
    values: tuple[jax.Array, ...],
    *,
    rate: jax.Array,
    factors: Factors | None,
    structure: Structure,
    plan: Plan,
) -> Parameters:
    return linear_em_step(
        parameters, values, structure=structure, plan=plan, rate=rate, factors=factors
    ).parameters


def with_learned(brain: BrainHierarchy, parameters: Parameters) -> BrainHierarchy:
    """The person with what was learned."""
    return replace(brain, network=with_arrays(brain.network, *parameters))

"""A person whose default mode is too sure of a negative self, and what contradicts it."""

from dataclasses import replace
from functools import lru_cache

import jax
import numpy as np

import pcmodel.neuromodulation as nm
from pcmodel.brain.dynamics import BrainHierarchy, EyesClosed, Task, linear_activity
from pcmodel.brain.dynamics.self_hold import free_places
from pcmodel.model.modulation import Modulation
from pcmodel.model.precision import pack_cholesky, unpack_cholesky
from pcmodel.networks.pure import as_model, with_arrays
from pcmodel.paradigms.lasting import LinearLearning, Session

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
    top = unpack_cholesky(pure.log_precisions[-1]) * np.sqrt(precision)
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


def taught(
    brain: BrainHierarchy,
    experiences: dict[str, np.ndarray] | None,
    modulation: Modulation | None,
    *,
    rate: float,
    window: tuple[float, float],
) -> BrainHierarchy:
    """The day after: the experiences met once under the modulation, and once sober on the day after.

    Prior mean and precision of the default mode are learned, by exact steps of EM.

    experiences: None for a dose without any, from which the same step learns.  window: factors on the rate on the two days.
    """
    acute = modulation.in_inference() if modulation is not None else None
    below, network = brain.network.names[:-1], brain.network
    learning = LinearLearning(rate=rate, fixed_layers=below, fixed_precisions=below)
    for day, drug, gain in zip((0.0, DAY_AFTER), (acute, None), window, strict=True):
        session = Session(day, clamp=experiences, modulation=drug)
        network = learning.learn(network, session, gain, jax.random.key(0))
    return replace(brain, network=network)

r"""The world that teaches a brain hierarchy, streams whose causes share causes, and what is learned from them.

With every cause given nothing is hidden, and the M-step of EM is exact: the most likely map of each level is the regression
on what its parents pass on, and its precision the inverse covariance of the residuals (divided by the number of examples).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.brain.dynamics.plan import BrainPlan, Module, ranks, senses_of
from pcmodel.errors import UserError

CALIBRATION = 20_000
"""Draws by which the world's weights are scaled."""


class World(NamedTuple):
    """A hierarchy of causes of unit variance.

    weights: of each module the map from each parent, (width, parent's width).
    covariances: of what the parents leave unexplained, (width, width).
    squashed: whether causes below the top act through tanh.
    """

    weights: Mapping[str, Mapping[str, np.ndarray]]
    covariances: Mapping[str, np.ndarray]
    squashed: bool


def make_world(
    modules: Mapping[str, Module],
    plan: BrainPlan,
    rng: np.random.Generator,
    *,
    squashed: bool,
) -> World:
    """Weights drawn from N(plan.mean_weight, 1), scaled so that parents explain the plan's share of each unit's variance."""
    weights: dict[str, dict[str, np.ndarray]] = {}
    covariances, drawn = {}, {}
    senses = senses_of(modules)
    for name in top_down(modules):
        module = modules[name]
        width = module.regions * plan.units
        explained = 1 - plan.sense_noise if name in senses else plan.explained
        raw = {
            parent: plan.mean_weight
            + rng.standard_normal((width, drawn[parent].shape[1]))
            for parent in module.parents
        }
        signal = sum(
            acting(drawn[parent], modules[parent], squashed) @ own.T
            for parent, own in raw.items()
        )
        left = 1 - explained if raw else 1.0
        scale = np.sqrt(explained) / np.std(signal, axis=0) if raw else np.zeros(width)
        weights[name] = {parent: own * scale[:, None] for parent, own in raw.items()}
        common = 0.0 if name in senses else plan.shared
        covariances[name] = left * (common + (1 - common) * np.eye(width))
        noise = draw(covariances[name], CALIBRATION, rng)
        drawn[name] = noise + (signal * scale if raw else 0.0)
    return World(weights, covariances, squashed)


def top_down(modules: Mapping[str, Module]) -> list[str]:
    """Names of the modules, every one after its parents."""
    height = ranks(modules)
    return sorted(modules, key=lambda name: -height[name])


def acting(values: np.ndarray, module: Module, squashed: bool) -> np.ndarray:
    """What a module's causes pass on: themselves, or their tanh below the top."""
    return np.tanh(values) if squashed and module.parents else values


def draw(covariance: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """Draws from N(0, covariance), (number, width)."""
    root = np.linalg.cholesky(covariance)
    return rng.standard_normal((number, len(covariance))) @ root.T


def draw_streams(
    world: World, modules: Mapping[str, Module], number: int, rng: np.random.Generator
) -> dict[str, Float[np.ndarray, "number width"]]:
    """Examples of all causes, senses included, by module."""
    found: dict[str, np.ndarray] = {}
    for name in top_down(modules):
        found[name] = draw(world.covariances[name], number, rng)
        for parent, own in world.weights[name].items():
            passed = acting(found[parent], modules[parent], world.squashed)
            found[name] = found[name] + passed @ own.T
    return found


class Taught(NamedTuple):
    """What one level learned.

    maps: one per parent, (width, parent's width).
    bias: (width,); of a top its prior mean.
    precision: of the errors, (width, width).
    """

    maps: tuple[Float[np.ndarray, "width _"], ...]
    bias: Float[np.ndarray, " width"]
    precision: Float[np.ndarray, "width width"]


def regress(
    level: str,
    values: Float[np.ndarray, "examples width"],
    passed: list[Float[np.ndarray, "examples _"]],
) -> Taught:
    """Regression of a level on what its parents pass on, with a constant.

    Raises UserError for fewer examples than a precision matrix needs.
    """
    number, width = values.shape
    columns = np.hstack([*passed, np.ones((number, 1))])
    if number < columns.shape[1] + width + 1:
        raise UserError(
            f"{number} examples do not determine level {level!r}",
            where="examples",
            expected=f"{columns.shape[1] + width + 1} or more for its {width} units",
        )
    found, *_ = np.linalg.lstsq(columns, values, rcond=None)
    left = values - columns @ found
    ends = np.cumsum([own.shape[1] for own in passed])
    maps = np.split(found[:-1], ends[:-1]) if passed else []
    return Taught(
        tuple(own.T for own in maps), found[-1], np.linalg.inv(left.T @ left / number)
    )

"""The world that teaches a brain hierarchy: streams whose causes share causes."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.brain.dynamics.plan import BrainPlan, Module, ranks, senses_of

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

"""What a rule's inference leaves undone, and how its gradient lies to backpropagation's, layer by layer."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pcmodel.data.augment import Augmentation
from pcmodel.inference import GaussNewton
from pcmodel.inference.linear.dual_primal import ConjugateGradient
from pcmodel.inference.whitened import objective
from pcmodel.learning.e_step import sweep_start
from pcmodel.learning.em import LearningState, problem_of
from pcmodel.learning.nudging import FixedPoint, NudgedLoss
from pcmodel.learning.nudging.distance import distance_left, loss_of
from pcmodel.learning.rules import Backpropagation, Equilibrium, RuleContext
from pcmodel.training.setup import TrainingSetup

SETTLED = FixedPoint(100)
"""Passes after which a nudge that contracts has arrived."""
MODE = GaussNewton(ConjugateGradient(200), max_iterations=30)


def diagnose(setting: TrainingSetup, state: LearningState, num: int) -> dict[str, Any]:
    """Of the first training images, without shifts and flips."""
    some = jax.tree.map(lambda leaf: leaf[:num], setting.examples)
    plain = replace(setting.preparation, augmentation=Augmentation())
    keys = jax.random.split(jax.random.key(0), len(some.labels))
    values = jax.jit(jax.vmap(plain))(keys, some)
    own = gradient(setting, state, values, setting.learning.rule)
    twin = gradient(setting, state, values, Backpropagation())
    whole = [jnp.concatenate([jnp.ravel(g) for g in each]) for each in (own, twin)]
    return {
        "cosine_with_backprop": cosine(*whole),
        "cosine_with_backprop_by_layer_from_the_label": [
            cosine(one, other) for one, other in zip(own, twin, strict=True)
        ],
        **distances(setting, state, values),
    }


def gradient(
    setting: TrainingSetup, state: LearningState, values: Any, rule: Any
) -> list[Array]:
    """A rule's gradient of each layer, flat."""

    @jax.jit
    def run(state, values):
        def pose(weights, example):
            return problem_of(setting.structure, weights, state.log_precisions, example)

        e_step = setting.learning.e_step
        context = RuleContext(pose, lambda state, slope, draws: slope, e_step)
        result = rule.step(state, values, (), jax.random.key(0), context)
        return [
            jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(layer)])
            for layer in result.state.gradient["layers"]
        ]

    return run(state, values)


def distances(
    setting: TrainingSetup, state: LearningState, values: Any
) -> dict[str, float]:
    """Medians over images of the share of the energy between sweep and equilibrium that inference leaves, in absolute
    value, and of a nudge the residual of its worse sign; nothing for backpropagation, which infers nothing."""
    rule = setting.learning.rule
    if isinstance(rule, NudgedLoss):
        named = {"centred": (1, -1), "positive": (1,), "negative": (-1,)}
        signs = named.get(rule.sign, (1, -1))
        both = [nudged(setting, state, values, rule, sign) for sign in signs]
        energy, residual = np.max(both, axis=0)
        return {
            "energy_left": float(np.median(energy)),
            "residual": float(np.median(residual)),
            "settled": float(np.mean(residual < 0.1)),
        }
    if isinstance(rule, Equilibrium):
        return {"energy_left": float(np.median(unfinished(setting, state, values)))}
    return {}


def nudged(
    setting: TrainingSetup, state: LearningState, values: Any, rule: NudgedLoss, sign
) -> np.ndarray:
    """(2, images): energy left and residual of one sign."""
    weight = jnp.asarray(sign * rule.strength, state.weights["prior_mean"].dtype)

    @jax.jit
    def run(state, values):
        def one(example):
            problem = problem_of(
                setting.structure, state.weights, state.log_precisions, example
            )

            def energy(z):
                return 0.5 * jnp.sum(z**2) + weight * loss_of(problem, z)

            found = rule.inference.settle(problem, weight)
            arrived = energy(SETTLED.settle(problem, weight))
            left = jnp.abs(energy(found) - arrived)
            whole = jnp.abs(energy(sweep_start(problem)) - arrived)
            return jnp.stack([left / whole, distance_left(problem, found, weight)])

        return jax.lax.map(one, values)

    return np.asarray(run(state, values)).T


def unfinished(setting: TrainingSetup, state: LearningState, values: Any) -> np.ndarray:
    """Energy that the E-step's solver leaves above the mode, as a share of the sweep's."""
    solver = setting.learning.e_step.solver  # type: ignore[attr-defined]

    @jax.jit
    def run(state, values):
        def one(example):
            problem = problem_of(
                setting.structure, state.weights, state.log_precisions, example
            )
            start = sweep_start(problem)
            found, best = (
                objective(problem, each.minimise(problem, start).whitened)
                for each in (solver, MODE)
            )
            return (found - best) / (objective(problem, start) - best)

        return jax.lax.map(one, values)

    return np.asarray(run(state, values))


def cosine(one: Array, other: Array) -> float:
    """Of the angle between two gradients."""
    return float(jnp.sum(one * other) / (jnp.linalg.norm(one) * jnp.linalg.norm(other)))

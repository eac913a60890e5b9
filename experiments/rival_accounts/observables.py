"""What is observed of one modulated hierarchy: belief, activity, and its dynamics."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.api.pose import pose
from pcmodel.inference.activity import activity_moments
from pcmodel.inference.infer import infer_one
from pcmodel.inference.posterior import covariance_root
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.model.energy import (
    energy,
    latents_from_state,
    level_factor,
    predict_latent,
    predictions,
    state_from_latents,
)
from pcmodel.model.modulation import Modulation
from pcmodel.model.precision import precision_matrix
from pcmodel.model.problem import Problem
from pcmodel.networks.pure import PureNetwork

from .._dosing import QUICK

STEP = 0.1
"""Time between samples of the dynamics, in 1 / gradient rate."""
MEMORY = 0.9
"""Correlation of the moving input from sample to sample."""


class Factors(NamedTuple):
    """A modulation as arrays, so that all accounts run one compiled program."""

    gains: Array
    slopes: Array
    top_down: Array
    temperature: Array


class Observed(NamedTuple):
    """Of one hierarchy.

    top: mean activity of the top.  spread: its entropy up to a constant, nats.  transfer: from top to the
    lowest latent level, nats a sample.  error: size of the top's precision-weighted error.
    closed: diversity of activity with eyes closed, nats; structure: its total correlation, nats.
    still, moving: diversity over time under a constant and a moving input.
    """

    top: Array
    spread: Array
    transfer: Array
    error: Array
    closed: Array
    structure: Array
    still: Array
    moving: Array
    residual: Array


def observe(factors: Factors, network: PureNetwork, seen: Array, *, amplitude: Array):
    """All observables of one network under one modulation."""
    levels = range(len(network.model.widths))
    modulation = Modulation(
        {level: factors.gains[level] for level in levels},
        {level: factors.slopes[level] for level in levels if level},
    )
    open_eyes = pose(network, seen, modulation=modulation).problem
    found = infer_one(open_eyes, GaussNewton())
    of = activity_moments(
        open_eyes, found.whitened, factors.top_down, factors.temperature
    )
    top = open_eyes.structure.free_slices()[-1]
    mean = state_from_latents(open_eyes.structure, of.mean)[top]
    precision = precision_matrix(level_factor(open_eyes, open_eyes.structure.top))
    error = precision @ (mean - predict_latent(open_eyes, open_eyes.structure.top, ()))
    closed = eyes_closed(network, modulation, factors)
    still, moving, transfer = dynamics(open_eyes, found, factors, amplitude)
    return Observed(
        mean,
        half_log_det(of.covariance[top, top]),
        transfer,
        jnp.sqrt(jnp.sum(error**2)),
        half_log_det(closed),
        0.5 * jnp.sum(jnp.log(jnp.diagonal(closed))) - half_log_det(closed),
        still,
        moving,
        found.residual,
    )


def half_log_det(covariance: Array) -> Array:
    """Entropy of a Gaussian up to a constant."""
    return 0.5 * jnp.linalg.slogdet(covariance)[1]


def eyes_closed(
    network: PureNetwork, modulation: Modulation, factors: Factors
) -> Array:
    """Covariance of activity when what is seen is darkness, just as expected."""
    dark = pose(network, modulation=modulation).problem
    expected = network.weights["prior_mean"]
    for level in reversed(range(len(network.model.widths) - 1)):
        expected = dark.structure.model.predict_level(
            dark.inputs.weights, level, (expected,)
        )
    problem = pose(network, expected, modulation=modulation).problem
    found = infer_one(problem, GaussNewton())
    return activity_moments(
        problem, found.whitened, factors.top_down, factors.temperature
    ).covariance


class Linear(NamedTuple):
    """Inference near its mode: curvature, pull of the data, and maps from level to level.

    curvature: (free, free), Gauss-Newton.  pull: minus d(gradient)/d(data).  down: (free, free), from
    each level to the one below.  generated: covariance of what is generated from above.
    """

    curvature: Array
    pull: Array
    down: Array
    generated: Array


def linear_dynamics(problem: Problem, found) -> Linear:
    """Langevin inference linearised at a mode."""
    structure = problem.structure
    state = state_from_latents(structure, found.latents)

    def gradient(state: Array, data: Array) -> Array:
        values = (data, *problem.inputs.values[1:])
        moved = Problem(structure, problem.inputs._replace(values=values))
        return jax.grad(lambda x: energy(moved, latents_from_state(moved, x)))(state)

    def from_above(state: Array) -> Array:
        return state_from_latents(
            structure, predictions(problem, latents_from_state(problem, state))
        )

    root = covariance_root(problem, found.whitened)
    blocks = [
        jnp.linalg.inv(precision_matrix(level_factor(problem, level)))
        for level in range(1, structure.top + 1)
    ]
    return Linear(
        jnp.linalg.inv(root @ root.T),
        -jax.jacobian(gradient, argnums=1)(state, problem.inputs.values[0]),
        jax.jacobian(from_above)(state),
        jax.scipy.linalg.block_diag(*blocks),
    )


def dynamics(problem: Problem, found, factors: Factors, amplitude: Array):
    """Diversity under a constant and a moving input, and transfer entropy from top to bottom.

    Inference is an Ornstein-Uhlenbeck process between samples; a generated share arrives one sample after
    the activity above that generates it.
    """
    linear = linear_dynamics(problem, found)
    values, vectors = jnp.linalg.eigh(linear.curvature)
    kept = (vectors * jnp.exp(-values * STEP)[None]) @ vectors.T
    lost = (-jnp.expm1(-2 * values * STEP)) / values
    noise = factors.temperature * (vectors * lost[None]) @ vectors.T
    to_mode = jnp.linalg.solve(linear.curvature, linear.pull)
    inflow = to_mode - kept @ to_mode
    free, seen = linear.pull.shape
    alpha = factors.top_down
    step = jnp.block(
        [
            [kept, jnp.zeros((free, free)), inflow],
            [(1 - alpha) * kept, alpha * linear.down, (1 - alpha) * inflow],
            [jnp.zeros((seen, 2 * free)), MEMORY * jnp.eye(seen)],
        ]
    )
    of_state = jnp.block(
        [
            [noise, (1 - alpha) * noise],
            [
                (1 - alpha) * noise,
                (1 - alpha) ** 2 * noise + alpha**2 * linear.generated,
            ],
        ]
    )

    def stationary(size: float | Array) -> Array:
        of_input = size**2 * (1 - MEMORY**2) * jnp.eye(seen)
        return lyapunov(step, jax.scipy.linalg.block_diag(of_state, of_input))

    still, moving = stationary(0.0), stationary(amplitude)
    part = slice(free, 2 * free)
    slices = problem.structure.free_slices()
    bottom, top = (
        slice(free + each.start, free + each.stop) for each in (slices[1], slices[-1])
    )
    return (
        half_log_det(still[part, part]),
        half_log_det(moving[part, part]),
        transfer_entropy(step, moving, top, bottom),
    )


def lyapunov(step: Array, noise: Array, doublings: int = 24) -> Array:
    """P = M P M' + Q by doubling: P_{k+1} = P_k + M_k P_k M_k', M_{k+1} = M_k^2."""

    def double(carry, _):
        power, total = carry
        return (power @ power, total + power @ total @ power.T), None

    return jax.lax.scan(double, (step, noise), length=doublings)[0][1]


def transfer_entropy(step: Array, stationary: Array, source: slice, target: slice):
    """1/2 log det cov(target' | target) / det cov(target' | target, source), one sample back."""
    later = step @ stationary

    def left_over(known: Array) -> Array:
        cross = later[target][:, known]
        own = stationary[known][:, known]
        return stationary[target, target] - cross @ jnp.linalg.solve(own, cross.T)

    units = jnp.arange(stationary.shape[0])
    both = jnp.concatenate([units[target], units[source]])
    return half_log_det(left_over(units[target])) - half_log_det(left_over(both))


@partial(jax.jit, static_argnames="model", compiler_options=QUICK)
def observe_all(factors: Factors, weights, log_precisions, seen, amplitude, *, model):
    """factors (cases, ...), networks (networks, ...): every field (cases, networks, ...)."""

    def one(factors, weights, seen):
        network = PureNetwork(model, weights, log_precisions)
        return observe(factors, network, seen, amplitude=amplitude)

    over_networks = jax.vmap(one, in_axes=(None, 0, 0))
    return jax.lax.map(lambda w: over_networks(w, weights, seen), factors)

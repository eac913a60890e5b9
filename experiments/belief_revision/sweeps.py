"""What is run on one network: trials, sweeps over strength and gain, order, settling."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from pcmodel.api.batching import over_examples
from pcmodel.api.pose import Batching, pose
from pcmodel.data.digits import DigitsSplit, one_hot
from pcmodel.inference.infer import infer_one
from pcmodel.inference.solvers.descent import StateDescent, trajectory
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.model.belief import Belief
from pcmodel.model.energy import energy, latents_from_state, state_from_latents
from pcmodel.model.modulation import Modulation, uniform
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.networks.network import PureNetwork
from pcmodel.paradigms.revision import Revision
from pcmodel.report.laplace import LaplaceSummary

from .config import Config
from .presenting import (
    QUICK,
    Beliefs,
    diagnose_cases,
    posterior_beliefs,
    present,
    stack,
)

DIAGNOSED = 8
"""Pairs whose Laplace posteriors are compared with the posterior."""


class Trials(NamedTuple):
    """One row a pair: the believed class, the evidence's class, and their images."""

    believed: np.ndarray
    shown: np.ndarray
    believed_image: np.ndarray
    shown_image: np.ndarray
    establishing: np.ndarray

    def morphs(self, strengths: tuple[float, ...]) -> np.ndarray:
        """(pairs, strengths, pixels): from the believed image (0) to the shown one (1)."""
        s = np.asarray(strengths)[None, :, None]
        return (1 - s) * self.believed_image[:, None] + s * self.shown_image[:, None]


def draw_trials(
    data: DigitsSplit, num_pairs: int, num_establishing: int, seed: int
) -> Trials:
    """Held-out images, every class equally often; none is chosen by how it is classified."""
    rng = np.random.default_rng(seed)
    shown = np.arange(num_pairs) % 10
    believed = (shown + rng.integers(1, 10, num_pairs)) % 10
    by_class = [np.flatnonzero(data.test_labels == digit) for digit in range(10)]

    def pick(digits: np.ndarray) -> np.ndarray:
        return np.array([rng.choice(by_class[digit]) for digit in digits])

    establishing = np.stack(
        [
            rng.choice(by_class[digit], num_establishing, replace=False)
            for digit in believed
        ]
    )
    return Trials(
        believed,
        shown,
        data.test_images[pick(believed)],
        data.test_images[pick(shown)],
        data.test_images[establishing],
    )


def top_precision(network: PureNetwork) -> Array:
    """Of the network's own belief, 1 / activity^2."""
    log_precision = network.log_precisions[-1]
    assert log_precision is not None  # only a categorical bottom has none
    return jnp.exp(log_precision)


def evidence_scale(network: PureNetwork, images: np.ndarray, key) -> float:
    """Mean precision with which an image speaks to the top, under the network's own prior."""
    mean = jnp.broadcast_to(network.weights["prior_mean"], (len(images), 10))
    own = Beliefs.of(mean, top_precision(network))
    return float(np.mean(present(network, own, images, key=key).evidence_precision))


class Sweeps(NamedTuple):
    """Everything measured on one network at its 9 : 1 prior; leading axes as named.

    psychometric: (top gains, pairs, strengths).  levels: (levels, gains, pairs) at full
    strength.  combinations: (combinations, gains, pairs).
    """

    psychometric: Revision
    levels: Revision
    combinations: Revision


COMBINATIONS = ("all alike", "all but sensory", "all between", "sensory raised")


def combination(name: str, gain: float, names: tuple[str, ...]) -> Modulation:
    """Levels modulated together; "sensory raised" divides by the gain instead."""
    if name == "sensory raised":
        return Modulation({names[0]: 1 / gain})
    groups = {
        "all alike": names,
        "all but sensory": names[1:],
        "all between": names[1:-1],
    }
    return uniform(gain, groups[name])


def held_beliefs(trials: Trials, precision: float) -> Beliefs:
    """Certain-enough beliefs in the believed class, one precision for all."""
    mean = jnp.asarray(one_hot(trials.believed), float)
    return Beliefs.of(mean, precision)


def run_sweeps(
    network: PureNetwork, trials: Trials, precision: float, config: Config, key
) -> Sweeps:
    """Both sweeps of one network.  The same key everywhere: conditions share their noise."""
    names = network.model.names
    beliefs = held_beliefs(trials, precision)
    morphs = trials.morphs(config.strengths)
    options = {"key": key, "num_samples": config.belief_samples}

    def strengths(gain: float) -> Revision:
        relaxed = Modulation({"top": gain})
        steps = [
            present(network, beliefs, morphs[:, step], modulation=relaxed, **options)
            for step in range(morphs.shape[1])
        ]
        return jax.tree.map(lambda x: np.moveaxis(x, 0, 1), stack(steps))

    def full(modulation: Modulation) -> Revision:
        return present(
            network, beliefs, trials.shown_image, modulation=modulation, **options
        )

    gains = config.gains
    return Sweeps(
        stack([strengths(gain) for gain in gains]),
        stack([stack([full(Modulation({name: g})) for g in gains]) for name in names]),
        stack(
            [
                stack([full(combination(name, g, names)) for g in gains])
                for name in COMBINATIONS
            ]
        ),
    )


def diagnose_some(
    network: PureNetwork, trials: Trials, precision: float, config: Config, key
) -> LaplaceSummary:
    """Of the first pairs, undrugged and with the top relaxed the furthest."""
    beliefs = jax.tree.map(
        lambda leaf: leaf[:DIAGNOSED], held_beliefs(trials, precision)
    )
    return diagnose_cases(
        network,
        beliefs,
        trials.shown_image[:DIAGNOSED],
        key=key,
        modulations=(
            Modulation({"top": 1.0}),
            Modulation({"top": config.gains[-1]}),
        ),
    )


def relax_without_evidence(
    network: PureNetwork, trials: Trials, precision: float, config: Config, key
) -> np.ndarray:
    """Largest change of any latent when every level is relaxed and nothing is presented."""
    beliefs = held_beliefs(trials, precision)
    prior = Belief(beliefs.mean, beliefs.log_precision, ("top",))
    changes = []
    for gain in config.gains:
        states = []
        for modulation in (
            None,
            Modulation({"top": gain}),
            uniform(gain, network.model.names[1:]),
        ):
            posed = pose(network, prior=prior, modulation=modulation)
            found = _modes(posed.problem, batching=posed.batching)
            states.append(np.concatenate([np.asarray(x) for x in found], axis=1))
        changes.append(max(np.abs(state - states[0]).max() for state in states[1:]))
    return np.asarray(changes)


@partial(jax.jit, static_argnames=("batching",))
def _modes(problem: Problem, *, batching: Batching) -> Latents:
    return over_examples(mode_of, problem, batching=batching)


def mode_of(problem: Problem) -> Latents:
    """The default solver's mode from the top-down sweep."""
    return infer_one(problem, GaussNewton()).latents


class Order(NamedTuple):
    """Belief in the shown class after the same images in two orders: (pairs,) each.

    distance: between the two final modes of the top.
    """

    rising: np.ndarray
    falling: np.ndarray
    distance: np.ndarray


def order_effect(
    network: PureNetwork, trials: Trials, precision: float, config: Config, key
) -> Order:
    """Hysteresis: the posterior of each presentation is the prior of the next."""
    morphs = trials.morphs(config.strengths)
    finals = []
    for order in (1, -1):
        beliefs = held_beliefs(trials, precision)
        for step in range(morphs.shape[1])[::order]:
            found = present(
                network,
                beliefs,
                morphs[:, step],
                key=key,
                num_samples=config.belief_samples,
            )
            beliefs = posterior_beliefs(found)
        finals.append(found)
    shown = trials.shown[:, None]
    belief = [np.take_along_axis(np.asarray(f.belief), shown, 1)[:, 0] for f in finals]
    gap = np.asarray(finals[0].mode) - np.asarray(finals[1].mode)
    return Order(belief[0], belief[1], np.linalg.norm(gap, axis=1))


class Established(NamedTuple):
    """A belief established by images: how it meets the contradicting one.

    precision: mean precision of the established belief.  flips: (gains,) share of pairs whose readout
    becomes the shown class.  held: share that held the believed class before.
    """

    precision: float
    held: float
    flips: np.ndarray


def establish_then_contradict(
    network: PureNetwork, trials: Trials, config: Config, key
) -> Established:
    """Start from the network's own prior, present images of one class, then the other."""
    pairs = len(trials.shown)
    dtype = network.weights["prior_mean"].dtype
    mean = jnp.broadcast_to(network.weights["prior_mean"], (pairs, 10)).astype(dtype)
    beliefs = Beliefs.of(mean, top_precision(network))
    samples = {"key": key, "num_samples": config.belief_samples}
    for step in range(config.established_by):
        found = present(network, beliefs, trials.establishing[:, step], **samples)
        beliefs = posterior_beliefs(found)
    held = np.argmax(np.asarray(found.mode), axis=1) == trials.believed
    width = found.mode.shape[1]
    precision = np.mean(
        width / np.trace(np.asarray(found.covariance), axis1=1, axis2=2)
    )
    flips = []
    for gain in config.gains:
        after = present(
            network,
            beliefs,
            trials.shown_image,
            modulation=Modulation({"top": gain}),
            **samples,
        )
        flips.append(np.mean(np.argmax(np.asarray(after.mode), axis=1) == trials.shown))
    return Established(float(precision), float(np.mean(held)), np.asarray(flips))


class Settling(NamedTuple):
    """Time constants in 1 / gradient rate, (gains, pairs).

    predicted: 1 / smallest eigenvalue of the state-space Hessian, top relaxed; uniform: every gain alike.
    measured: decay of `StateDescent` along that direction at no drug, (pairs,).
    """

    predicted: np.ndarray
    uniform: np.ndarray
    measured: np.ndarray


def settling(
    network: PureNetwork, trials: Trials, precision: float, config: Config
) -> Settling:
    """Settling times under relaxation, and a check by running gradient descent."""
    pairs = config.settling_pairs
    held = held_beliefs(trials, precision)
    prior = Belief(held.mean[:pairs], held.log_precision[:pairs], ("top",))
    images = trials.shown_image[:pairs]

    names = network.model.names

    def times(modulation: Modulation):
        posed = pose(network, images, prior=prior, modulation=modulation)
        return [
            np.asarray(x) for x in _settling(posed.problem, batching=posed.batching)
        ]

    top = [times(Modulation({"top": gain})) for gain in config.gains]
    alike = [times(uniform(gain, names)) for gain in config.gains]
    return Settling(
        np.stack([predicted for predicted, _ in top]),
        np.stack([predicted for predicted, _ in alike]),
        top[0][1],
    )


@partial(jax.jit, static_argnames=("batching", "num_steps"), compiler_options=QUICK)
def _settling(problem: Problem, *, batching: Batching, num_steps: int = 500):
    """1 / smallest curvature, and the decay time of descent displaced along that direction."""

    def one(problem: Problem):
        mode = state_from_latents(problem.structure, mode_of(problem))
        hessian = jax.hessian(
            lambda x: energy(problem, latents_from_state(problem, x))
        )(mode)
        values, vectors = jnp.linalg.eigh(hessian)
        # Stable for the fastest direction, and no more than two slow time constants in all.
        rate = jnp.minimum(0.5 / values[-1], 2 / (values[0] * num_steps))
        start = mode + 1e-3 * vectors[:, 0]
        path = trajectory(StateDescent(optax.sgd(rate)), problem, start, num_steps)
        along = (path.points - mode[None]) @ vectors[:, 0]
        measured = -(num_steps - 1) * rate / jnp.log(along[-1] / along[0])
        return 1 / values[0], measured

    return over_examples(one, problem, batching=batching)


def monotone_in_a_linear_network(
    network: PureNetwork, trials: Trials, precision: float, config: Config, key
) -> np.ndarray:
    """Revision of a linear hierarchy as its top is relaxed: (pairs, gains)."""
    beliefs = held_beliefs(trials, precision)
    found = [
        present(
            network,
            beliefs,
            trials.shown_image,
            key=key,
            modulation=Modulation({"top": gain}),
            num_samples=config.belief_samples,
        )
        for gain in config.gains
    ]
    return np.stack([np.asarray(each.revision) for each in found], axis=1)

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
from pcmodel.networks.pure import PureNetwork
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


class Scales(NamedTuple):
    """Evidence precision that reaches the top, and the prior precision set from it."""

    evidence: float
    prior: float


class Case(NamedTuple):
    """A network, and what beliefs in it meet.  key: the same everywhere, so that conditions share their noise."""

    network: PureNetwork
    trials: Trials
    scales: Scales
    config: Config
    key: Array

    @property
    def beliefs(self) -> Beliefs:
        """Certain-enough beliefs in the believed class, one precision for all."""
        mean = jnp.asarray(one_hot(self.trials.believed), float)
        return Beliefs.of(mean, self.scales.prior)

    def present(
        self,
        images: np.ndarray,
        modulation: Modulation | None = None,
        *,
        beliefs: Beliefs | None = None,
    ) -> Revision:
        """Present one image to each belief; to those held unless others are given."""
        return present(
            self.network,
            self.beliefs if beliefs is None else beliefs,
            images,
            key=self.key,
            modulation=modulation,
            num_samples=self.config.belief_samples,
        )


def own_beliefs(network: PureNetwork, cases: int) -> Beliefs:
    """The network's own prior, as many times."""
    prior = network.weights["prior_mean"]
    mean = jnp.broadcast_to(prior, (cases, len(prior)))
    return Beliefs.of(mean, top_precision(network))


def evidence_scale(network: PureNetwork, images: np.ndarray, key) -> float:
    """Mean precision with which an image speaks to the top, under the network's own prior."""
    found = present(network, own_beliefs(network, len(images)), images, key=key)
    return float(np.mean(found.evidence_precision))


class Sweeps(NamedTuple):
    """Everything measured on one network at its 9 : 1 prior; leading axes as named.

    psychometric: (top gains, pairs, strengths).  levels: (levels, gains, pairs) at full
    strength.  combinations: (combinations, gains, pairs).
    """

    psychometric: Revision
    levels: Revision
    combinations: Revision

    def combined(self, name: str) -> Revision:
        """With one of `COMBINATIONS` modulated: (gains, pairs)."""
        place = COMBINATIONS.index(name)
        return Revision(*(field[place] for field in self.combinations))


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


def run_sweeps(case: Case) -> Sweeps:
    """Both sweeps of one network."""
    names, gains = case.network.model.names, case.config.gains
    morphs = case.trials.morphs(case.config.strengths)

    def strengths(gain: float) -> Revision:
        relaxed = Modulation({"top": gain})
        steps = [case.present(images, relaxed) for images in morphs.swapaxes(0, 1)]
        return jax.tree.map(lambda x: np.moveaxis(x, 0, 1), stack(steps))

    def full(modulations: list[Modulation]) -> Revision:
        return stack([case.present(case.trials.shown_image, m) for m in modulations])

    return Sweeps(
        stack([strengths(gain) for gain in gains]),
        stack([full([Modulation({name: g}) for g in gains]) for name in names]),
        stack([full([combination(c, g, names) for g in gains]) for c in COMBINATIONS]),
    )


def diagnose_some(case: Case) -> LaplaceSummary:
    """Of the first pairs, undrugged and with the top relaxed the furthest."""
    return diagnose_cases(
        case.network,
        jax.tree.map(lambda leaf: leaf[:DIAGNOSED], case.beliefs),
        case.trials.shown_image[:DIAGNOSED],
        key=case.key,
        modulations=tuple(
            Modulation({"top": gain}) for gain in (1.0, case.config.gains[-1])
        ),
    )


def relax_without_evidence(case: Case) -> np.ndarray:
    """Largest change of any latent when every level is relaxed and nothing is presented."""
    network, beliefs = case.network, case.beliefs
    prior = Belief(beliefs.mean, beliefs.log_precision, ("top",))

    def state(modulation: Modulation | None) -> np.ndarray:
        posed = pose(network, prior=prior, modulation=modulation)
        found = _modes(posed.problem, batching=posed.batching)
        return np.concatenate([np.asarray(x) for x in found], axis=1)

    before, changes = state(None), []
    for gain in case.config.gains:
        relaxed = Modulation({"top": gain}), uniform(gain, network.model.names[1:])
        changes.append(max(np.abs(state(each) - before).max() for each in relaxed))
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


def order_effect(case: Case) -> Order:
    """Hysteresis: the posterior of each presentation is the prior of the next."""
    morphs = case.trials.morphs(case.config.strengths).swapaxes(0, 1)
    finals = []
    for images in (morphs, morphs[::-1]):
        beliefs = case.beliefs
        for each in images:
            found = case.present(each, beliefs=beliefs)
            beliefs = posterior_beliefs(found)
        finals.append(found)
    shown = case.trials.shown[:, None]
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


def establish_then_contradict(case: Case) -> Established:
    """Start from the network's own prior, present images of one class, then the other."""
    trials = case.trials
    beliefs = own_beliefs(case.network, len(trials.shown))
    for images in trials.establishing.swapaxes(0, 1):
        found = case.present(images, beliefs=beliefs)
        beliefs = posterior_beliefs(found)
    held = np.argmax(np.asarray(found.mode), axis=1) == trials.believed
    variance = np.trace(np.asarray(found.covariance), axis1=1, axis2=2)
    flips = []
    for gain in case.config.gains:
        relaxed = Modulation({"top": gain})
        after = case.present(trials.shown_image, relaxed, beliefs=beliefs)
        flips.append(np.mean(np.argmax(np.asarray(after.mode), axis=1) == trials.shown))
    precision = np.mean(found.mode.shape[1] / variance)
    return Established(float(precision), float(np.mean(held)), np.asarray(flips))


class Settling(NamedTuple):
    """Time constants in 1 / gradient rate, (gains, pairs).

    predicted: 1 / smallest eigenvalue of the state-space Hessian, top relaxed; uniform: every gain alike.
    measured: decay of `StateDescent` along that direction at no drug, (pairs,).
    """

    predicted: np.ndarray
    uniform: np.ndarray
    measured: np.ndarray


def settling(case: Case) -> Settling:
    """Settling times under relaxation, and a check by running gradient descent."""
    pairs, gains = case.config.settling_pairs, case.config.gains
    held = jax.tree.map(lambda leaf: leaf[:pairs], case.beliefs)
    prior = Belief(held.mean, held.log_precision, ("top",))
    images, names = case.trials.shown_image[:pairs], case.network.model.names

    def times(modulation: Modulation):
        posed = pose(case.network, images, prior=prior, modulation=modulation)
        return [
            np.asarray(x) for x in _settling(posed.problem, batching=posed.batching)
        ]

    top = [times(Modulation({"top": gain})) for gain in gains]
    alike = [times(uniform(gain, names)) for gain in gains]
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


def revision_by_gain(case: Case) -> np.ndarray:
    """Revision as the top is relaxed: (pairs, gains)."""
    relaxed = [Modulation({"top": gain}) for gain in case.config.gains]
    found = [case.present(case.trials.shown_image, each) for each in relaxed]
    return np.stack([np.asarray(each.revision) for each in found], axis=1)

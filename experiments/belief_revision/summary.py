"""What result.json holds: the numbers that answer the question."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pcmodel.paradigms.revision import Revision
from pcmodel.report import Verdict

from .behaviour import BehaviourResults
from .config import Config
from .network import level_names
from .simulate import Results


class Curves(NamedTuple):
    """By top gain, means over pairs with 95 % bootstrap intervals (gains, 3): mean, low, high.

    threshold: morph at which the belief in the shown class passes 1/2, per pair, infinite where it never
        does; its median over pairs counts those as beyond the range.
    """

    threshold: np.ndarray
    revision: np.ndarray
    flips: np.ndarray
    untrained_flips: np.ndarray
    untrained_revision: np.ndarray
    noise_flips: np.ndarray


class Levels(NamedTuple):
    """By level (bottom first) and gain, means over pairs."""

    names: tuple[str, ...]
    revision: np.ndarray
    shift: np.ndarray
    flips: np.ndarray
    surprise: np.ndarray
    entropy: np.ndarray
    confidence: np.ndarray
    energy_share: np.ndarray


class Summary(NamedTuple):
    """What result.json holds.

    precisions: learned, by level.  between_revision: by gain of all levels between the bottom and the top,
    mean over pairs.  converged: share of presentations.
    """

    accuracy: float
    untrained_accuracy: float
    readout_accuracy: float
    precisions: np.ndarray
    gains: tuple[float, ...]
    curves: Curves
    levels: Levels
    between_revision: np.ndarray
    converged: float
    behaviour: dict[str, Any]
    verdicts: tuple[Verdict, ...] = ()


def mean(values: ArrayLike) -> np.ndarray:
    """Over pairs, the last axis."""
    return np.asarray(values).mean(axis=-1)


def flips(revision: Revision, shown: np.ndarray) -> np.ndarray:
    """Whether each pair's readout is the shown class: (..., pairs)."""
    return np.argmax(revision.mode, axis=-1) == shown


def belief_curves(results: Results) -> np.ndarray:
    """Belief in the shown class: (top gains, pairs, strengths)."""
    belief = np.asarray(results.trained.psychometric.belief)
    classes = results.trials.shown[None, :, None, None]
    return np.take_along_axis(
        belief, np.broadcast_to(classes, (*belief.shape[:-1], 1)), -1
    )[..., 0]


def thresholds(belief: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """First crossing of 1/2 along the last axis, interpolated; infinity where there is none."""
    above = belief >= 0.5
    first = np.argmax(above, axis=-1)
    after = np.take_along_axis(belief, first[..., None], -1)[..., 0]
    before_index = np.maximum(first - 1, 0)
    before = np.take_along_axis(belief, before_index[..., None], -1)[..., 0]
    share = np.where(
        after > before, (0.5 - before) / np.where(after > before, after - before, 1), 0
    )
    crossing = strengths[before_index] + share * (
        strengths[first] - strengths[before_index]
    )
    return np.where(above.any(-1), np.where(first == 0, strengths[0], crossing), np.inf)


def interval(values: np.ndarray, statistic=np.mean, *, draws: int = 1000) -> np.ndarray:
    """Statistic over the last axis with a 95 % bootstrap interval: (..., 3)."""
    rng = np.random.default_rng(0)
    picks = rng.integers(values.shape[-1], size=(draws, values.shape[-1]))
    resampled = statistic(values[..., picks], axis=-1)
    low, high = np.quantile(resampled, (0.025, 0.975), axis=-1, method="nearest")
    return np.stack([statistic(values, axis=-1), low, high], axis=-1)


def matched_noise(
    levels_top: Revision, shown: np.ndarray, *, draws: int = 50
) -> np.ndarray:
    """Flips to the shown class if the mode moved as far as relaxing moved it, but anywhere.

    (gains, pairs): share of random directions.
    """
    rng = np.random.default_rng(0)
    base = levels_top.mode[0]
    size = np.linalg.norm(levels_top.mode - base, axis=-1, keepdims=True)
    direction = rng.normal(size=(draws, *levels_top.mode.shape))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return np.mean(np.argmax(base + size * direction, axis=-1) == shown, axis=0)


def summarise(config: Config, results: Results) -> Summary:
    """Curves, level effects and behaviour."""
    trained, untrained = results.trained, results.untrained
    every = (
        trained.psychometric,
        trained.levels,
        trained.combinations,
        untrained.levels,
    )
    converged = np.concatenate([part.converged.ravel() for part in every])
    return Summary(
        accuracy=results.learned.accuracy,
        untrained_accuracy=results.learned.untrained_accuracy,
        readout_accuracy=results.learned.readout_accuracy,
        precisions=np.exp(results.learned.log_precisions[-1]),
        gains=config.gains,
        curves=curves(config, results),
        levels=levels(trained.levels, results.trials.shown),
        between_revision=mean(trained.combined("all between").revision),
        converged=float(np.mean(converged)),
        behaviour=behaviour_summary(results.behaviour),
    )


def curves(config: Config, results: Results) -> Curves:
    """What relaxing the top alone does, and the two controls."""
    shown, strengths = results.trials.shown, np.asarray(config.strengths)
    top, raw = (
        Revision(*(field[-1] for field in sweeps.levels))
        for sweeps in (results.trained, results.untrained)
    )
    return Curves(
        threshold=interval(thresholds(belief_curves(results), strengths), np.median),
        revision=interval(np.asarray(top.revision)),
        flips=interval(flips(top, shown).astype(float)),
        untrained_flips=interval(flips(raw, shown).astype(float)),
        untrained_revision=interval(np.asarray(raw.revision)),
        noise_flips=interval(matched_noise(top, shown)),
    )


def levels(relaxed: Revision, shown: np.ndarray) -> Levels:
    """What relaxing each level alone does."""
    return Levels(
        names=level_names(len(relaxed.revision)),
        revision=mean(relaxed.revision),
        shift=mean(relaxed.shift),
        flips=mean(flips(relaxed, shown)),
        surprise=mean(relaxed.surprise),
        entropy=mean(relaxed.entropy),
        confidence=mean(np.max(relaxed.belief, axis=-1)),
        energy_share=np.mean(relaxed.energy_share, axis=-2),
    )


def morph(threshold: float) -> str:
    """A threshold in words."""
    return f"{threshold:.2f}" if np.isfinite(threshold) else "never"


def behaviour_summary(behaviour: BehaviourResults) -> dict[str, Any]:
    """The behavioural numbers worth keeping as text; the arrays hold the rest."""
    total = behaviour.loo_by_participant.sum(axis=1)
    gaps = (total.max() - total) / behaviour.loo_by_participant.shape[1]
    agents, parameters = behaviour.agents, behaviour.parameters

    def named(names: tuple[str, ...], values: Any) -> dict[str, Any]:
        return dict(zip(names, values, strict=True))

    return {
        "loo_per_person_below_best": named(agents, gaps),
        "verdicts": named(agents, behaviour.verdicts),
        "diagnostics": named(agents, behaviour.diagnostics),
        "group_mean": named(parameters, behaviour.group_mean[0]),
        "contraction": named(parameters, behaviour.contraction[0]),
    }

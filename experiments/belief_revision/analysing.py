"""`analyse`: the numbers that answer the question."""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.paradigms.revision import Revision
from pcmodel.report import Verdict

from .computing import Results
from .config import Config
from .judging import judge


class Curves(NamedTuple):
    """By top gain, means over pairs with 95 % bootstrap intervals (gains, 3): mean, low, high.

    threshold: morph at which the belief in the shown class passes 1/2, per pair, NaN where it never
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
    """What result.json holds."""

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
    verdicts: tuple[Verdict, ...]


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


def analyse(config: Config, results: Results) -> Summary:
    """Curves, level effects, behaviour, and a verdict for every control."""
    shown = results.trials.shown
    trained, untrained = results.trained, results.untrained
    strengths = np.asarray(config.strengths)
    belief = belief_curves(results)
    top = Revision(*(field[-1] for field in trained.levels))
    raw_top = Revision(*(field[-1] for field in untrained.levels))
    curves = Curves(
        interval(thresholds(belief, strengths), np.median),
        interval(np.asarray(top.revision)),
        interval(flips(top, shown).astype(float)),
        interval(flips(raw_top, shown).astype(float)),
        interval(np.asarray(raw_top.revision)),
        interval(matched_noise(top, shown)),
    )
    names = tuple(name for name in level_names(results))
    all_levels = trained.levels
    levels = Levels(
        names,
        np.asarray(all_levels.revision).mean(-1),
        np.asarray(all_levels.shift).mean(-1),
        flips(all_levels, shown).mean(-1),
        np.asarray(all_levels.surprise).mean(-1),
        np.asarray(all_levels.entropy).mean(-1),
        np.asarray(all_levels.belief).max(-1).mean(-1),
        np.asarray(all_levels.energy_share).mean(-2),
    )
    every = (
        trained.psychometric,
        trained.levels,
        trained.combinations,
        untrained.levels,
    )
    converged = float(
        np.mean(np.concatenate([part.converged.ravel() for part in every]))
    )
    return Summary(
        results.learned.accuracy,
        results.learned.untrained_accuracy,
        results.learned.readout_accuracy,
        np.exp(results.learned.log_precisions[-1]),
        config.gains,
        curves,
        levels,
        np.asarray(trained.combinations.revision)[2].mean(-1),
        converged,
        behaviour_summary(results.behaviour),
        judge(config, results, curves, levels),
    )


def level_names(results: Results) -> tuple[str, ...]:
    """Names of the digits hierarchy's levels."""
    from .network import level_names as names

    return names(results.trained.levels.revision.shape[0])


def behaviour_summary(behaviour: Any) -> dict[str, Any]:
    """The behavioural numbers worth keeping as text; the arrays hold the rest."""
    people = behaviour.loo_by_participant.shape[1]
    total = behaviour.loo_by_participant.sum(axis=1)
    return {
        "loo_per_person_below_best": {
            name: float((total.max() - value) / people)
            for name, value in zip(behaviour.agents, total, strict=True)
        },
        "verdicts": dict(zip(behaviour.agents, behaviour.verdicts, strict=True)),
        "diagnostics": dict(zip(behaviour.agents, behaviour.diagnostics, strict=False)),
        "group_mean": {
            parameter: behaviour.group_mean[0, index]
            for index, parameter in enumerate(behaviour.parameters)
        },
        "contraction": {
            parameter: float(behaviour.contraction[0, index])
            for index, parameter in enumerate(behaviour.parameters)
        },
    }

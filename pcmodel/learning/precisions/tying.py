"""Precisions that several levels share: the M-step sees them once, with the errors of all their levels.

The first level of a group stands for it; the others have no precision of their own in the M-step.
"""

from collections.abc import Sequence
from typing import TypeVar

import jax.numpy as jnp

from pcmodel.learning.precisions.m_step import Draws, LevelRule
from pcmodel.learning.precisions.scores import Scores
from pcmodel.model.generative import GenerativeModel, tied_precisions
from pcmodel.model.types import LogPrecisions

Value = TypeVar("Value")


def followers(model: GenerativeModel) -> dict[int, int]:
    """Every level that shares the precision of a lower one, with that level."""
    return {level: first for first, *rest in tied_precisions(model) for level in rest}


def untied(log_precisions: LogPrecisions, model: GenerativeModel) -> LogPrecisions:
    """The log-precisions with None for every level but the first of each group."""
    follows = followers(model)
    return tuple(
        None if level in follows else value
        for level, value in enumerate(log_precisions)
    )


def tied(values: tuple[Value, ...], model: GenerativeModel) -> tuple[Value, ...]:
    """One value per level with that of its first level for every level of a group; the inverse of `untied`."""
    follows = followers(model)
    return tuple(values[follows.get(level, level)] for level in range(len(values)))


def ruled(rules: Sequence[LevelRule], model: GenerativeModel) -> tuple[LevelRule, ...]:
    """The rules with one for all levels of a group: learned only if each of them is, the floor averaged over units."""
    found = list(rules)
    for group in tied_precisions(model):
        own, widths = (
            [rules[level] for level in group],
            [model.widths[i] for i in group],
        )
        rate = None if any(rule.rate is None for rule in own) else own[0].rate
        total = sum(w * rule.floor for w, rule in zip(widths, own, strict=True))
        for level in group:
            found[level] = LevelRule(rate, total / sum(widths))
    return tuple(found)


def pooled(
    draws: Draws, log_precisions: LogPrecisions, model: GenerativeModel
) -> Draws:
    """The draws with the errors of each group at its first level, and the sum of its scores.

    Errors that share one number are put side by side as units, others one after another as samples.
    """
    groups = tied_precisions(model)
    if not groups:
        return draws
    errors = list(draws.errors)
    for group in groups:
        value = log_precisions[group[0]]
        axis = -1 if value is not None and value.ndim == 0 else 1
        errors[group[0]] = jnp.concatenate(
            [errors[level] for level in group], axis=axis
        )

    def both() -> Scores:
        return Scores(*(_summed(part, groups) for part in draws.scores()))

    return Draws(tuple(errors), both)


def _summed(
    scores: LogPrecisions, groups: tuple[tuple[int, ...], ...]
) -> LogPrecisions:
    found = list(scores)
    for first, *rest in groups:
        for level in rest:
            one, other = found[first], found[level]
            if one is not None and other is not None:
                found[first] = one + other
            found[level] = None
    return tuple(found)

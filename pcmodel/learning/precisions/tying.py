"""Precisions that several levels share: the M-step sees them once, with the errors of all their levels.

The first level of a group stands for it; the others have no precision of their own in the M-step.
"""

import jax.numpy as jnp

from pcmodel.learning.precisions.m_step import Draws
from pcmodel.learning.precisions.scores import Scores
from pcmodel.model.generative import GenerativeModel, tied_precisions
from pcmodel.model.types import LogPrecisions


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


def tied(log_precisions: LogPrecisions, model: GenerativeModel) -> LogPrecisions:
    """The inverse of `untied`: every level of a group has the precision of its first."""
    follows = followers(model)
    return tuple(
        log_precisions[follows.get(level, level)]
        for level in range(len(log_precisions))
    )


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

"""Every person's parameters, one row for each series of trials, with their diagnostics."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.behaviour.outputs.table import (
    TRUSTED,
    Column,
    OutputTable,
    make_table,
    users_columns,
)
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.inference.rank_normalised import bulk_ess, ranked_rhat, tail_ess

ENDS = (0.025, 0.975)
SUMMARIES = (
    ("mean", "posterior mean of"),
    ("sd", "posterior standard deviation of"),
    ("low", "lower end of the central 95 % interval of"),
    ("high", "upper end of the central 95 % interval of"),
)
CHECKS = (
    ("ess_bulk", "bulk effective sample size of"),
    ("ess_tail", "tail effective sample size of"),
    ("rhat", "rank-normalised R-hat of"),
)

Draws = Float[np.ndarray, "chains draws series"]


def participants(posterior: Posterior) -> OutputTable:
    """Parameters of every series: posterior mean, SD and 95 % interval on the real line and the natural scale.

    A parameter that was held fixed has an SD of 0; diagnostics are empty for it, and for one chain.
    """
    hierarchy = posterior.hierarchy
    found = [
        pair
        for parameter in hierarchy.model.parameters
        for pair in _columns(parameter, _draws(posterior, parameter), posterior)
    ]
    size = hierarchy.num_series
    found = [(TRUSTED, np.full(size, not posterior.complaints)), *found]
    ours = [column.name for column, _ in found]
    return make_table([*users_columns(hierarchy.origin.of_series(), ours), *found])


def _draws(posterior: Posterior, parameter: Parameter) -> Draws | None:
    """The draws of each series; None for a parameter that was held fixed."""
    if parameter.name in posterior.hierarchy.held:
        return None
    return np.asarray(posterior.parameter(parameter.name))


def _columns(
    parameter: Parameter, draws: Draws | None, posterior: Posterior
) -> Iterator[tuple[Column, np.ndarray]]:
    name, size = parameter.name, posterior.hierarchy.num_series
    unit = parameter.unit if parameter.transform == "identity" else ""
    if draws is None:
        own = np.full((1, 1, size), posterior.hierarchy.held[name], float)
    else:
        own = draws
    yield from _summary(name, name, unit, own)
    if parameter.transform != "identity":
        natural = np.asarray(parameter.to_natural(own), float)
        text = parameter.formula()
        yield from _summary(parameter.natural, text, parameter.unit, natural)
    checks = diagnostics(draws, size)
    for (end, about), values in zip(CHECKS, checks, strict=True):
        yield Column(f"{name}_{end}", "", f"{about} {name}"), values


def _summary(
    name: str, text: str, unit: str, draws: Draws
) -> Iterator[tuple[Column, np.ndarray]]:
    with np.errstate(all="ignore"):  # what is infinite on the natural scale stays so
        low, high = np.quantile(draws, ENDS, axis=(0, 1))
        parts = draws.mean(axis=(0, 1)), draws.std(axis=(0, 1)), low, high
    for (end, about), values in zip(SUMMARIES, parts, strict=True):
        yield Column(f"{name}_{end}", unit, f"{about} {text}"), np.asarray(values)


def diagnostics(
    draws: Draws | None, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bulk and tail effective sample size and R-hat; NaN where there are no chains to compare."""
    if draws is None or len(draws) < 2:
        nothing = np.full(size, np.nan)
        return nothing, nothing, nothing
    return bulk_ess(draws), tail_ess(draws), ranked_rhat(draws)

r"""The energy of discrete levels, from the predictions (logits) of their observed units.

Functions of all discrete levels take one flat array of logits, level after level; the Fisher information of the data is
then block diagonal over levels.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.model.likelihood import Discrete
from pcmodel.model.linalg import take
from pcmodel.model.problem import Problem


def observed_gain(problem: Problem, level: int) -> Array:
    """Gain of each observed unit of a discrete level."""
    gain = jnp.broadcast_to(
        problem.inputs.gains[level], (problem.structure.model.widths[level],)
    )
    return take(gain, problem.structure.clamped_units(level))


def discrete_energy(
    problem: Problem, level: int, logits: Float[Array, " width"]
) -> Float[Array, ""]:
    """Tempered -log p of the observed units of one discrete level, from the logits of all its units, nats."""
    structure = problem.structure
    units = structure.clamped_units(level)
    if not len(units):
        return jnp.zeros((), logits.dtype)
    terms = structure.likelihood(level).energy_terms(
        take(logits, units),
        problem.inputs.values[level],
        observed_gain(problem, level),
    )
    return jnp.sum(terms)


class Observed(NamedTuple):
    """The observed units of one discrete level.

    likelihood: their likelihood.
    logits: their predictions (or any array with one entry per observed unit).
    data: their values.
    gain: their gains.
    """

    likelihood: Discrete
    logits: Array
    data: Array
    gain: Array


def observed_levels(
    problem: Problem, logits: Float[Array, " observed"]
) -> list[Observed]:
    """The observed discrete levels, with the logits of all of them split by level."""
    structure, inputs = problem.structure, problem.inputs
    found, start = [], 0
    levels = structure.discrete_levels
    for level in levels:
        units = structure.clamped_units(level)
        own = logits if len(levels) == 1 else logits[start : start + len(units)]
        start += len(units)
        if not len(units):
            continue
        gain = observed_gain(problem, level)
        likelihood = structure.likelihood(level)
        found.append(Observed(likelihood, own, inputs.values[level], gain))
    return found


def data_energy_terms(
    problem: Problem, logits: Float[Array, " observed"]
) -> Float[Array, " observed"]:
    """Tempered -log p of discrete data from its logits, one term per observed unit, nats."""
    terms = [
        each.likelihood.energy_terms(each.logits, each.data, each.gain)
        for each in observed_levels(problem, logits)
    ]
    return terms[0] if len(terms) == 1 else jnp.concatenate(terms)


def data_energy(
    problem: Problem, logits: Float[Array, " observed"]
) -> Float[Array, ""]:
    """The sum of `data_energy_terms`."""
    if logits.shape[0] == 0:
        return jnp.zeros((), logits.dtype)
    return jnp.sum(data_energy_terms(problem, logits))


def push_root(
    problem: Problem, logits: Float[Array, " observed"], vector: Array
) -> Float[Array, " observed"]:
    """A' v for the discrete data, A A' their Fisher information (block diagonal over levels)."""
    return _by_root(problem, logits, vector, "push_root")


def pull_root(
    problem: Problem, logits: Float[Array, " observed"], vector: Array
) -> Float[Array, " observed"]:
    """A v with the same A."""
    return _by_root(problem, logits, vector, "pull_root")


def _by_root(problem: Problem, logits: Array, vector: Array, name: str) -> Array:
    if not logits.shape[0]:
        return vector
    pairs = zip(
        observed_levels(problem, logits), observed_levels(problem, vector), strict=True
    )
    parts = [
        getattr(one.likelihood, name)(one.logits, one.gain, other.logits)
        for one, other in pairs
    ]
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts)

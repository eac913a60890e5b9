r"""The energy of a hierarchy.

$$E = \sum_\ell \tfrac12 \left[ e_\ell^\top g_\ell \Pi_\ell e_\ell
      - \log\det(g_\ell \Pi_\ell) + d_\ell \log 2\pi \right],
  \qquad e_\ell = x_\ell - f_\ell(x_{\ell+1})$$

is $-\log p(x, y)$ of *one* example including all normalisers, in nats.  A Bernoulli or categorical level 0 contributes
its tempered negative log-likelihood instead, and each `Belief` about lower levels a further Gaussian residual.

This file evaluates it in state coordinates (the latents themselves);
`pcmodel.inference.whitened` evaluates the same energy in whitened coordinates.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.model.generative import as_stacked
from pcmodel.model.linalg import take
from pcmodel.model.precision import factor, log_normaliser, whiten
from pcmodel.model.problem import (
    Problem,
    Run,
    Structure,
    level_runs,
    own_precision,
    split_runs,
    unstack,
)
from pcmodel.model.types import Latents


def level_factor(problem: Problem, level: int) -> Array:
    """Triangular factor of the precision, gain included, of a level's prediction errors.

    At the top level, if a belief replaces the prior, of that belief's marginal precision.
    """
    structure, inputs = problem.structure, problem.inputs
    width = structure.model.widths[level]
    owner = structure.top_belief() if level == structure.top else None
    if owner is None:
        return factor(own_precision(inputs, level), inputs.gains[level], width)
    whole = belief_factor(problem, owner)
    if whole.ndim == 1:
        return whole[-width:]
    # Lower-triangular with the top last: its corner factors the *marginal* precision.
    return whole[-width:, -width:]


def stack_factors(problem: Problem, run: Run) -> Array:
    """`level_factor` of the levels of a stack: (levels, width) or (levels, width, width)."""
    inputs, levels = problem.inputs, range(run.first, run.end)
    width = problem.structure.model.widths[run.first]
    return jax.vmap(lambda value, gain: factor(value, gain, width))(
        jnp.stack([own_precision(inputs, level) for level in levels]),
        jnp.stack([inputs.gains[level] for level in levels]),
    )


def belief_factor(problem: Problem, index: int) -> Array:
    """Triangular factor of a belief's precision, gains included, over its concatenated levels."""
    structure, inputs = problem.structure, problem.inputs
    widths = structure.model.widths
    gains = [
        jnp.broadcast_to(inputs.gains[level], (widths[level],))
        for level in structure.beliefs[index]
    ]
    gain = jnp.concatenate(gains)
    return factor(inputs.beliefs[index].log_precision, gain, gain.shape[0])


def belief_error(problem: Problem, index: int, latents: Latents) -> Array:
    """Whitened error of one belief; the top's part, if any, comes last."""
    levels = problem.structure.beliefs[index]
    belief = problem.inputs.beliefs[index]
    joint = jnp.concatenate([latents[level] for level in levels])
    return whiten(belief_factor(problem, index), joint - belief.mean)


def belief_rows(problem: Problem, latents: Latents) -> list[Array]:
    """Whitened errors of the beliefs about lower levels.

    By the chain rule the belief that includes the top splits into the top's marginal (the prior, which is counted as
    the top level's own error) and the lower levels given the top.
    """
    structure = problem.structure
    rows = []
    for index in range(len(structure.beliefs)):
        row = belief_error(problem, index, latents)
        if index == structure.top_belief():
            row = row[: -structure.model.widths[structure.top]]
        if row.shape[0]:
            rows.append(row)
    return rows


def predictions(problem: Problem, latents: Latents) -> Latents:
    """Prediction of every level, bottom first (logits for discrete data; the prior mean at the top)."""
    model, inputs = problem.structure.model, problem.inputs
    predicted = []
    if problem.structure.is_discrete:
        predicted.append(model.predict_level(inputs.weights, 0, latents[1]))
    for run in level_runs(problem):
        if run.is_stack:
            predicted += unstack(stack_predictions(problem, run, latents))
        elif run.first < problem.structure.top:
            above = latents[run.end]
            predicted.append(model.predict_level(inputs.weights, run.first, above))
    return (*predicted, prior_mean(problem))


def stack_predictions(problem: Problem, run: Run, latents: Latents) -> Array:
    """Predictions of the levels of a stack from the latents above each, (levels, width)."""
    model = as_stacked(problem.structure.model)
    layers = model.stack_weights(problem.inputs.weights, run.first, run.end)
    above = jnp.stack(latents[run.first + 1 : run.end + 1])
    return jax.vmap(lambda layer, x: model.predict_in_stack(layer, run.first, x))(
        layers, above
    )


def prior_mean(problem: Problem) -> Array:
    """Prior mean of the top level: that of a belief about it, if there is one, else the network's."""
    structure = problem.structure
    owner = structure.top_belief()
    if owner is None:
        return structure.model.predict_level(
            problem.inputs.weights, structure.top, None
        )
    return problem.inputs.beliefs[owner].mean[-structure.model.widths[-1] :]


def normaliser(problem: Problem) -> Float[Array, ""]:
    """The part of the energy that does not depend on the latents, nats."""
    structure = problem.structure
    total = jnp.zeros((), problem.inputs.gains[0].dtype)
    for run in level_runs(problem):
        if run.is_stack:
            total += jnp.sum(stack_normalisers(stack_factors(problem, run)))
        elif run.first < structure.top or structure.top_belief() is None:
            width = structure.model.widths[run.first]
            total += log_normaliser(level_factor(problem, run.first), width)
    for index in range(len(structure.beliefs)):
        whole = belief_factor(problem, index)
        total += log_normaliser(whole, whole.shape[0])
    return total


def stack_normalisers(factors: Array) -> Float[Array, " levels"]:
    """`log_normaliser` of the levels of a stack."""
    return jax.vmap(lambda own: log_normaliser(own, factors.shape[-1]))(factors)


def observed_gain(problem: Problem) -> Array:
    """Gain of each observed unit of a discrete level 0."""
    width = problem.structure.model.widths[0]
    gain = jnp.broadcast_to(problem.inputs.gains[0], (width,))
    return take(gain, problem.structure.clamped_units(0))


def data_energy_terms(
    problem: Problem, logits: Float[Array, " observed"]
) -> Float[Array, " observed"]:
    """Tempered -log p of discrete data from its logits, one term per observed unit, nats."""
    likelihood = problem.structure.discrete
    data, gain = problem.inputs.values[0], observed_gain(problem)
    return likelihood.energy_terms(logits, data, gain)


def data_energy(
    problem: Problem, logits: Float[Array, " observed"]
) -> Float[Array, ""]:
    """The sum of `data_energy_terms`."""
    if logits.shape[0] == 0:
        return jnp.zeros((), logits.dtype)
    return jnp.sum(data_energy_terms(problem, logits))


def level_energies(problem: Problem, latents: Latents) -> Float[Array, " levels"]:
    """Energy of each level's prediction error, normalisers included, nats.

    The energy of a belief about lower levels is added at the lowest of its levels.
    """
    structure, inputs = problem.structure, problem.inputs
    model = structure.model
    terms = []
    if structure.is_discrete:
        logits = model.predict_level(inputs.weights, 0, latents[1])
        terms.append(
            data_energy(problem, take(logits, structure.clamped_units(0)))[None]
        )
    for run in level_runs(problem):
        if run.is_stack:
            terms.append(stack_energies(problem, run, latents))
            continue
        if run.first == structure.top:
            prediction = prior_mean(problem)
        else:
            above = latents[run.end]
            prediction = model.predict_level(inputs.weights, run.first, above)
        own = level_factor(problem, run.first)
        error = whiten(own, latents[run.first] - prediction)
        own_energy = 0.5 * jnp.sum(error**2) + log_normaliser(own, error.shape[0])
        terms.append(own_energy[None])
    return add_belief_energies(problem, latents, jnp.concatenate(terms))


def stack_energies(
    problem: Problem, run: Run, latents: Latents
) -> Float[Array, " levels"]:
    """`level_energies` of a stack."""
    factors = stack_factors(problem, run)
    error = jnp.stack(latents[run.first : run.end]) - stack_predictions(
        problem, run, latents
    )
    squares = jnp.sum(jax.vmap(whiten)(factors, error) ** 2, axis=1)
    return 0.5 * squares + stack_normalisers(factors)


def add_belief_energies(
    problem: Problem, latents: Latents, terms: Float[Array, " levels"]
) -> Float[Array, " levels"]:
    """The terms with the energy of each belief about lower levels added at the lowest of its levels."""
    structure = problem.structure
    for index, levels in enumerate(structure.beliefs):
        row = belief_error(problem, index, latents)
        whole = belief_factor(problem, index)
        if index == structure.top_belief():
            width = structure.model.widths[structure.top]
            row, whole = row[:-width], without_top(whole, width)
        if row.shape[0]:
            own = 0.5 * jnp.sum(row**2) + log_normaliser(whole, row.shape[0])
            terms = terms.at[levels[0]].add(own)
    return terms


def without_top(whole: Array, width: int) -> Array:
    """Factor of a belief's lower levels given its top `width` units."""
    return whole[:-width] if whole.ndim == 1 else whole[:-width, :-width]


def energy(problem: Problem, latents: Latents) -> Float[Array, ""]:
    """-log p(latents, data), the sum of `level_energies`, nats."""
    return jnp.sum(level_energies(problem, latents))


def latents_from_state(problem: Problem, state: Float[Array, " free"]) -> Latents:
    """The latents, one array per level, from the free units' values and the clamped values.

    A discrete level 0 holds its data where observed and its predicted mean elsewhere.
    """
    runs = level_runs(problem)
    return latents_from_free(problem, split_runs(problem.structure, runs, state))


def latents_from_free(problem: Problem, free: Sequence[Array]) -> Latents:
    """`latents_from_state` of a state already split into runs."""
    structure, inputs = problem.structure, problem.inputs
    latents = []
    for run, piece in zip(level_runs(problem), free, strict=True):
        if run.is_stack:
            latents += unstack(piece)
            continue
        level = run.first
        latents.append(
            place(
                piece,
                structure.free_units(level),
                inputs.values[level],
                structure.clamped_units(level),
            )
        )
    if structure.is_discrete:
        latents.insert(0, discrete_level(problem, latents[0]))
    return tuple(latents)


def discrete_level(problem: Problem, above: Array) -> Array:
    """Level 0 of a discrete network: data where observed, predicted mean elsewhere."""
    structure, inputs = problem.structure, problem.inputs
    logits = structure.model.predict_level(inputs.weights, 0, above)
    mean = structure.discrete.mean(logits)
    return mean.at[structure.clamped_units(0)].set(inputs.values[0])


def place(
    free: Array, free_units: np.ndarray, values: Array, units: np.ndarray
) -> Array:
    """Interleave free and clamped units of one level by static index arrays."""
    if len(units) == 0:
        return free
    if len(free_units) == 0:
        return values
    return jnp.concatenate([free, values])[
        np.argsort(np.concatenate([free_units, units]))
    ]


def state_from_latents(structure: Structure, latents: Latents) -> Float[Array, " free"]:
    """The free units of all levels as one flat array, bottom first."""
    return jnp.concatenate(
        [
            take(latents[level], structure.free_units(level))
            for level in range(structure.top + 1)
        ]
    )

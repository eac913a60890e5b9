r"""The energy of a hierarchy.

$$E = \sum_\ell \tfrac12 \left[ e_\ell^\top g_\ell \Pi_\ell e_\ell
      - \log\det(g_\ell \Pi_\ell) + d_\ell \log 2\pi \right],
  \qquad e_\ell = x_\ell - f_\ell(x_{\mathrm{pa}(\ell)})$$

is $-\log p(x, y)$ of *one* example including all normalisers, in nats; pa(l) are the parents of level l, in a chain l + 1,
and the prediction of a top is its prior mean.  A Bernoulli or categorical level contributes its tempered negative
log-likelihood instead, and each `Belief` about lower levels a further Gaussian residual.

A belief about tops replaces their priors.  Of a joint belief about several, with precision $F F^\top$ and F lower
triangular, the chain rule makes each a Gaussian given those after it: its factor is the diagonal block of F, and its mean
is shifted by the errors of the later ones (`top_prediction`).

This file evaluates it in state coordinates (the latents themselves);
`pcmodel.inference.whitened` evaluates the same energy in whitened coordinates.
"""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.model.discrete_energy import discrete_energy
from pcmodel.model.generative import as_stacked, predict
from pcmodel.model.linalg import take
from pcmodel.model.precision import factor, log_normaliser, unwhiten, whiten
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

    For a top that a belief speaks of, of that belief's precision of the level given the later tops.
    """
    structure, inputs = problem.structure, problem.inputs
    owner = structure.owner(level)
    if owner is None:
        width = structure.model.widths[level]
        return factor(own_precision(inputs, level), inputs.gains[level], width)
    whole, part = belief_factor(problem, owner), structure.belief_slices(owner)[level]
    return whole[part] if whole.ndim == 1 else whole[part, part]


def stack_factors(problem: Problem, run: Run) -> Array:
    """`level_factor` of the levels of a stack: (levels, width) or (levels, width, width)."""
    inputs, levels = problem.inputs, range(run.first, run.end)
    width = problem.structure.model.widths[run.first]
    return jax.vmap(lambda value, gain: factor(value, gain, width))(
        jnp.stack([own_precision(inputs, level) for level in levels]),
        jnp.stack([inputs.gains[level] for level in levels]),
    )


def belief_factor(problem: Problem, index: int) -> Array:
    """Triangular factor of a belief's precision, gains included, over its concatenated units."""
    structure, inputs = problem.structure, problem.inputs
    widths = structure.model.widths
    gains = [
        take(jnp.broadcast_to(inputs.gains[level], (widths[level],)), units)
        for level, units in structure.believed_units(index).items()
    ]
    gain = jnp.concatenate(gains)
    return factor(inputs.beliefs[index].log_precision, gain, gain.shape[0])


def belief_error(problem: Problem, index: int, latents: Latents) -> Array:
    """Whitened error of one belief; the tops' part, if any, comes last."""
    units = problem.structure.believed_units(index)
    belief = problem.inputs.beliefs[index]
    joint = jnp.concatenate([take(latents[level], own) for level, own in units.items()])
    return whiten(belief_factor(problem, index), joint - belief.mean)


def belief_rows(problem: Problem, latents: Latents) -> list[Array]:
    """Whitened errors of the beliefs about lower levels.

    By the chain rule a belief that includes tops splits into the tops' marginal (the prior, which is counted as the
    tops' own errors) and the lower levels given the tops.
    """
    structure = problem.structure
    rows = []
    for index in range(len(structure.beliefs)):
        size = structure.below_tops(index)
        if size:
            rows.append(belief_error(problem, index, latents)[:size])
    return rows


def predict_latent(
    problem: Problem, level: int, latents: Mapping[int, Array] | Sequence[Array]
) -> Array:
    """Prediction of a level (logits for discrete data), from latents that contain at least the levels above it."""
    structure = problem.structure
    if structure.owner(level) is not None:
        return top_prediction(problem, level, latents)
    return predict(structure.model, problem.inputs.weights, level, latents)


def top_prediction(
    problem: Problem, level: int, latents: Mapping[int, Array] | Sequence[Array]
) -> Array:
    """Mean of a top by the belief about it, given the later tops of the same belief."""
    structure = problem.structure
    owner = structure.owner(level)
    assert owner is not None
    slices, mean = structure.belief_slices(owner), problem.inputs.beliefs[owner].mean
    part, whole = slices[level], belief_factor(problem, owner)
    later = [other for other in slices if other > level]
    if not later or whole.ndim == 1:
        return mean[part]
    rest = slice(part.stop, whole.shape[0])
    error = jnp.concatenate([latents[other] for other in later]) - mean[rest]
    return mean[part] - unwhiten(whole[part, part], whole[rest, part].T @ error)


def predictions(problem: Problem, latents: Latents) -> Latents:
    """Prediction of every level, bottom first (logits for discrete data; the prior mean for a top)."""
    predicted: dict[int, Array] = {}
    for level in problem.structure.discrete_levels:
        predicted[level] = predict_latent(problem, level, latents)
    for run in level_runs(problem):
        if run.is_stack:
            stack = unstack(stack_predictions(problem, run, latents))
            predicted.update(zip(run.levels, stack, strict=True))
        else:
            predicted[run.first] = predict_latent(problem, run.first, latents)
    return by_level(predicted)


def by_level(found: Mapping[int, Array]) -> tuple[Array, ...]:
    """One array per level, bottom first, from a mapping by level."""
    return tuple(found[level] for level in range(len(found)))


def stack_predictions(
    problem: Problem, run: Run, latents: Mapping[int, Array] | Sequence[Array]
) -> Array:
    """Predictions of the levels of a stack from the latents above each, (levels, width)."""
    model = as_stacked(problem.structure.model)
    layers = model.stack_weights(problem.inputs.weights, run.first, run.end)
    above = jnp.stack([latents[parent] for parent in run.parents])
    return jax.vmap(lambda layer, x: model.predict_in_stack(layer, run.first, x))(
        layers, above
    )


def normaliser(problem: Problem) -> Float[Array, ""]:
    """The part of the energy that does not depend on the latents, nats."""
    structure = problem.structure
    total = jnp.zeros((), problem.inputs.gains[0].dtype)
    for run in level_runs(problem):
        if run.is_stack:
            total += jnp.sum(stack_normalisers(stack_factors(problem, run)))
        elif structure.owner(run.first) is None:
            width = structure.model.widths[run.first]
            total += log_normaliser(level_factor(problem, run.first), width)
    for index in range(len(structure.beliefs)):
        whole = belief_factor(problem, index)
        total += log_normaliser(whole, whole.shape[0])
    return total


def stack_normalisers(factors: Array) -> Float[Array, " levels"]:
    """`log_normaliser` of the levels of a stack."""
    return jax.vmap(lambda own: log_normaliser(own, factors.shape[-1]))(factors)


def observed_logits(
    problem: Problem, latents: Mapping[int, Array] | Sequence[Array]
) -> Float[Array, " observed"] | None:
    """Predictions of the observed units of all discrete levels, one after another; None without discrete levels."""
    structure = problem.structure
    found = [
        take(predict_latent(problem, level, latents), structure.clamped_units(level))
        for level in structure.discrete_levels
    ]
    if not found:
        return None
    return found[0] if len(found) == 1 else jnp.concatenate(found)


def level_energies(problem: Problem, latents: Latents) -> Float[Array, " levels"]:
    """Energy of each level's prediction error, normalisers included, nats.

    The energy of a belief about lower levels is added at the lowest of its levels.
    """
    terms: dict[int, Array] = {}
    for level in problem.structure.discrete_levels:
        logits = predict_latent(problem, level, latents)
        terms[level] = discrete_energy(problem, level, logits)[None]
    for run in level_runs(problem):
        if run.is_stack:
            terms[run.first] = stack_energies(problem, run, latents)
            continue
        own = level_factor(problem, run.first)
        prediction = predict_latent(problem, run.first, latents)
        error = whiten(own, latents[run.first] - prediction)
        own_energy = 0.5 * jnp.sum(error**2) + log_normaliser(own, error.shape[0])
        terms[run.first] = own_energy[None]
    whole = jnp.concatenate([terms[first] for first in sorted(terms)])
    return add_belief_energies(problem, latents, whole)


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
        size = structure.below_tops(index)
        if size:
            row = belief_error(problem, index, latents)[:size]
            own = 0.5 * jnp.sum(row**2) + log_normaliser(
                below_tops_factor(problem, index), size
            )
            terms = terms.at[levels[0]].add(own)
    return terms


def below_tops_factor(problem: Problem, index: int) -> Array:
    """Factor of a belief's precision of its lower levels, given the tops among its levels."""
    whole, size = belief_factor(problem, index), problem.structure.below_tops(index)
    return whole[:size] if whole.ndim == 1 else whole[:size, :size]


def energy(problem: Problem, latents: Latents) -> Float[Array, ""]:
    """-log p(latents, data), the sum of `level_energies`, nats."""
    return jnp.sum(level_energies(problem, latents))


def latents_from_state(problem: Problem, state: Float[Array, " free"]) -> Latents:
    """The latents, one array per level, from the free units' values and the clamped values.

    A discrete level holds its data where observed and its predicted mean elsewhere.
    """
    runs = level_runs(problem)
    return latents_from_free(problem, split_runs(problem.structure, runs, state))


def latents_from_free(problem: Problem, free: Sequence[Array]) -> Latents:
    """`latents_from_state` of a state already split into runs."""
    structure, inputs = problem.structure, problem.inputs
    latents: dict[int, Array] = {}
    for run, piece in zip(level_runs(problem), free, strict=True):
        units = structure.free_units(run.first)
        clamped = structure.clamped_units(run.first)
        if not run.is_stack:
            values = inputs.values[run.first]
            latents[run.first] = place(piece, units, values, clamped)
            continue
        if len(clamped):
            values = jnp.stack([inputs.values[level] for level in run.levels])
            piece = jax.vmap(
                lambda own, given, f=units, c=clamped: place(own, f, given, c)
            )(piece, values)
        latents.update(zip(run.levels, unstack(piece), strict=True))
    return with_discrete(problem, latents)


def with_discrete(problem: Problem, latents: Mapping[int, Array]) -> Latents:
    """The latents of all levels from those of the Gaussian ones: discrete levels hold their data where observed, and
    their predicted mean elsewhere."""
    structure, inputs = problem.structure, problem.inputs
    found = dict(latents)
    for level in structure.discrete_levels:
        mean = structure.likelihood(level).mean(predict_latent(problem, level, latents))
        found[level] = mean.at[structure.clamped_units(level)].set(inputs.values[level])
    return by_level(found)


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

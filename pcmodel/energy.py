r"""The energy of a hierarchy and the problem it poses to inference.

$$E = \sum_\ell \tfrac12 \left[ e_\ell^\top g_\ell \Pi_\ell e_\ell
      - \log\det(g_\ell \Pi_\ell) + d_\ell \log 2\pi \right],
  \qquad e_\ell = x_\ell - f_\ell(x_{\ell+1})$$

is $-\log p(x, y)$ with every normaliser (sum over units and levels of *one* example).  A Bernoulli
or categorical level 0 contributes its tempered negative log-likelihood instead, and each
`Belief` about lower levels one more Gaussian residual.

A `Problem` is everything inference needs about one example: which units are free (static) and
all arrays.  This file evaluates it in state coordinates (the latents themselves);
`pcmodel.inference.whitened` evaluates the same energy in whitened coordinates.
"""

import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.belief import Belief
from pcmodel.likelihood import Discrete, Gaussian
from pcmodel.model import GenerativeModel
from pcmodel.precision import factor, log_normaliser, whiten
from pcmodel.small import take
from pcmodel.types import Latents, LogPrecisions, Weights


@dataclass(frozen=True)
class Structure:
    """The static part of a problem.

    clamped: for each level the indices of the units whose value is given.
    beliefs: for each `Belief` the indices of its levels, ascending.
    """

    model: GenerativeModel
    clamped: tuple[tuple[int, ...], ...]
    beliefs: tuple[tuple[int, ...], ...]

    @property
    def top(self) -> int:
        """Index of the last level."""
        return len(self.model.widths) - 1

    @property
    def is_discrete(self) -> bool:
        """Whether level 0 has a likelihood instead of errors."""
        return not isinstance(self.model.likelihood, Gaussian)

    @property
    def discrete(self) -> Discrete:
        """The likelihood of a discrete level 0."""
        likelihood = self.model.likelihood
        if isinstance(likelihood, Gaussian):
            raise TypeError("a Gaussian level 0 has errors, not a discrete likelihood")
        return likelihood

    @property
    def first_level(self) -> int:
        """Lowest level with Gaussian errors."""
        return 1 if self.is_discrete else 0

    def clamped_units(self, level: int) -> np.ndarray:
        """Indices of the level's clamped units."""
        return np.asarray(self.clamped[level], dtype=int)

    def free_units(self, level: int) -> np.ndarray:
        """Indices of the level's free Gaussian units (none in a discrete level 0)."""
        if level < self.first_level:
            return np.zeros(0, dtype=int)
        return np.setdiff1d(
            np.arange(self.model.widths[level]), self.clamped_units(level)
        )

    def free_slices(self) -> tuple[slice, ...]:
        """Where each level's free units lie in a flat state, bottom first."""
        ends = np.cumsum(
            [0] + [len(self.free_units(level)) for level in range(self.top + 1)]
        )
        return tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(ends))

    @property
    def num_free(self) -> int:
        """Number of free units in all."""
        return self.free_slices()[-1].stop

    def belief_slices(self, belief: int) -> dict[int, slice]:
        """Where each level lies in the concatenated mean of one belief."""
        widths = [self.model.widths[level] for level in self.beliefs[belief]]
        ends = np.cumsum([0, *widths])
        return {
            level: slice(int(a), int(b))
            for level, a, b in zip(self.beliefs[belief], ends, ends[1:], strict=False)
        }

    def top_belief(self) -> int | None:
        """Index of the belief that replaces the network's top prior, if any."""
        owners = [i for i, levels in enumerate(self.beliefs) if self.top in levels]
        return owners[0] if owners else None


class Inputs(NamedTuple):
    """The arrays of a problem, for one example.

    values: for each level the values of its clamped units.
    gains: for each level (), or (width,).
    """

    weights: Weights
    log_precisions: LogPrecisions
    gains: tuple[Array, ...]
    values: tuple[Array, ...]
    beliefs: tuple[Belief, ...]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Problem:
    """One inference problem: static structure and arrays."""

    structure: Structure = field(metadata={"static": True})
    inputs: Inputs


def level_factor(problem: Problem, level: int) -> Array:
    """Factor of the gained precision of a level's own prediction errors.

    At the top, where a belief replaces the prior, that belief's marginal precision.
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


def own_precision(inputs: Inputs, level: int) -> Array:
    """A level's stored log-precision; only a discrete level 0 has none."""
    value = inputs.log_precisions[level]
    if value is None:
        raise TypeError(f"level {level} has no precision")
    return value


def belief_factor(problem: Problem, index: int) -> Array:
    """Factor of one belief's gained precision over its concatenated levels."""
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

    By the chain rule the belief that owns the top splits into the top's marginal (which is the
    prior, accounted for as the top level's own error) and the rest given the top.
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
    """Prediction of every level (logits for discrete data; the top's prior mean)."""
    model, inputs = problem.structure.model, problem.inputs
    below_top = [
        model.predict_level(inputs.weights, level, latents[level + 1])
        for level in range(problem.structure.top)
    ]
    return (*below_top, prior_mean(problem))


def prior_mean(problem: Problem) -> Array:
    """Mean of the top level before the evidence: the belief's if there is one."""
    structure = problem.structure
    owner = structure.top_belief()
    if owner is None:
        return structure.model.predict_level(
            problem.inputs.weights, structure.top, None
        )
    return problem.inputs.beliefs[owner].mean[-structure.model.widths[-1] :]


def normaliser(problem: Problem) -> Float[Array, ""]:
    """The part of the energy that does not depend on the latents."""
    structure = problem.structure
    total = jnp.zeros((), problem.inputs.gains[0].dtype)
    for level in range(structure.first_level, structure.top + 1):
        if level == structure.top and structure.top_belief() is not None:
            continue
        width = structure.model.widths[level]
        total += log_normaliser(level_factor(problem, level), width)
    for index in range(len(structure.beliefs)):
        whole = belief_factor(problem, index)
        total += log_normaliser(whole, whole.shape[0])
    return total


def observed_gain(problem: Problem) -> Array:
    """Gain of each observed unit of a discrete level 0."""
    width = problem.structure.model.widths[0]
    gain = jnp.broadcast_to(problem.inputs.gains[0], (width,))
    return take(gain, problem.structure.clamped_units(0))


def data_energy_terms(
    problem: Problem, logits: Float[Array, " observed"]
) -> Float[Array, " observed"]:
    """Tempered -log p of discrete data, one term per observed unit, from its logits."""
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
    """Energy of each level's own error, normalisers included.

    A belief about lower levels is counted at the lowest level it speaks of.
    """
    structure = problem.structure
    terms = []
    for level, prediction in enumerate(predictions(problem, latents)):
        if level < structure.first_level:
            terms.append(
                data_energy(problem, take(prediction, structure.clamped_units(0)))
            )
            continue
        own = level_factor(problem, level)
        error = whiten(own, latents[level] - prediction)
        terms.append(0.5 * jnp.sum(error**2) + log_normaliser(own, error.shape[0]))
    for index, levels in enumerate(structure.beliefs):
        row = belief_error(problem, index, latents)
        whole = belief_factor(problem, index)
        if index == structure.top_belief():
            width = structure.model.widths[structure.top]
            row, whole = row[:-width], without_top(whole, width)
        if row.shape[0]:
            terms[levels[0]] += 0.5 * jnp.sum(row**2) + log_normaliser(
                whole, row.shape[0]
            )
    return jnp.stack(terms)


def without_top(whole: Array, width: int) -> Array:
    """Factor of a belief's lower levels given its top `width` units."""
    return whole[:-width] if whole.ndim == 1 else whole[:-width, :-width]


def energy(problem: Problem, latents: Latents) -> Float[Array, ""]:
    """-log p(latents, data): the sum of `level_energies`."""
    return jnp.sum(level_energies(problem, latents))


def latents_from_state(problem: Problem, state: Float[Array, " free"]) -> Latents:
    """Put free units and clamped values together into one array per level.

    A discrete level 0 holds its data where observed and its predicted mean elsewhere.
    """
    return latents_from_free(problem, split_state(problem.structure, state))


def split_state(
    structure: Structure, state: Float[Array, " free"]
) -> tuple[Array, ...]:
    """Each level's free units of a flat state, bottom first.

    One split, whose transpose is one concatenation: of a slice it is a padded copy of the
    whole state, and as many of them as levels make deep networks quadratic in their depth.
    """
    ends = [units.stop for units in structure.free_slices()]
    return tuple(jnp.split(state, ends[:-1]))


def latents_from_free(problem: Problem, free: tuple[Array, ...]) -> Latents:
    """`latents_from_state` of a state already split into levels."""
    structure, inputs = problem.structure, problem.inputs
    latents = [
        place(
            free[level],
            structure.free_units(level),
            inputs.values[level],
            structure.clamped_units(level),
        )
        for level in range(structure.first_level, structure.top + 1)
    ]
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

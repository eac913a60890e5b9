r"""Exact EM of linear-Gaussian hierarchies.

The posterior of all levels is Gaussian, with a covariance that all examples share.  With $u_l$ the latents of the
parents of level l and, if its layer has a bias, a 1, the M-step of the layers is the regression of $x_l$ on $u_l$ under
the posterior, and that of the precisions the moment of its errors,

$$ [W, b] = \Big(\sum E[x_l u_l^\top]\Big) \Big(\sum E[u_l u_l^\top]\Big)^{-1}, \qquad
   \Pi^{-1} = \frac1n \sum E[e_l e_l^\top] , $$

summed over examples and over all levels that share the layer, or the precision.  Over time steps this is the EM
algorithm of a linear dynamical system (Shumway & Stoffer 1982, J Time Ser Anal 3:253; Ghahramani & Hinton 1996,
CRG-TR-96-2).  Where levels with different precisions share a layer their terms are weighted by the present
precisions, which raises the evidence as well (ECM, Meng & Rubin 1993, Biometrika 80:267).
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.posterior import covariance_root, free_energy
from pcmodel.inference.solvers.exact import Exact
from pcmodel.inference.whitened import unroll
from pcmodel.learning.em import problem_of
from pcmodel.model.generative import (
    GenerativeModel,
    by_layer,
    by_span,
    tied_precisions,
    tops_of,
)
from pcmodel.model.precision import covariance_to_log_precision
from pcmodel.model.problem import Problem, Structure
from pcmodel.model.types import LogPrecisions, Weights


class Regression(NamedTuple):
    """The levels that share one layer (static).

    levels: ascending; the first stores the layer.
    parents: of each level, in the order of the layer's maps.
    widths: number of units of each parent.
    has_bias: whether the layer has a bias.
    learns: whether it is learned.
    """

    levels: tuple[int, ...]
    parents: tuple[tuple[int, ...], ...]
    widths: tuple[int, ...]
    has_bias: bool
    learns: bool


class Plan(NamedTuple):
    """What is learned (static).

    regressions: every layer.
    precisions: groups of levels, each with one precision that is learned.
    prior_means: tops whose prior mean is learned.
    """

    regressions: tuple[Regression, ...]
    precisions: tuple[tuple[int, ...], ...]
    prior_means: tuple[int, ...]


class Moments(NamedTuple):
    """Second moments of the posterior of all units, level after level, bottom first; sums over examples.

    mean: sum of the means.
    second: sum of E[x x'].
    number: of examples.
    """

    mean: Float[Array, " units"]
    second: Float[Array, "units units"]
    number: int


class Parameters(NamedTuple):
    """What EM moves.

    weights: of the network.
    log_precisions: of its levels.
    """

    weights: Weights
    log_precisions: LogPrecisions


def linear_em_steps(
    parameters: Parameters,
    values: tuple[Array, ...],
    *,
    structure: Structure,
    plan: Plan,
    num_steps: int,
) -> tuple[Parameters, Float[Array, " steps_and_one"]]:
    """`num_steps` EM steps: the new parameters, and the log evidence before each step and at the end.

    values: clamped values of each level, (batch, units).
    """

    def step(parameters: Parameters, _) -> tuple[Parameters, Array]:
        moments, evidence = exact_moments(parameters, values, structure)
        return maximised(parameters, moments, structure.model, plan), evidence

    end, evidence = jax.lax.scan(step, parameters, length=num_steps)
    return end, jnp.append(evidence, exact_moments(end, values, structure)[1])


def exact_moments(
    parameters: Parameters, values: tuple[Array, ...], structure: Structure
) -> tuple[Moments, Float[Array, ""]]:
    """The E-step: moments of all levels, and the log evidence of all examples, nats."""

    def pose(example: tuple[Array, ...]) -> Problem:
        return problem_of(structure, *parameters, example)

    def one(example: tuple[Array, ...]) -> tuple[Array, Array, Array]:
        problem = pose(example)
        start = jnp.zeros((structure.num_free,), problem.inputs.gains[0].dtype)
        whitened = Exact().minimise(problem, start).whitened
        latents = unroll(problem, whitened).latents
        return jnp.concatenate(latents), -free_energy(problem, whitened), whitened

    means, evidence, whitened = jax.vmap(one)(values)
    # The covariance depends on which units are given, not on their values: that of the first example is everyone's.
    root = covariance_root(pose(tuple(value[0] for value in values)), whitened[0])
    free, number = free_positions(structure), means.shape[0]
    covariance = jnp.zeros((means.shape[1],) * 2, means.dtype)
    covariance = covariance.at[jnp.ix_(free, free)].set(root @ root.T)
    second = means.T @ means + number * covariance
    return Moments(jnp.sum(means, axis=0), second, number), jnp.sum(evidence)


def free_positions(structure: Structure) -> Array:
    """Positions of the free units among the units of all levels, in the order of the flat state."""
    widths, found, start = structure.model.widths, [], 0
    for level, width in enumerate(widths):
        found += [start + int(unit) for unit in structure.free_units(level)]
        start += width
    return jnp.asarray(found, int)


class Sums(NamedTuple):
    """Sums over examples of the moments of one level's units x and of its parents' u (with a last 1 for a bias).

    own: E[x x'].
    cross: E[x u'].
    above: E[u u'].
    """

    own: Float[Array, "width width"]
    cross: Float[Array, "width above"]
    above: Float[Array, "above above"]


def sums_of(
    moments: Moments,
    widths: Sequence[int],
    level: int,
    parents: Sequence[int],
    *,
    bias: bool,
) -> Sums:
    """The sums of one level."""
    starts = [sum(widths[:number]) for number in range(len(widths))]

    def units(number: int) -> slice:
        return slice(starts[number], starts[number] + widths[number])

    def block(one: Sequence[int], other: Sequence[int]) -> Array:
        rows = [
            jnp.concatenate([moments.second[units(a), units(b)] for b in other], axis=1)
            for a in one
        ]
        return jnp.concatenate(rows)

    own = moments.second[units(level), units(level)]
    mean = moments.mean[units(level)][:, None]
    if not parents:
        return Sums(own, mean, jnp.full((1, 1), moments.number, own.dtype))
    cross, above = block([level], parents), block(parents, parents)
    if bias:
        means = jnp.concatenate([moments.mean[units(one)] for one in parents])[:, None]
        number = jnp.full((1, 1), moments.number, own.dtype)
        cross = jnp.concatenate([cross, mean], axis=1)
        above = jnp.block([[above, means], [means.T, number]])
    return Sums(own, cross, above)


def regressed(
    sums: Sequence[Sums], weights: Sequence[Array] | None
) -> Float[Array, "width above"]:
    """[W, b] of the levels that share a layer.

    weights: precision of each level's units, (width,); None where they are alike.
    """
    if weights is None:
        cross = reduce(jnp.add, [one.cross for one in sums])
        above = reduce(jnp.add, [one.above for one in sums])
        return solve_symmetric(above, cross.T).T
    pairs = list(zip(sums, weights, strict=True))
    crosses = jnp.sum(jnp.stack([w[:, None] * one.cross for one, w in pairs]), axis=0)
    aboves = jnp.sum(
        jnp.stack([w[:, None, None] * one.above[None] for one, w in pairs]), axis=0
    )
    return jax.vmap(lambda above, cross: solve_symmetric(above, cross[:, None])[:, 0])(
        aboves, crosses
    )


def solve_symmetric(matrix: Float[Array, "n n"], rhs: Float[Array, "n m"]) -> Array:
    """The solution of least norm of a positive semidefinite system, scaled to a unit diagonal."""
    scale = jnp.sqrt(jnp.diagonal(matrix))
    scale = jnp.where(scale > 0, scale, 1)
    values, vectors = jnp.linalg.eigh(matrix / scale[:, None] / scale[None])
    least = matrix.shape[0] * jnp.finfo(matrix.dtype).eps * values[-1]
    inverse = jnp.where(values > least, 1 / jnp.where(values > least, values, 1), 0)
    half = vectors.T @ (rhs / scale[:, None])
    return (vectors @ (inverse[:, None] * half)) / scale[:, None]


def error_moment(sums: Sums, matrix: Float[Array, "width above"]) -> Array:
    """Sum over examples of E[e e'] of a level's errors with the given layer."""
    shared = sums.cross @ matrix.T
    return sums.own - shared - shared.T + matrix @ sums.above @ matrix.T


def new_log_precision(errors: Sequence[Array], number: int, like: Array) -> Array:
    """The log-precision that levels share, in the form of `like`.

    errors: `error_moment` of each level; of levels that share one number they may have different widths.
    number: of examples.
    """
    if like.ndim == 0:
        squares = jnp.concatenate([jnp.diagonal(one) for one in errors])
        return -jnp.log(jnp.mean(squares) / number)
    moment = reduce(jnp.add, errors) / (number * len(errors))
    if like.ndim == 1:
        return -jnp.log(jnp.diagonal(moment))
    return covariance_to_log_precision(0.5 * (moment + moment.T))


def maximised(
    parameters: Parameters, moments: Moments, model: GenerativeModel, plan: Plan
) -> Parameters:
    """The M-step."""
    weights, log_precisions = parameters
    layers = list(by_layer(model, weights["layers"]))
    sums, matrices = {}, {}
    for one in plan.regressions:
        for level, parents in zip(one.levels, one.parents, strict=True):
            sums[level] = sums_of(
                moments, model.widths, level, parents, bias=one.has_bias
            )
        owner = one.levels[0]
        if one.learns:
            own = [sums[level] for level in one.levels]
            shares = row_weights(model, log_precisions, one.levels)
            layers[owner] = with_matrix(layers[owner], one, regressed(own, shares))
        for level in one.levels:
            matrices[level] = matrix_of(layers[owner], one)
    prior, start = weights["prior_mean"], 0
    for level in tops_of(model):
        width = model.widths[level]
        sums[level] = sums_of(moments, model.widths, level, (), bias=False)
        if level in plan.prior_means:
            mean = sums[level].cross[:, 0] / moments.number
            prior = prior.at[start : start + width].set(mean)
        matrices[level] = prior[start : start + width][:, None]
        start += width
    moved = list(log_precisions)
    for group in plan.precisions:
        errors = [error_moment(sums[level], matrices[level]) for level in group]
        value = new_log_precision(errors, moments.number, moved[group[0]])  # type: ignore[arg-type]
        for level in group:
            moved[level] = value
    weights = {**weights, "layers": by_span(model, layers), "prior_mean": prior}
    return Parameters(weights, tuple(moved))


def row_weights(
    model: GenerativeModel, log_precisions: LogPrecisions, levels: Sequence[int]
) -> list[Array] | None:
    """The precision of each unit of the levels that share a layer; None if all levels share it too."""
    groups = tied_precisions(model)
    if len(levels) == 1 or any(set(levels) <= set(group) for group in groups):
        return None
    found = []
    for level in levels:
        value = log_precisions[level]
        if value is None or value.ndim == 2:
            raise TypeError("levels of one layer need precisions of single units")
        found.append(jnp.exp(jnp.broadcast_to(value, (model.widths[level],))))
    return found


def matrix_of(layer: Any, one: Regression) -> Float[Array, "width above"]:
    """[W, b] of a layer from its arrays."""
    maps = maps_of(layer)
    columns = [own["weight"] for own in maps]
    if one.has_bias:
        biases = [own["bias"] for own in maps if "bias" in own]
        columns.append(reduce(jnp.add, biases)[:, None])
    return jnp.concatenate(columns, axis=1)


def with_matrix(layer: Any, one: Regression, matrix: Array) -> Any:
    """The layer's arrays with [W, b] in place of its own; a bias is put into the first map that has one."""
    ends = [sum(one.widths[: number + 1]) for number in range(len(one.widths))]
    parts = jnp.split(matrix, ends, axis=1)
    made, bias = [], parts[-1][:, 0] if one.has_bias else None
    for own, weight in zip(maps_of(layer), parts, strict=False):
        new = {**own, "weight": weight}
        if "bias" in own:
            new["bias"] = bias
            bias = jnp.zeros_like(own["bias"])
        made.append(new)
    return {**layer, "maps": dict(enumerate(made))} if "maps" in layer else made[0]


def maps_of(layer: Any) -> list[Any]:
    """The arrays of each dense map of a layer."""
    if "maps" not in layer:
        return [layer]
    return [layer["maps"][number] for number in sorted(layer["maps"])]

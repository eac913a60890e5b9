r"""The M-step of a linear-Gaussian hierarchy, whole or at a rate, from errors under the posterior.

With u the latents of the parents of a level (times their slopes) and, if its layer has a bias, a 1, a batch moves the
layer by

$$ \Delta [W, b] = r\, E[e u^\top] \big( (1-r)\, E_\theta[u u^\top] + r\, E[u u^\top] \big)^{-1}, \qquad
   \Pi^{-1} \leftarrow (1-r)\, (\Pi^{-1} + G^{1/2} \Delta E_\theta[u u^\top] \Delta^\top G^{1/2})
       + r\, G^{1/2} E[e' e'^\top] G^{1/2} , $$

E under the posterior of the batch and E_theta under the model itself, e the errors before and e' = e - Delta u those after
the move, G the gains.  This is the M-step of sufficient statistics of which the share r is the batch's and the rest what
the model, with its present parameters, expects (stepwise EM, Cappé & Moulines 2009, J R Stat Soc B 71:593; here the
memory is the parameters themselves).  So r = 1 is EM; a batch that says nothing moves nothing at any rate; and since what
is maximised is r Q(theta) - (1 - r) KL(model | theta), the evidence of the batch, under its gains, falls at no rate.

Of a top, whose only parent is the constant 1, it is $m \leftarrow m + r\, d$ with d = E[x] - m, and
$\Pi^{-1} \leftarrow (1-r)\, \Pi^{-1} + r\, g\, (V + (1-r)\, d^2)$ with V the posterior variance: what surprised makes a belief
less precise, and what only confirmed makes it more so.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.learning.linear.moments import Moments, Parameters
from pcmodel.model.generative import (
    GenerativeModel,
    by_layer,
    by_span,
    tied_precisions,
    tops_of,
)
from pcmodel.model.linalg import cholesky, solve_spd
from pcmodel.model.precision import (
    covariance_to_log_precision,
    precision_matrix,
    unpack_cholesky,
)
from pcmodel.model.slopes import Factors
from pcmodel.model.types import LogPrecisions


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


class Step(NamedTuple):
    """What a batch is weighed against and under which gains.

    rate: share of the batch, in [0, 1]; None for all of it.
    own: moments of the model itself; None where the rate is.
    factors: of the modulation; None without one.
    """

    rate: Array | None
    own: Moments | None
    factors: Factors | None

    def mixed(self, own: Array | None, seen: Array) -> Array:
        """(1 - rate) own + rate seen."""
        if self.rate is None or own is None:
            return seen
        return (1 - self.rate) * own + self.rate * seen


class Second(NamedTuple):
    """Second moments of one level's errors e and of its parents' latents u (with a last 1 for a bias).

    errors: E[e e'], of the batch.
    cross: E[e u'], of the batch.
    above: E[u u'], of the batch.
    own_above: E[u u'], of the model; None where the batch counts alone.
    parts: means (batch, ...) and rows (sources, ...) of e and of u, from which the batch's moments were made.
    shares: weight of each example.
    """

    errors: Float[Array, "width width"]
    cross: Float[Array, "width above"]
    above: Float[Array, "above above"]
    own_above: Float[Array, "above above"] | None
    parts: tuple[tuple[Array, Array], tuple[Array, Array]]
    shares: Float[Array, " batch"]


def maximised(
    parameters: Parameters,
    moments: Moments,
    step: Step,
    *,
    model: GenerativeModel,
    plan: Plan,
) -> Parameters:
    """The M-step."""
    weights, log_precisions = parameters
    layers = list(by_layer(model, weights["layers"]))
    after: dict[int, After] = {}
    for one in plan.regressions:
        seconds = [
            second_of(moments, step, level, parents, bias=one.has_bias)
            for level, parents in zip(one.levels, one.parents, strict=True)
        ]
        change = None
        if one.learns:
            shares = row_weights(model, log_precisions, one.levels, step.factors)
            change = regressed(seconds, shares, step)
            owner = one.levels[0]
            matrix = matrix_of(layers[owner], one) + change
            layers[owner] = with_matrix(layers[owner], one, matrix)
        for level, second in zip(one.levels, seconds, strict=True):
            after[level] = moment_after(second, change, step)
    prior, start = weights["prior_mean"], 0
    for level in tops_of(model):
        part = slice(start, start + model.widths[level])
        second = second_of(moments, step, level, (), bias=True)
        change = None
        if level in plan.prior_means:
            change = regressed([second], None, step)
            prior = prior.at[part].add(change[:, 0])
        after[level] = moment_after(second, change, step)
        start = part.stop
    moved = precisions_after(log_precisions, after, step, plan)
    weights = {**weights, "layers": by_span(model, layers), "prior_mean": prior}
    return Parameters(weights, moved)


def second_of(
    moments: Moments,
    step: Step,
    level: int,
    parents: Sequence[int],
    *,
    bias: bool,
) -> Second:
    """The second moments of one level."""
    slopes = None if step.factors is None else step.factors.slopes
    above = above_of(moments, parents, slopes, bias=bias)
    own = None
    if step.own is not None:
        imagined = above_of(step.own, parents, slopes, bias=bias)
        own = products(imagined, imagined, step.own.shares)
    errors = moments.errors[level], moments.error_rows[level]
    return Second(
        products(errors, errors, moments.shares),
        products(errors, above, moments.shares),
        products(above, above, moments.shares),
        own,
        (errors, above),
        moments.shares,
    )


def above_of(
    moments: Moments,
    parents: Sequence[int],
    slopes: Sequence[Array] | None,
    *,
    bias: bool,
) -> tuple[Array, Array]:
    """Means (batch, above) and rows (sources, above) of what a level is predicted from."""
    batch, sources = moments.errors[0].shape[0], moments.error_rows[0].shape[0]
    dtype, means, rows = moments.errors[0].dtype, [], []
    for parent in parents:
        width = moments.latents[parent].shape[1]
        slope = 1 if slopes is None else slopes[parent]
        slope = jnp.broadcast_to(jnp.asarray(slope, dtype), (1, width))
        means.append(slope * moments.latents[parent])
        rows.append(slope * moments.latent_rows[parent])
    if bias:
        means.append(jnp.ones((batch, 1), dtype))
        rows.append(jnp.zeros((sources, 1), dtype))
    return jnp.concatenate(means, axis=1), jnp.concatenate(rows, axis=1)


def products(
    one: tuple[Array, Array], other: tuple[Array, Array], shares: Array
) -> Array:
    """E[a b'] over a batch and its posterior, from means and rows."""
    total = jnp.sum(shares)
    return (shares[:, None] * one[0]).T @ other[0] + total * one[1].T @ other[1]


def regressed(
    seconds: Sequence[Second], weights: Sequence[Array] | None, step: Step
) -> Float[Array, "width above"]:
    """The move of [W, b] of the levels that share a layer.

    weights: precision of each level's units, (width,); None where they are alike.
    """
    crosses = [
        one.cross if step.rate is None else step.rate * one.cross for one in seconds
    ]
    aboves = [step.mixed(one.own_above, one.above) for one in seconds]
    if weights is None:
        return solve_symmetric(reduce(jnp.add, aboves), reduce(jnp.add, crosses).T).T
    cross = reduce(
        jnp.add, [w[:, None] * c for w, c in zip(weights, crosses, strict=True)]
    )
    above = reduce(
        jnp.add,
        [w[:, None, None] * a[None] for w, a in zip(weights, aboves, strict=True)],
    )
    return jax.vmap(lambda above, cross: solve_symmetric(above, cross[:, None])[:, 0])(
        above, cross
    )


def solve_symmetric(matrix: Float[Array, "n n"], rhs: Float[Array, "n m"]) -> Array:
    """The solution of least norm of a positive semidefinite system, scaled to a unit diagonal."""
    scale = jnp.sqrt(jnp.diagonal(matrix))
    scale = jnp.where(scale > 0, scale, 1)
    if matrix.shape[0] == 1:
        return jnp.where(matrix > 0, rhs / jnp.where(matrix > 0, matrix, 1), 0)
    values, vectors = jnp.linalg.eigh(matrix / scale[:, None] / scale[None])
    least = matrix.shape[0] * jnp.finfo(matrix.dtype).eps * values[-1]
    inverse = jnp.where(values > least, 1 / jnp.where(values > least, values, 1), 0)
    half = vectors.T @ (rhs / scale[:, None])
    return (vectors @ (inverse[:, None] * half)) / scale[:, None]


class After(NamedTuple):
    """Second moments of one level's errors after its layer has moved.

    seen: E[e' e'] of the batch.
    added: what the move adds to E[e e'] of the model's own draws; None where the batch counts alone.
    """

    seen: Float[Array, "width width"]
    added: Float[Array, "width width"] | None


def moment_after(second: Second, change: Array | None, step: Step) -> After:
    """Second moments of the errors after their layer has moved by `change` (None: not at all)."""
    if change is None:
        none = None if step.rate is None else jnp.zeros_like(second.errors)
        return After(second.errors, none)
    # From the errors that are left: of a fit that is close, the difference of moments would be rounding.
    errors, above = second.parts
    left = errors[0] - above[0] @ change.T, errors[1] - above[1] @ change.T
    seen = products(left, left, second.shares)
    added = None if second.own_above is None else change @ second.own_above @ change.T
    return After(seen, added)


def precisions_after(
    log_precisions: LogPrecisions,
    after: Mapping[int, After],
    step: Step,
    plan: Plan,
) -> LogPrecisions:
    """The log-precisions, of which the learned ones are the inverse of gain times squared error."""
    moved = list(log_precisions)
    for group in plan.precisions:
        like = moved[group[0]]
        assert like is not None
        found = [gained(after[level], level, step) for level in group]
        seen = of_kind([one.seen for one in found], like)
        if step.rate is not None:
            added = [one.added for one in found if one.added is not None]
            own = variance_of(like) + of_kind(added, like)
            seen = (1 - step.rate) * own + step.rate * seen
        value = (
            covariance_to_log_precision(0.5 * (seen + seen.T))
            if like.ndim == 2
            else -jnp.log(seen)
        )
        for level in group:
            moved[level] = value
    return tuple(moved)


def gained(after: After, level: int, step: Step) -> After:
    """The moments times the gains of the level, G^1/2 M G^1/2."""
    if step.factors is None:
        return after
    width = after.seen.shape[0]
    root = jnp.sqrt(jnp.broadcast_to(step.factors.gains[level], (width,)))
    both = root[:, None] * root[None]
    added = None if after.added is None else both * after.added
    return After(both * after.seen, added)


def of_kind(found: Sequence[Array], like: Array) -> Array:
    """A variance in the form of a log-precision, from second moments of levels that share it.

    Levels that share one number may have different widths.
    """
    if like.ndim == 0:
        return jnp.mean(jnp.concatenate([jnp.diagonal(one) for one in found]))
    mean = reduce(jnp.add, found) / len(found)
    return jnp.diagonal(mean) if like.ndim == 1 else mean


def variance_of(log_precision: Array) -> Array:
    """The variance of a level: a number, one per unit, or a covariance."""
    if log_precision.ndim < 2:
        return jnp.exp(-log_precision)
    matrix = precision_matrix(unpack_cholesky(log_precision))
    return solve_spd(cholesky(matrix), jnp.eye(matrix.shape[0], dtype=matrix.dtype))


def row_weights(
    model: GenerativeModel,
    log_precisions: LogPrecisions,
    levels: Sequence[int],
    factors: Factors | None,
) -> list[Array] | None:
    """The precision of each unit of the levels that share a layer, gains included; None if all levels share it too."""
    groups = tied_precisions(model)
    tied = any(set(levels) <= set(group) for group in groups)
    if len(levels) == 1 or (tied and factors is None):
        return None
    found = []
    for level in levels:
        value = log_precisions[level]
        if value is None or value.ndim == 2:
            raise TypeError("levels of one layer need precisions of single units")
        own = jnp.exp(jnp.broadcast_to(value, (model.widths[level],)))
        found.append(own if factors is None else own * factors.gains[level])
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

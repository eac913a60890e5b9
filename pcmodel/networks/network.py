"""`Network`, an `nnx.Module` of layers and log-precisions, and functions that build networks.

A network is built, printed, edited and saved like any flax module; `pcmodel.networks.pure.as_model` splits it into a
static, hashable model and pure arrays, on which all computations operate.  Functions do not modify a network.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, SupportsIndex

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import NotNegative
from pcmodel.model.generative import default_names
from pcmodel.model.levels import LevelName, Part
from pcmodel.model.likelihood import Gaussian, Likelihood
from pcmodel.model.precision import from_precision
from pcmodel.networks.checks import (
    check_architecture,
    check_graph,
    check_likelihoods,
    check_precisions,
    check_prior_mean,
    check_widths,
)
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.level_parts import Division, check_parts
from pcmodel.networks.matrices import read_bias, read_matrix
from pcmodel.networks.splitting import functions_of
from pcmodel.runtime.memory import check_fits


class LogPrecision(nnx.Param):
    """Log-precision of a level's prediction errors: (), (width,) or (width, width)."""


@checked_arguments
class Network(nnx.Module):
    """A hierarchy of levels with a precision each.

    layers: layers[l] predicts level l from its parents, in a chain from level l + 1; it is called with one array for
        each of them.
    widths: units of each level, bottom first: (64, ..., 10) for a network from 10 classes to 64 pixels.
    log_precisions: one per level, (), (width,) or (width, width); of a top that of its prior. Levels to which one
        `LogPrecision` object is given share it.
    prior_mean: of the top level, (width,), or of several tops one after another; None: zeros.
    likelihood: of level 0, or one for each level; only ends, which are nobody's parent, may be discrete.
    is_linear: whether all layers are affine.
    parents: for each level the indices of its parents, which are higher; () for tops, which come last. None: a chain.
        `pcmodel.hierarchy` writes it by name.
    parts: for some levels their named parts, each as its number of units (in order, so that all of them are the
        level's) or as indices of units, {"hidden1": {"left": 5, "right": 3}}; such a part is called "hidden1/left".

    Raises UserError if widths, layers, names, precisions or parts do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[nnx.Module],
        widths: Sequence[SupportsIndex],
        *,
        log_precisions: Sequence[Any],
        prior_mean: ArrayLike | None = None,
        likelihood: Likelihood | Sequence[Likelihood] = Gaussian(),
        names: Sequence[str] | None = None,
        is_linear: bool = False,
        parents: Sequence[Sequence[SupportsIndex]] | None = None,
        parts: Mapping[LevelName, Division] | Sequence[Part] | None = None,
    ):
        widths = check_widths(widths)
        check_fits(sum(widths), what="a network's levels")
        names = tuple(names) if names is not None else default_names(len(widths))
        graph = check_graph(parents, widths, names)
        check_architecture(layers, widths, names, graph)
        likelihoods = check_likelihoods(likelihood, names, graph)
        checked = check_precisions(log_precisions, widths, names, likelihoods)
        self.layers = nnx.List(layers)
        self.prior_mean = nnx.Param(check_prior_mean(prior_mean, widths, names, graph))
        self.log_precision = nnx.List(as_variables(log_precisions, checked))
        self.widths = widths
        self.names = names
        self.parents = graph
        self.parts = check_parts(parts, widths, names)
        self.likelihoods = likelihoods
        self.is_linear = is_linear

    @property
    def likelihood(self) -> Likelihood:
        """Likelihood of level 0."""
        return self.likelihoods[0]

    @likelihood.setter
    def likelihood(self, value: Likelihood) -> None:
        given = (value, *self.likelihoods[1:])
        self.likelihoods = check_likelihoods(given, self.names, self.parents)

    @property
    def is_linear(self) -> bool:
        """Whether predictions are affine: the value set last, or False if a layer or function has changed since."""
        built, now = self.linear_with, functions_of(self.layers)
        if built is None or len(built) != len(now):
            return False
        pairs = zip(now, built, strict=True)
        return all(one is identity or one is other for one, other in pairs)

    @is_linear.setter
    def is_linear(self, value: bool) -> None:
        self.linear_with = functions_of(self.layers) if value else None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Network":
        """`nnx.clone`, because a deep copy of an activation would be another function."""
        return nnx.clone(self)


def as_variables(
    given: Sequence[Any], checked: Sequence[Any]
) -> list[LogPrecision | None]:
    """The checked log-precisions as variables, one for all levels to which one variable was given."""
    made: dict[int, LogPrecision] = {}
    variables: list[LogPrecision | None] = []
    for one, value in zip(given, checked, strict=True):
        if value is None:
            variables.append(None)
            continue
        known = made.get(id(one)) if isinstance(one, LogPrecision) else None
        variable = known
        if variable is None:
            variable = LogPrecision(jnp.asarray(value, dtype=float))
        if isinstance(one, LogPrecision):
            made[id(one)] = variable
        variables.append(variable)
    return variables


@checked_arguments
def dense(
    widths: Sequence[SupportsIndex],
    *,
    activation: Callable[[Array], Array] = jnp.tanh,
    precisions: Sequence[ArrayLike | None] | None = None,
    likelihood: Likelihood = Gaussian(),
    names: Sequence[str] | None = None,
    scale: NotNegative = 1.0,
    rngs: nnx.Rngs,
) -> Network:
    """A fully connected hierarchy, widths bottom first.

    The layer that reads the top level is linear; the others apply `activation` to the level that they read.
    `precisions` default to 1 everywhere.  Raises UserError for fewer than two levels.
    """
    widths = check_widths(widths)
    if len(widths) < 2:
        raise UserError(f"a hierarchy needs at least two levels, got widths {widths}.")
    check_fits(
        sum(above * below for below, above in pairwise(widths)),
        what="a dense network's weights",
    )
    last = len(widths) - 2
    layers = [
        Dense(
            widths[level + 1],
            widths[level],
            activation=identity if level == last else activation,
            scale=scale,
            rngs=rngs,
        )
        for level in range(last + 1)
    ]
    return Network(
        layers,
        widths,
        log_precisions=to_log_precisions(precisions, len(widths)),
        likelihood=likelihood,
        names=names,
        is_linear=activation is identity or last == 0,
    )


@checked_arguments
def linear_gaussian(
    weights: Sequence[ArrayLike],
    precisions: Sequence[ArrayLike | None],
    *,
    biases: Sequence[ArrayLike] | None = None,
    prior_mean: ArrayLike | None = None,
    likelihood: Likelihood = Gaussian(),
    names: Sequence[str] | None = None,
) -> Network:
    """A linear hierarchy from its matrices: x_l = W_l x_{l+1} + b_l + noise.

    weights: weights[l] has shape (width_l, width_{l+1}).
    precisions: one per level, the last for the top prior.

    With a Gaussian level 0 inference is exact: the mode is the posterior mean, the curvature the posterior
    precision, the free energy minus the log evidence.
    """
    matrices = [read_matrix(matrix, level) for level, matrix in enumerate(weights)]
    widths = [matrix.shape[0] for matrix in matrices]
    widths.append(matrices[-1].shape[1] if matrices else int(np.size(prior_mean)))  # type: ignore[arg-type]
    for level, (matrix, width) in enumerate(zip(matrices, widths[1:], strict=True)):
        if matrix.shape[1] != width:
            raise UserError(
                f"weights[{level}] has shape {matrix.shape}, but level {level + 1} has "
                f"{width} units."
            )
    layers = []
    for level, matrix in enumerate(matrices):
        layer = Dense(
            matrix.shape[1], matrix.shape[0], activation=identity, rngs=nnx.Rngs(0)
        )
        layer.weight[...] = matrix
        if biases is not None:
            assert layer.bias is not None
            layer.bias[...] = read_bias(biases, level, matrix.shape[0])
        layers.append(layer)
    return Network(
        layers,
        widths,
        log_precisions=to_log_precisions(precisions, len(widths)),
        prior_mean=prior_mean,
        likelihood=likelihood,
        names=names,
        is_linear=True,
    )


def initial_weights_of(seed: int) -> nnx.Rngs:
    """The random state for the initial weights of a network."""
    return nnx.Rngs(seed)


def to_log_precisions(
    precisions: Sequence[ArrayLike | None] | None, num_levels: int
) -> list[ArrayLike | None]:
    """Log-precisions from positive precisions (None for a level without one)."""
    if precisions is None:
        return [0.0] * num_levels
    return [
        None
        if value is None
        else from_precision(value, where=f"precision of level {level}")
        for level, value in enumerate(precisions)
    ]

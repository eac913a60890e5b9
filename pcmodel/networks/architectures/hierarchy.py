"""Directed hierarchies, written by name: levels with several parents and children, several tops and ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, SupportsIndex

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.ranges import NotNegative
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.likelihood import Gaussian, Likelihood
from pcmodel.model.precision import from_precision
from pcmodel.networks.architectures.level_order import level_order
from pcmodel.networks.layers.additive import Additive
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.level_parts import Division
from pcmodel.networks.network import LogPrecision, Network


@checked_arguments
@dataclass(frozen=True)
class Level:
    """One level of a `hierarchy`.

    width: number of units.
    likelihood: of its values; one that is not Gaussian only where no level has this one as parent.
    parents: names of the levels that predict it; () for a top, which has a prior.
    precision: of its errors (of a top, of its prior): a positive number, one per unit, a positive definite matrix, or
        the name of another level whose precision it shares.
    layer: a flax module that is called with one array per parent, in their order; the name of another level whose
        layer it shares; or None for dense maps, one per parent, whose predictions are added.
    prior_mean: of a top, (width,); None: zeros.
    parts: named parts of the level, each as its number of units (in order, so that all of them are the width) or as
        indices of units; part "self" of level "hidden" is called "hidden/self", or "self" if no other level has one.

    Raises UserError for a width that is no positive integer, and for a prior mean of a level with parents.
    """

    width: SupportsIndex
    likelihood: Likelihood = Gaussian()
    parents: Sequence[str] = field(default=(), kw_only=True)
    precision: ArrayLike | str = field(default=1.0, kw_only=True)
    layer: nnx.Module | str | None = field(default=None, kw_only=True)
    prior_mean: ArrayLike | None = field(default=None, kw_only=True)
    parts: Division | None = field(default=None, kw_only=True)

    def __post_init__(self):
        width = whole_number(self.width, "the width of a level")
        parents = (self.parents,) if isinstance(self.parents, str) else self.parents
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "parents", tuple(parents))
        if self.prior_mean is not None and self.parents:
            raise UserError(
                f"a level has a prior mean or parents ({', '.join(self.parents)}), not both."
            )


@checked_arguments
def hierarchy(
    levels: Mapping[str, Level],
    *,
    activation: Callable[[Array], Array] = jnp.tanh,
    scale: NotNegative = 1.0,
    rngs: nnx.Rngs,
) -> Network:
    """A directed hierarchy from its levels by name, the bottom first.

        hierarchy({
            "image": Level(64, parents=["shapes"]),
            "label": Level(10, Categorical(), parents=["top"]),
            "shapes": Level(32, parents=["top"]),
            "top": Level(10),
        }, rngs=nnx.Rngs(0))

    activation: applied by dense maps to the parents that they read, but for tops, which are read linearly.
    scale: of the initial weights of dense maps (`pcmodel.Dense`).

    Levels keep their order where that is possible: those with parents first, each before its parents, then the tops.
    The network's `names` tell it.

    Raises UserError for a parent that does not exist, a cycle, layers or precisions shared between levels that they
    do not fit, parts that do not fit their level or are called like one, and what `pcmodel.Network` refuses.
    """
    if not levels:
        raise UserError("a hierarchy needs at least one level.")
    graph = {name: tuple(level.parents) for name, level in levels.items()}
    names = level_order(graph)
    index = {name: number for number, name in enumerate(names)}
    parents = [tuple(index[parent] for parent in graph[name]) for name in names]
    layers = _layers(levels, names, activation=activation, scale=scale, rngs=rngs)
    tops = [name for name in names if not graph[name]]
    return Network(
        [layers[name] for name in names if graph[name]],
        [levels[name].width for name in names],
        log_precisions=_log_precisions(levels, names),
        prior_mean=np.concatenate([_prior_mean(name, levels[name]) for name in tops]),
        likelihood=[levels[name].likelihood for name in names],
        names=names,
        is_linear=all(_is_affine(layers[name]) for name in names if graph[name]),
        parents=parents,
        parts={name: own for name in names if (own := levels[name].parts)},
    )


def _prior_mean(name: str, level: Level) -> np.ndarray:
    width = int(level.width)
    if level.prior_mean is None:
        return np.zeros(width)
    mean = np.asarray(
        read_numbers(
            level.prior_mean, where=f"prior mean of level {name!r}", dtype=float
        )
    )
    if mean.shape != (width,):
        raise UserError(
            f"prior mean of level {name!r}: expected {width} finite numbers, got shape {mean.shape}."
        )
    return mean


def _layers(
    levels: Mapping[str, Level],
    names: Sequence[str],
    *,
    activation: Callable[[Array], Array],
    scale: float,
    rngs: nnx.Rngs,
) -> dict[str, Any]:
    """The layer of every level with parents."""
    made: dict[str, Any] = {}
    for name in names:
        level = levels[name]
        if not level.parents:
            if level.layer is not None:
                raise UserError(f"level {name!r} has a layer and no parents to read.")
        elif level.layer is None:
            above = [levels[parent] for parent in level.parents]
            made[name] = dense_layer(
                level, above, activation=activation, scale=scale, rngs=rngs
            )
        elif not isinstance(level.layer, str):
            made[name] = level.layer
    for name in names:
        if isinstance(levels[name].layer, str):
            made[name] = made[_owner(levels, name, "layer")]
            _check_shared(levels, name)
    return made


def dense_layer(
    level: Level,
    parents: Sequence[Level],
    *,
    activation: Callable[[Array], Array],
    scale: float,
    rngs: nnx.Rngs,
) -> Dense | Additive:
    """Dense maps from each parent, added; tops are read linearly, and only the first map has a bias."""
    maps = [
        Dense(
            parent.width,
            level.width,
            activation=activation if parent.parents else identity,
            scale=scale,
            bias=number == 0,
            rngs=rngs,
        )
        for number, parent in enumerate(parents)
    ]
    return maps[0] if len(maps) == 1 else Additive(maps)


def _owner(levels: Mapping[str, Level], name: str, what: str) -> str:
    """The level that owns the layer or precision that a level shares by name."""
    seen = [name]
    while isinstance(other := getattr(levels[seen[-1]], what), str):
        if other not in levels:
            raise UserError(
                f"level {seen[-1]!r} shares the {what} of {other!r}, which is no level: there are {', '.join(levels)}."
            )
        if other in seen:
            raise UserError(
                f"levels {', '.join(map(repr, seen))} share their {what} with each other, and none has one."
            )
        seen.append(other)
    owner = seen[-1]
    if what == "layer" and not levels[owner].parents:
        raise UserError(
            f"level {name!r} shares the layer of top {owner!r}, which has none."
        )
    return owner


def _check_shared(levels: Mapping[str, Level], name: str) -> None:
    """Raise a UserError unless a level and the one whose layer it shares have equal sizes."""
    owner = _owner(levels, name, "layer")

    def sizes(one: str) -> tuple[int, ...]:
        own = (levels[parent].width for parent in levels[one].parents)
        return (int(levels[one].width), *map(int, own))

    if sizes(name) != sizes(owner):
        (width, *above), (other, *others) = sizes(name), sizes(owner)
        raise UserError(
            f"level {name!r} ({width} units from {above}) shares the layer of {owner!r} ({other} units from {others}), "
            "which has another shape."
        )


def _log_precisions(levels: Mapping[str, Level], names: Sequence[str]) -> list[Any]:
    """One per level, the same variable where levels share it; None for discrete levels."""
    made: dict[str, LogPrecision] = {}
    found: list[Any] = []
    for name in names:
        level = levels[name]
        if not isinstance(level.likelihood, Gaussian):
            if not (isinstance(level.precision, float) and level.precision == 1.0):
                raise UserError(
                    f"level {name!r} is discrete and has no precision; its gain is a modulation's."
                )
            found.append(None)
            continue
        owner = _owner(levels, name, "precision")
        if not isinstance(levels[owner].likelihood, Gaussian):
            raise UserError(
                f"level {name!r} shares the precision of {owner!r}, which is discrete and has none."
            )
        if owner not in made:
            where = f"precision of level {owner!r}"
            value = from_precision(
                read_numbers(levels[owner].precision, where=where), where=where
            )
            made[owner] = LogPrecision(value)
        if made[owner].ndim and levels[owner].width != level.width:
            raise UserError(
                f"level {name!r} ({level.width} units) shares the precision of {owner!r} ({levels[owner].width} units), "
                "which has one number per unit."
            )
        found.append(made[owner])
    return found


def _is_affine(layer: Any) -> bool:
    """Whether a layer is made of dense maps without activation."""
    if type(layer) is Additive:
        return all(map(_is_affine, layer.maps))
    return type(layer) is Dense and layer.activation is identity

"""Hierarchies unrolled over time: one drawing of a time step, repeated with the same layers and precisions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, SupportsIndex

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
from pcmodel.model.levels import find_units, indices
from pcmodel.networks.architectures.hierarchy import Level, dense_layer, hierarchy
from pcmodel.networks.level_arrays import level_arrays
from pcmodel.networks.network import Network

LAGGED = re.compile(r"(.+)\[(-[1-9][0-9]*)\]")
"""A parent at an earlier step, "x[-1]"."""


@checked_arguments
def over_time(
    levels: Mapping[str, Level],
    num_steps: SupportsIndex,
    *,
    initial: Mapping[str, Level] | None = None,
    constant: Mapping[str, Level] | None = None,
    activation: Callable[[Array], Array] = jnp.tanh,
    scale: NotNegative = 1.0,
    rngs: nnx.Rngs,
) -> Network:
    """A hierarchy of `num_steps` time steps whose layers and precisions are the same at every step.

        over_time({
            "report": Level(1, parents=["state"]),
            "state": Level(2, parents=["state[-1]"]),
        }, 50, initial={"state": Level(2, precision=0.1)}, rngs=nnx.Rngs(0))

    levels: those of one step; a parent "state[-1]" is that level one step earlier.
    initial: what a level is at the steps whose lagged parents would lie before the first; by default a top with a
        standard normal prior. A precision or layer that it shares is named with its step: precision="state[1]".
    constant: levels that exist once and may be parents at every step.
    activation: as for `pcmodel.hierarchy`; a level is read linearly if it is a top in the drawing of a step.
    scale: as for `pcmodel.hierarchy`.

    The level at step t (from 0) is called "state[t]".  With linear layers and Gaussian levels this is a linear dynamical
    system: `pcmodel.infer` then is the Kalman smoother, and `pcmodel.linear_em` its learning (Shumway & Stoffer 1982, J
    Time Ser Anal 3:253).

    Raises UserError for a level that is no level of the step, a parent at a later step, and what `pcmodel.hierarchy`
    refuses.
    """
    steps = whole_number(num_steps, "num_steps")
    initial, constant = dict(initial or {}), dict(constant or {})
    _check_names(levels, initial, constant)
    first = {name: _first_step(name, level) for name, level in levels.items()}
    for name in initial:
        if not first[name]:
            raise UserError(
                f"initial level {name!r} has no parent at an earlier step: it is the same at every step."
            )
    for name, given in (*initial.items(), *constant.items()):
        _check_named(name, given, first)
    regular = _Place(levels, constant, first)
    layers = _layers(regular, activation=activation, scale=scale, rngs=rngs)
    made: dict[str, Level] = {}
    for name, level in levels.items():
        level = replace(level, layer=layers[name])
        # The last step first, as a level at an earlier step predicts later ones, and all levels in one order, so that
        # equal layers are at one distance from their parents and are computed together.
        for step in reversed(range(steps)):
            if step >= first[name]:
                made[f"{name}[{step}]"] = _at_step(level, name, step, regular)
            else:
                made[f"{name}[{step}]"] = _begun(
                    initial.get(name), level, step, regular
                )
    return hierarchy(
        {**made, **constant}, activation=activation, scale=scale, rngs=rngs
    )


class _Place(NamedTuple):
    """The levels of a step, those that exist once, and the first step at which each has its own layer."""

    levels: Mapping[str, Level]
    constant: Mapping[str, Level]
    first: Mapping[str, int]


def _check_names(
    levels: Mapping[str, Level],
    initial: Mapping[str, Level],
    constant: Mapping[str, Level],
) -> None:
    for name in (*levels, *constant):
        if re.search(r"[\[\]]", name):
            raise UserError(f"level {name!r}: brackets in a name tell the time step.")
        if "/" in name:
            raise UserError(
                f"level {name!r}: over time a name has no /, which tells a part."
            )
    for name in initial:
        if name not in levels:
            raise UserError(
                f"initial level {name!r} is no level of the step: there are {', '.join(levels)}."
            )
        if initial[name].width != levels[name].width:
            raise UserError(
                f"level {name!r} has {levels[name].width} units, and {initial[name].width} at its first step."
            )
    if both := set(levels) & set(constant):
        raise UserError(f"level {min(both)!r} is both constant and one of every step.")


def _check_named(name: str, given: Level, first: Mapping[str, int]) -> None:
    """Raise a UserError for an initial or constant level that shares what a level of every step has, but not at which."""
    for what, owner in (("precision", given.precision), ("layer", given.layer)):
        if isinstance(owner, str) and owner in first:
            raise UserError(
                f"{name!r} shares the {what} of {owner!r}, which is one at every step",
                where="over_time",
                expected=f"a {what} of its own, or the step whose it shares: {what}={f'{owner}[{first[owner]}]'!r}",
            )


def _first_step(name: str, level: Level) -> int:
    """The first step at which all parents of a level exist."""
    lags = [0]
    for parent in level.parents:
        if found := LAGGED.fullmatch(parent):
            lags.append(-int(found[2]))
        elif "[" in parent:
            raise UserError(
                f"level {name!r} has parent {parent!r}: a parent at an earlier step is written name[-1]."
            )
    return max(lags)


def _parent_at(name: str, parent: str, step: int, place: _Place) -> str:
    """The name of a parent of a level at one step."""
    found = LAGGED.fullmatch(parent)
    own, lag = (found[1], int(found[2])) if found else (parent, 0)
    if own in place.constant and not lag:
        return own
    if own not in place.levels:
        there = ", ".join((*place.levels, *place.constant))
        raise UserError(
            f"level {name!r} has parent {parent!r}, which is no level: there are {there}."
        )
    return f"{own}[{step + lag}]"


def _at_step(level: Level, name: str, step: int, place: _Place) -> Level:
    """A level at one step; later ones share the precision of the first."""
    parents = [_parent_at(name, parent, step, place) for parent in level.parents]
    first = place.first[name]

    def shared(value: Any) -> Any:
        """What a level shares by name, at the first step of the other."""
        if isinstance(value, str) and value in place.levels:
            return f"{value}[{place.first[value]}]"
        return value

    changes: dict[str, Any] = {"parents": parents}
    if step == first:
        changes["precision"] = shared(level.precision)
    elif level.likelihood.name == "gaussian":
        changes["precision"] = f"{name}[{first}]"
    return replace(level, **changes)


def _layers(
    place: _Place,
    *,
    activation: Callable[[Array], Array],
    scale: float,
    rngs: nnx.Rngs,
) -> dict[str, Any]:
    """The layer of each level, the same object at every step.

    Whether a parent is a top, which is read linearly, is told by the drawing of the step and not by its first step.
    """
    made: dict[str, Any] = {}
    known = {**place.levels, **place.constant}
    for name, level in place.levels.items():
        if level.layer is not None or not level.parents:
            made[name] = level.layer
            continue
        bare = [LAGGED.sub(r"\1", parent) for parent in level.parents]
        for parent, own in zip(level.parents, bare, strict=True):
            if own not in known:
                _parent_at(name, parent, 0, place)  # tells what there is
        parents = [known[own] for own in bare]
        made[name] = dense_layer(
            level, parents, activation=activation, scale=scale, rngs=rngs
        )
    for name, layer in made.items():
        if isinstance(layer, str) and isinstance(made.get(layer), nnx.Module):
            made[name] = made[layer]
    return made


def _begun(given: Level | None, level: Level, step: int, place: _Place) -> Level:
    """A level at a step before all its parents exist."""
    if given is None:
        return Level(level.width, parts=level.parts)
    parents = [_parent_at("initial", parent, step, place) for parent in given.parents]
    return replace(given, parents=parents, parts=given.parts or level.parts)


@checked_arguments
def at_steps(series: Mapping[str, ArrayLike]) -> dict[str, Any]:
    """Time series as observations of a hierarchy over time: {"report[0]": values, "report[1]": ..., ...}.

    series: by level, or by part ("state/self"), (times, width) or (batch, times, width).
        Units under a numpy mask are missing, and must be the same ones in every example; a step at which all are
        missing is left out.

    Raises UserError for another number of dimensions.
    """
    found: dict[str, Any] = {}
    for name, values in series.items():
        array = (
            np.ma.asarray(values)
            if np.ma.isMaskedArray(values)
            else read_numbers(values, where=f"series of level {name!r}", finite=False)
        )
        if array.ndim not in (2, 3) or not array.size:
            raise UserError(
                f"has shape {array.shape}",
                where=f"series of level {name!r}",
                expected="(times, width) or (batch, times, width)",
            )
        for step in range(array.shape[-2]):
            own = array[..., step, :]
            if not (np.ma.isMaskedArray(own) and np.all(np.ma.getmaskarray(own))):
                found[name_at(name, step)] = own
    return found


def name_at(name: str, step: int) -> str:
    """The name of a level, or the address of a part, at one step: "state[3]", "state[3]/self"."""
    level, slash, part = name.partition("/")
    return f"{level}[{step}]{slash}{part}"


@checked_arguments
def over_steps(network: Network, latents: Any, level: str) -> Array:
    """Latents of one level or part at all time steps, (..., times, width), from those of all levels, bottom first.

    Raises UserError for a level that the network has at no step, and for latents that are not those of its levels.
    """
    every = level_arrays(network, latents, where="over_steps: latents", are_finite=True)
    known_names = set(network.names)
    places = []
    while name_at(level.partition("/")[0], len(places)) in known_names:
        places.append(find_units(name_at(level, len(places)), network))
    if not places:
        known = sorted({name.split("[")[0] for name in known_names if "[" in name})
        raise UserError(
            f"there is no level {level!r} at any time step: this network has {', '.join(known) or 'no time steps'}."
        )
    steps = [
        every[place.level][..., indices(place, network.widths[place.level])]
        for place in places
    ]
    if len(shapes := {step.shape for step in steps}) > 1:
        raise UserError(
            f"latents of {level!r} have the shapes {' and '.join(map(str, sorted(shapes)))}",
            where="over_steps",
            expected="the same examples at every step",
        )
    return jnp.stack(steps, axis=-2)

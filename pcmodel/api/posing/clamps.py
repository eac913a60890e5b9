"""Clamped values, by level or part: their checks, and the clamped units of each level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import Numbers, check_finite, read_array, to_dtype
from pcmodel.inputs.labels import label_hint, looks_like_labels, refuse_labels
from pcmodel.inputs.masks import one_mask, read_mask
from pcmodel.model.generative import GenerativeModel
from pcmodel.model.levels import LevelName, Named, Units, find_units, indices, told
from pcmodel.model.likelihood import Bernoulli, Categorical, Likelihood


@dataclass(frozen=True)
class Clamp:
    """Values to which a level, or part of it, is clamped.

    values: (width,) or (batch, width) of the level or named part; units under a numpy mask are not clamped, and must
        be the same ones in every example.
    mask: (width,) booleans (or zeros and ones), True where clamped; None clamps all units.
        Values where the mask is False are ignored.
    """

    values: ArrayLike
    mask: ArrayLike | None = None


Clamps = Mapping[LevelName, ArrayLike | Clamp]
"""Values of levels, or of parts of levels, by name or index."""
Observation = ArrayLike | Mapping[LevelName, ArrayLike | Clamp]
"""Values of level 0, or of several levels or parts by name or index."""


class ClampedUnits(NamedTuple):
    """Clamped values of one level.

    values: ([batch,] number of clamped units).
    units: indices of the clamped units, ascending.
    is_whole: whether the values were given as integers or booleans.
    """

    values: Numbers
    units: tuple[int, ...]
    is_whole: bool = False


class Given(NamedTuple):
    """Clamped values of a level or of one of its parts.

    place: level or part.
    where: its description for messages.
    width: its number of units.
    clamped: values and clamped units, by their indices in the level.
    looks_like_labels: whether the values look like class labels: whole numbers, some above 1, in any type.
    """

    place: Units
    where: str
    width: int
    clamped: ClampedUnits
    looks_like_labels: bool


def read_clamps(
    observation: Observation | None,
    clamp: Clamps | None,
    model: GenerativeModel,
    dtype: jnp.dtype,
) -> list[Given]:
    """Observation and clamps together; raises UserError for wrong ones and for a unit that is given twice."""
    found: list[Given] = []
    for place, one in gather_clamps(observation, clamp, model):
        own = indices(place, model.widths[place.level])
        given = check_clamp(one, place, own, told(place, model), dtype)
        for other in found:
            refuse_twice(given, other, model.names)
        found.append(given)
    return found


def gather_clamps(
    observation: Observation | None, clamp: Clamps | None, model: Named
) -> list[tuple[Units, Clamp]]:
    """Observation and clamps together, by level or part."""
    if clamp is not None and not isinstance(clamp, Mapping):
        raise UserError(
            f"is {type(clamp).__name__}",
            where="clamp",
            expected="a dictionary from levels to values",
        )
    if observation is not None and not isinstance(observation, Mapping):
        observation = {0: observation}
    return [
        (find_units(place, model), one if isinstance(one, Clamp) else Clamp(one))
        for some in (observation or {}, clamp or {})
        for place, one in some.items()
    ]


def refuse_twice(given: Given, other: Given, names: tuple[str, ...]) -> None:
    """Raise a UserError for a level, or a unit, that two clamps give."""
    level = given.place.level
    if other.place.level != level:
        return
    if given.place.units is None and other.place.units is None:
        raise UserError(
            f"level {names[level]!r} is given twice: as the observation or in `clamp`, "
            "not both."
        )
    both = set(given.clamped.units) & set(other.clamped.units)
    if both:
        raise UserError(
            f"unit {min(both)} of level {names[level]!r} is given twice, by {other.where} and by {given.where}."
        )


def check_clamp(
    clamp: Clamp, place: Units, own: np.ndarray, where: str, dtype: jnp.dtype
) -> Given:
    """The clamped values of a level or part; raises UserError for a wrong shape, mask or values that are not finite.

    own: indices of its units in the level.
    """
    width = len(own)
    mask = np.ones(width, bool)
    if clamp.mask is not None:
        mask = read_mask(clamp.mask, width, where=f"clamp of {where}")
    array, missing = read_array(clamp.values, where=where)
    shape = np.shape(array)
    if len(shape) not in (1, 2) or shape[-1] != width:
        raise UserError(
            f"{where} has {width} units: expected shape ({width},) or "
            f"(batch, {width}), got {shape}{label_hint(array, width)}."
        )
    if 0 in shape:
        raise UserError(f"no data for {where}: the batch is empty.")
    if missing is not None:
        mask = mask & ~one_mask(np.atleast_2d(missing), where=f"clamp of {where}")
    units = np.flatnonzero(mask)
    chosen = array[..., units]  # type: ignore[index]
    check_finite(
        chosen,
        where=where,
        expected="finite numbers (mask missing units with pcmodel.Clamp(values, mask))",
    )
    clamped = ClampedUnits(
        to_dtype(chosen, dtype, where=where),
        tuple(int(unit) for unit in own[units]),
        not jnp.issubdtype(array.dtype, jnp.floating),
    )
    return Given(place, where, width, clamped, looks_like_labels(array, width))


def clamped_level(given: Sequence[Given], level: int, dtype: jnp.dtype) -> ClampedUnits:
    """The clamped units of one level, those of its parts together; raises UserError for batches of different sizes."""
    own = [one.clamped for one in given if one.place.level == level]
    if len(own) < 2:
        return own[0] if own else ClampedUnits(np.zeros((0,), dtype), ())
    sizes = {np.shape(one.values)[0] for one in own if np.ndim(one.values) == 2}
    if len(sizes) > 1:
        raise UserError(f"batch sizes disagree: {sorted(sizes)} examples.")
    shape, values = tuple(sizes), [one.values for one in own]
    library: Any = jnp if any(isinstance(each, Tracer) for each in values) else np
    whole = library.concatenate(
        [library.broadcast_to(each, (*shape, each.shape[-1])) for each in values],
        axis=-1,
    )
    units = np.concatenate([np.asarray(one.units, int) for one in own])
    order = np.argsort(units)
    is_whole = all(one.is_whole for one in own)
    return ClampedUnits(
        whole[..., order], tuple(int(unit) for unit in units[order]), is_whole
    )


def check_data(
    likelihood: Likelihood, given: ClampedUnits, name: str, width: int
) -> None:
    """Raise a UserError for discrete data outside the domain of their likelihood."""
    if not given.units:
        return
    is_categorical = isinstance(likelihood, Categorical)
    if is_categorical and len(given.units) != width:
        raise UserError("categorical data cannot be clamped in part.")
    if is_categorical and given.is_whole and np.ndim(given.values) == 1:
        raise UserError(
            f"{width} whole numbers could be labels of {width} examples or one one-hot vector",
            where=f"level {name!r}",
            expected=f"one-hot rows, np.eye({width})[labels], or the vector in floats",
        )
    if isinstance(given.values, Tracer):
        return
    data = np.asarray(given.values)
    if isinstance(likelihood, Bernoulli) and (data.min() < 0 or data.max() > 1):
        raise UserError(
            "Bernoulli data must lie in [0, 1]; got values from "
            f"{data.min():g} to {data.max():g} (scale the images?)."
        )
    if is_categorical and (
        data.min() < 0 or not np.allclose(data.sum(-1), 1, atol=1e-4)
    ):
        raise UserError(
            "categorical data must be one-hot (or probabilities that sum to 1)."
        )


def check_labels(given: Sequence[Given], batch_size: int | None) -> None:
    """Raise a UserError for values that may be one label per example instead of one vector for all of them."""
    for one in given:
        labels = one.clamped.is_whole or one.looks_like_labels
        if np.ndim(one.clamped.values) == 1 and one.clamped.units and labels:
            refuse_labels(one.where, one.width, batch_size)

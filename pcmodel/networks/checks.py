"""Checks of what a network is built from."""

import operator
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short
from pcmodel.inputs.arrays import default_dtype, read_numbers
from pcmodel.inputs.whole_numbers import whole_numbers
from pcmodel.model.generative import chain_parents
from pcmodel.model.likelihood import Gaussian, Likelihood, is_likelihood
from pcmodel.networks.splitting import LayerParts, prediction_shape, split_layers


def check_widths(widths: Any) -> tuple[int, ...]:
    """The widths as integers; raises UserError unless they are positive and there are any."""
    try:
        return whole_numbers(widths, "each of the widths")
    except UserError as error:
        raise UserError(
            f"widths must be positive integers, bottom first; got {widths}: {error}"
        ) from None


def check_graph(
    parents: Any, widths: tuple[int, ...], names: tuple[str, ...]
) -> tuple[tuple[int, ...], ...]:
    """The parents of each level as integers (None: a chain); raises UserError unless levels come before their parents
    and tops come last."""
    if parents is None:
        return chain_parents(len(widths))
    try:
        given = tuple(tuple(map(operator.index, own)) for own in parents)
    except TypeError:
        raise UserError(
            f"is {short(parents)}",
            where="parents",
            expected="for each level the indices of its parents, () for a top",
        ) from None
    if len(given) != len(widths):
        raise UserError(
            f"has {len(given)} entries",
            where="parents",
            expected=f"one for each of the {len(widths)} levels",
        )
    for level, own in enumerate(given):
        for parent in own:
            if not level < parent < len(widths):
                raise UserError(
                    f"level {level} ({names[level]!r}) has parent {parent}, but levels are numbered bottom first: "
                    f"a parent of it is one of {level + 1} to {len(widths) - 1}."
                )
        if len(set(own)) != len(own):
            raise UserError(f"level {level} ({names[level]!r}) names a parent twice.")
    check_tops_last(given, names)
    return given


def check_tops_last(
    parents: tuple[tuple[int, ...], ...], names: tuple[str, ...]
) -> None:
    """Raise a UserError unless the levels without parents come last."""
    tops = [level for level, own in enumerate(parents) if not own]
    if tops != list(range(len(parents) - len(tops), len(parents))):
        raise UserError(
            f"levels {', '.join(repr(names[level]) for level in tops)} have no parents, and levels without parents "
            "come last."
        )


def check_architecture(
    layers: Sequence[nnx.Module],
    widths: tuple[int, ...],
    names: tuple[str, ...],
    parents: tuple[tuple[int, ...], ...],
) -> None:
    """Raise a UserError unless layers, widths and names describe one hierarchy."""
    needed = sum(1 for own in parents if own)
    if len(layers) != needed:
        raise UserError(
            f"{len(widths)} levels need {needed} layers between them, "
            f"got {len(layers)}."
        )
    if len(names) != len(widths) or len(set(names)) != len(names):
        raise UserError(f"expected {len(widths)} different level names, got {names}.")
    for name, place in (("data", 0), ("top", len(names) - 1)):
        if name in names and names.index(name) != place:
            raise UserError(
                f"level {names.index(name)} is called {name!r}, which always means level "
                f"{place}: names are bottom first, got {names}."
            )
    for level, parts in enumerate(split_layers(layers)):
        check_layer(parts, level, widths, names, parents[level])


def check_layer(
    parts: LayerParts,
    level: int,
    widths: tuple[int, ...],
    names: tuple[str, ...],
    parents: tuple[int, ...],
) -> None:
    """Raise a UserError unless a layer predicts its level from the level's parents."""
    dtype = jnp.zeros(()).dtype
    above = [jax.ShapeDtypeStruct((widths[parent],), dtype) for parent in parents]
    try:
        predicted = prediction_shape(parts, *above)
    except Exception as error:  # a custom layer may raise anything
        reason = [*str(error).splitlines(), type(error).__name__][0]
        told = " and ".join(
            f"level {parent} ({names[parent]!r}, {widths[parent]} units)"
            for parent in parents
        )
        raise UserError(f"layer {level} cannot take {told}: {reason}") from error
    if not isinstance(predicted, jax.ShapeDtypeStruct):
        raise UserError(
            f"layer {level} predicts a {type(predicted).__name__}, but level {level} "
            f"({names[level]!r}) is one array of {widths[level]} units."
        )
    if predicted.shape != (widths[level],):
        raise UserError(
            f"layer {level} predicts shape {predicted.shape}, but level {level} "
            f"({names[level]!r}) has {widths[level]} units."
        )
    if not jnp.issubdtype(predicted.dtype, jnp.floating):
        raise UserError(
            f"layer {level} predicts {predicted.dtype} numbers; expected floats, which "
            f"level {level} ({names[level]!r}) is made of."
        )


def check_likelihoods(
    likelihood: Any,
    names: tuple[str, ...],
    parents: tuple[tuple[int, ...], ...],
) -> tuple[Likelihood, ...]:
    """The likelihood of every level; raises UserError for a discrete one above the ends.

    likelihood: of level 0 (the others are Gaussian), or one for each level.
    """
    if isinstance(likelihood, Sequence):
        given = tuple(likelihood)
        if len(given) != len(names):
            raise UserError(
                f"has {len(given)} entries",
                where="likelihood",
                expected=f"one for level 0, or one for each of the {len(names)} levels",
            )
    else:
        given = (likelihood, *([Gaussian()] * (len(names) - 1)))
    inner = {parent for own in parents for parent in own}
    for level, own in enumerate(given):
        if not is_likelihood(type(own)):
            raise UserError(
                f"is {short(own)}",
                where=f"likelihood of level {names[level]!r}",
                expected="Gaussian(), Bernoulli(), Categorical(), or an object with their methods",
            )
        if isinstance(own, Gaussian):
            continue
        if level in inner:
            raise UserError(
                f"level {names[level]!r} is discrete and the parent of other levels; only an end, which nobody has as "
                "parent, can be discrete (its latents have no gradient)."
            )
        if not parents[level] and len(names) > 1:
            raise UserError(
                f"level {names[level]!r} is discrete and has no parents: nothing predicts it."
            )
    return given


def check_precisions(
    log_precisions: Sequence[Any],
    widths: tuple[int, ...],
    names: tuple[str, ...],
    likelihoods: tuple[Likelihood, ...],
) -> list[Any]:
    """Log-precisions as arrays (None for a discrete level), one object where one object was given for several levels;
    raises UserError for wrong shapes."""
    if len(log_precisions) != len(widths):
        raise UserError(
            f"expected {len(widths)} log-precisions (one per level), "
            f"got {len(log_precisions)}."
        )
    checked: list[Any] = []
    for level, (value, width) in enumerate(zip(log_precisions, widths, strict=True)):
        if not isinstance(likelihoods[level], Gaussian):
            checked.append(None)
            continue
        where = f"log-precision of level {names[level]!r}"
        if isinstance(value, nnx.Variable):
            value = value[...]
        array = read_numbers(value, where=where, dtype=default_dtype())
        if array.shape not in ((), (width,), (width, width)):
            raise UserError(
                f"log-precision of level {names[level]!r}: expected shape (), ({width},) or "
                f"({width}, {width}), got {array.shape}."
            )
        checked.append(array)
    return checked


def check_prior_mean(
    prior_mean: ArrayLike | None,
    widths: tuple[int, ...],
    names: tuple[str, ...],
    parents: tuple[tuple[int, ...], ...],
) -> jax.Array:
    """The prior means of the tops, one after another (None: zeros); raises UserError for another number of them."""
    tops = [level for level, own in enumerate(parents) if not own]
    size = sum(widths[level] for level in tops)
    where = " and ".join(f"level {names[level]!r}" for level in tops)
    given = np.zeros(size) if prior_mean is None else prior_mean
    prior = read_numbers(given, where=f"prior mean of {where}", dtype=default_dtype())
    if prior.shape != (size,):
        raise UserError(
            f"prior mean of {where}: expected {size} finite numbers, "
            f"got shape {prior.shape}."
        )
    return jnp.asarray(prior, dtype=float)

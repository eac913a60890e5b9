"""Prior beliefs, by level or part: their checks, and beliefs about whole tops from those about their parts.

A belief about some units of a level that is not a top is a residual of these units alone.  A belief about a part of a
top replaces the prior of that part: it becomes one about the whole top, in which the other units are independent of the
part and keep the network's prior.  Beliefs about several parts of one top become one belief.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pcmodel.errors import UserError
from pcmodel.model.belief import Belief
from pcmodel.model.levels import Units, as_levels, find_units, indices, told
from pcmodel.model.precision import pack_cholesky, unpack_cholesky
from pcmodel.model.problem import Structure
from pcmodel.networks.pure import PureNetwork

Prior = Belief | Sequence[Belief]
"""Prior beliefs; one about a top, or a part of it, replaces the network's prior."""


class About(NamedTuple):
    """A checked belief and what it is about.

    belief: with level indices.
    units: (level, unit) of each of its units, in their order.
    where: its description for messages.
    """

    belief: Belief
    units: tuple[tuple[int, int], ...]
    where: str

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels of which it speaks, ascending."""
        return tuple(sorted({level for level, _ in self.units}))

    def of(self, level: int) -> tuple[int, ...]:
        """The units of one level, in the belief's order."""
        return tuple(unit for own, unit in self.units if own == level)


class Beliefs(NamedTuple):
    """Beliefs about levels, or about some units of levels that are not tops.

    beliefs: with level indices.
    levels: `Structure.beliefs`.
    believed: `Structure.believed`.
    """

    beliefs: tuple[Belief, ...] = ()
    levels: tuple[tuple[int, ...], ...] = ()
    believed: tuple[tuple[tuple[int, ...] | None, ...], ...] = ()


def check_beliefs(prior: Prior | None, pure: PureNetwork) -> Beliefs:
    """The beliefs as inference takes them; raises UserError for invalid levels or shapes."""
    if prior is None:
        return Beliefs()
    given = (prior,) if isinstance(prior, Belief) else tuple(prior)
    for belief in given:
        if not isinstance(belief, Belief):
            raise UserError(
                f"is {type(belief).__name__}",
                where="prior",
                expected="pcmodel.Belief or a list of them",
            )
    found = [check_belief(belief, pure) for belief in given]
    for number, one in enumerate(found):
        for other in found[:number]:
            refuse_both(one, other, pure)
    joined = [about_whole_tops(group, pure) for group in groups_by_top(found, pure)]
    widths = pure.model.widths
    believed = tuple(
        tuple(whole_or_units(one.of(level), widths[level]) for level in one.levels)
        for one in joined
    )
    is_whole = all(units is None for some in believed for units in some)
    return Beliefs(
        tuple(one.belief for one in joined),
        tuple(one.levels for one in joined),
        () if is_whole else believed,
    )


def refuse_unobserved_data(structure: Structure) -> None:
    """Raise a UserError for a belief about discrete units that are not observed: they have probabilities, but no value that
    could be near to what is believed."""
    model = structure.model
    for number in range(len(structure.beliefs)):
        for level, units in structure.believed_units(number).items():
            unknown = set(units.tolist()) - set(structure.clamped[level])
            if level in structure.discrete_levels and unknown:
                parents = ", ".join(model.names[each] for each in model.parents[level])
                raise UserError(
                    f"unit {min(unknown)} is discrete and not observed, and has no value to believe in",
                    where=f"belief about level {model.names[level]!r}",
                    expected=f"a belief about what predicts it ({parents}), or its data in the observation or `clamp`",
                )


def whole_or_units(units: tuple[int, ...], width: int) -> tuple[int, ...] | None:
    """The units, or None if they are those of a whole level in order."""
    return None if units == tuple(range(width)) else units


def check_belief(belief: Belief, pure: PureNetwork) -> About:
    """One belief and its units; raises UserError for other levels, an order that does not ascend, or another shape."""
    model, dtype = pure.model, pure.weights["prior_mean"].dtype
    places = [find_units(place, model) for place in as_levels(belief.levels)]
    units = tuple(
        (place.level, int(unit))
        for place in places
        for unit in indices(place, model.widths[place.level])
    )
    levels = [place.level for place in places]
    if levels != sorted(levels) or len(set(units)) != len(units):
        raise UserError(
            f"a belief's levels must be ascending and different, got {belief.levels}."
        )
    size, shape, mean = len(units), belief.log_precision.shape, belief.mean.shape
    allowed = ((), (size,), (size, size), (*mean[:-1], size, size))
    where = f"belief about {', '.join(called(place, pure) for place in places)}"
    if mean[-1:] != (size,) or len(mean) > 2 or shape not in allowed:
        raise UserError(
            f"{where}: expected a "
            f"mean of {size} units and a matching precision, got shapes "
            f"{mean} and {shape}."
        )
    checked = belief.in_dtype(dtype, tuple(sorted(set(levels))))
    return About(checked, units, where)


def called(place: Units, pure: PureNetwork) -> str:
    """A level's name, or a part in words."""
    return (
        told(place, pure.model)
        if place.units is not None
        else pure.model.names[place.level]
    )


def refuse_both(one: About, other: About, pure: PureNetwork) -> None:
    """Raise a UserError if two beliefs speak of the same units of a top."""
    model = pure.model
    tops = {each for each in one.units if not model.parents[each[0]]}
    both = tops & set(other.units)
    if not both:
        return
    level, unit = min(both)
    whole = all(len(each.of(level)) == model.widths[level] for each in (one, other))
    what = "" if whole else f"unit {unit} of "
    raise UserError(
        f"two beliefs speak of {what}level {model.names[level]!r}, whose prior each would replace: join or drop one."
    )


def groups_by_top(found: Sequence[About], pure: PureNetwork) -> list[list[About]]:
    """The beliefs in groups that speak of the same top, each where its first belief is."""
    groups: list[list[About]] = []
    for one in found:
        tops = {level for level in one.levels if not pure.model.parents[level]}
        sharing = [
            group
            for group in groups
            if any(tops & set(other.levels) for other in group)
        ]
        if not sharing:
            groups.append([one])
            continue
        first, *others = sharing
        for group in others:
            first += group
            groups.remove(group)
        first.append(one)
    return groups


def about_whole_tops(group: Sequence[About], pure: PureNetwork) -> About:
    """One belief for several about parts of the same tops; raises UserError where there is no such belief."""
    model = pure.model
    units = [each for one in group for each in one.units]
    tops = sorted({level for level, _ in units if not model.parents[level]})
    missing = [
        (level, unit)
        for level in tops
        for unit in range(model.widths[level])
        if (level, unit) not in units
    ]
    ordered = [each for each in units if each[0] in tops]
    if len(group) == 1 and not missing and ordered == sorted(ordered):
        return group[0]
    if len(set(units)) != len(units):
        level = next(level for level, unit in units if units.count((level, unit)) > 1)
        raise UserError(
            f"two beliefs about parts of one top both speak of level {model.names[level]!r} as well; expected one joint "
            "belief."
        )
    where = group[0].where
    pieces = [(one.belief.mean, one.belief.log_precision) for one in group]
    for level in tops:
        rest = [unit for other, unit in missing if other == level]
        if rest:
            pieces.append(network_prior(pure, level, rest, where))
    units += missing
    order = sorted(range(len(units)), key=lambda i: place_of(units[i], i, tops))
    levels = tuple(sorted({level for level, _ in units}))
    belief = independent(pieces, order, levels)
    return About(belief, tuple(units[i] for i in order), where)


def place_of(
    unit: tuple[int, int], number: int, tops: Sequence[int]
) -> tuple[int, int]:
    """The order of units in a belief: by level, those of a top as in the top, others as they are given."""
    level, index = unit
    return level, index if level in tops else number


def network_prior(
    pure: PureNetwork, level: int, units: list[int], where: str
) -> tuple[Array, Array]:
    """Prior mean and log-precision of some units of a top; raises UserError if its precision is a full matrix."""
    own = pure.log_precisions[level]
    if own is None or own.ndim == 2:
        name = pure.model.names[level]
        raise UserError(
            f"the prior precision of level {name!r} is a full matrix, which couples the part to the level's other units",
            where=where,
            expected=f"a belief about all of level {name!r}",
        )
    index = np.asarray(units)
    mean = pure.model.predict_level(pure.weights, level, ())
    whole = jnp.broadcast_to(own, (pure.model.widths[level],))
    return mean[index], whole[index]


def independent(
    pieces: Sequence[tuple[Array, Array]],
    order: Sequence[int],
    levels: tuple[int, ...],
) -> Belief:
    """The belief in which several Gaussians, one (mean, log-precision) each, are independent.

    order: of the units, as indices in the concatenated ones.
    """
    batch = {mean.shape[0] for mean, _ in pieces if mean.ndim == 2}
    if len(batch) > 1:
        raise UserError(f"batch sizes disagree: {sorted(batch)} examples.")
    sizes = [mean.shape[-1] for mean, _ in pieces]
    means = [
        jnp.broadcast_to(mean, (*batch, size))
        for (mean, _), size in zip(pieces, sizes, strict=True)
    ]
    mean = jnp.concatenate(means, axis=-1)[..., np.asarray(order)]
    precisions = [
        value if value.ndim > 1 else jnp.broadcast_to(value, (size,))
        for (_, value), size in zip(pieces, sizes, strict=True)
    ]
    if all(value.ndim == 1 for value in precisions):
        flat = jnp.concatenate(precisions)[np.asarray(order)]
        return Belief.unchecked(mean, flat, levels)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    whole = block_diagonal(precisions, (*batch,))
    return Belief.unchecked(mean, reordered(whole, np.asarray(order), owner), levels)


def block_diagonal(blocks: Sequence[Array], batch: tuple[int, ...]) -> Array:
    """Log-precisions (n,), (n, n) or (batch, n, n) as one block-diagonal log-Cholesky matrix."""
    lead = batch if any(block.ndim == 3 for block in blocks) else ()
    size = sum(block.shape[-1] for block in blocks)
    whole = jnp.zeros((*lead, size, size), blocks[0].dtype)
    start = 0
    for block in blocks:
        end = start + block.shape[-1]
        matrix = jnp.diag(block) if block.ndim == 1 else block
        whole = whole.at[..., start:end, start:end].set(
            jnp.broadcast_to(matrix, (*lead, *matrix.shape[-2:]))
        )
        start = end
    return whole


def reordered(log_precision: Array, order: np.ndarray, owner: np.ndarray) -> Array:
    """A block-diagonal log-Cholesky precision, ([batch,] n, n), with its units in another order.

    owner: the block of each unit.
    """
    rows = log_precision[..., order, :]
    blocks = [order[owner[order] == block] for block in set(owner.tolist())]
    if all(np.all(np.diff(block) > 0) for block in blocks):
        # Units of one block keep their order, and others are independent: the factor stays triangular.
        return rows[..., order]
    if log_precision.ndim == 3:
        return jax.vmap(lambda one: reordered(one, order, owner))(log_precision)
    root = unpack_cholesky(log_precision)[order]
    # root root' = R' R with root' = Q R.
    upper: Any = jnp.linalg.qr(root.T, mode="r")
    return pack_cholesky((jnp.sign(jnp.diagonal(upper))[:, None] * upper).T)

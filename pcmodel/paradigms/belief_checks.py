"""Checks of the arguments of a belief course, before anything is traced."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.errors import JAXTypeError

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short
from pcmodel.inputs.arrays import is_traced, read_numbers
from pcmodel.model.generative import GenerativeModel, is_chain
from pcmodel.model.modulation import Modulation, equivalent_gains, transmitted
from pcmodel.model.problem import Problem
from pcmodel.networks.network import Network
from pcmodel.neuromodulation.accounts.accounts import Account, Effects, effects
from pcmodel.neuromodulation.accounts.maps import CORTEX, Anatomy, anatomy
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import Group

FACTORS = ("gains", "slopes", "error_transmission")
SCALARS = {"top_down": 1.0, "temperature": np.inf}
"""Words of a `Modulation` that are one number, and the most each may be."""


def check_problem(problem: Problem, *, is_batched: bool) -> None:
    """UserError for a batch, and for a top level with clamped units."""
    if is_batched:
        raise UserError(
            "believe takes one observation, prior or clamp, not a batch: call it for each."
        )
    structure = problem.structure
    if len(structure.clamped_units(structure.top)):
        raise UserError(
            "has units that are given, so that there is no belief of it to follow",
            where=f"level {structure.model.names[-1]!r}",
            expected="a free top",
        )


def anatomy_for(model: GenerativeModel | Network, given: Anatomy | None) -> Anatomy:
    """The anatomy of a network's levels, with its parents; by default, for four levels, that of the experiments.

    UserError where it is missing, has another number of levels or other parents.
    """
    names, parents = model.names, model.parents
    if given is None and len(names) == len(CORTEX):
        given = anatomy(*CORTEX)
    if given is None or given.num_levels != len(names):
        what = "is missing" if given is None else f"has {given.num_levels} levels"
        raise UserError(
            what,
            where="anatomy",
            expected=f"one network for each of the {len(names)} levels ({', '.join(names)}), bottom first: "
            f"anatomy={_example(len(names))}",
        )
    if given.parents == parents:
        return given
    if given.parents is not None:
        raise UserError(
            f"has the parents {short(given.parents)}",
            where="anatomy",
            expected=f"those of the network, {short(parents)}, or none",
        )
    return given.of(parents)


def _example(levels: int) -> str:
    chosen = [
        *CORTEX[:-1][: levels - 1],
        *["control"] * (levels - len(CORTEX)),
        CORTEX[-1],
    ]
    return f"anatomy({', '.join(map(repr, chosen))})"


def effects_of(drug: Group | Course | Effects, dtype: jnp.dtype) -> Effects:
    """The effects of a drug as finite real arrays of one shape; UserError for others."""
    if not isinstance(drug, Effects):
        drug = effects(drug.course if isinstance(drug, Group) else drug)
    read = [
        read_numbers(each, where=name, dtype=dtype)
        for name, each in drug._asdict().items()
    ]
    try:
        return Effects(*jnp.broadcast_arrays(*read))
    except ValueError:
        shapes = ", ".join(str(np.shape(each)) for each in read)
        raise UserError(
            f"have shapes that do not fit: {shapes}", where="effects", expected="one"
        ) from None


def check_reached(account: Account, felt: Effects) -> None:
    """UserError where a drug acts, but none of the effects on which the account depends is present.

    The result would be taken for a null result.
    """
    needs = account.needs
    if isinstance(needs, str) or not set(needs) <= set(Effects._fields):
        raise UserError(
            f"needs is {needs!r}",
            where=_named(account),
            expected=f"a tuple of some of {', '.join(Effects._fields)}",
        )
    if any(map(is_traced, felt)):
        return
    named = felt._asdict().items()
    acts = {name for name, each in named if np.any(np.asarray(each) != 0)}
    if acts and needs and not acts.intersection(needs):
        raise UserError(
            f"needs {' or '.join(needs)}, which is 0 at all times; what the doses reach is "
            f"{', '.join(sorted(acts))}",
            where=_named(account),
        )


def check_modulations(
    account: Account, places: Anatomy, felt: Effects, model: GenerativeModel
) -> None:
    """UserError unless the account returns a possible modulation of the model for each of the effects, (moments,)."""

    def words(one: Effects) -> dict[str, Any]:
        made = account.modulate(one, places)
        if not isinstance(made, Modulation):
            raise UserError(
                f"modulate returns {short(made)}",
                where=_named(account),
                expected="a pcmodel.Modulation",
            )
        return {
            **{name: dict(getattr(made, name)) for name in FACTORS},
            **{name: jnp.asarray(getattr(made, name)) for name in SCALARS},
        }

    try:
        found = jax.vmap(words)(felt)
    except JAXTypeError:
        raise UserError(
            "modulate looks at the value of an effect",
            where=_named(account),
            expected="operations of jax.numpy, such as jnp.where for a condition",
        ) from None
    for name, values in found.items():
        for level, each in values.items() if name in FACTORS else ((None, values),):
            if not is_traced(each):
                _check_word(account, name, level, np.asarray(each))
    if not is_chain(model):
        _check_paths(found["error_transmission"], model)


def _check_paths(passed: dict[Any, Any], model: GenerativeModel) -> None:
    """UserError where different factors along the paths between two levels have no equivalent gains."""
    if not passed or any(map(is_traced, passed.values())):
        return
    dtype = np.dtype(np.float64)
    for row in np.unique(np.stack([*map(np.asarray, passed.values())], -1), axis=0):
        made = dict(zip(passed, map(float, row), strict=True))
        equivalent_gains(transmitted(made, model, dtype), model, dtype)


def _check_word(account: Account, name: str, level: Any, values: np.ndarray) -> None:
    place = name if level is None else f"{name} of level {level!r}"
    most = SCALARS.get(name)
    if most is not None and values.ndim != 1:
        raise UserError(
            f"makes {place} of shape {values.shape[1:]}",
            where=_named(account),
            expected="one number",
        )
    low = values > 0 if most is None else values >= 0
    good = np.isfinite(values) & low & (values <= (np.inf if most is None else most))
    if not np.all(good):
        wrong = values[~good].flat[0]
        expected = (
            "a positive number" if most is None else f"a number from 0 to {most:g}"
        )
        raise UserError(
            f"makes {place} {wrong:g}", where=_named(account), expected=expected
        )


def _named(account: Account) -> str:
    return f"account {type(account).__name__.lower()}"


def check_hypothesis(
    problem: Problem, holds: Callable[[Array], Any], level: int
) -> None:
    """UserError unless a hypothesis maps a level's activity to one truth value."""
    structure = problem.structure
    if level in structure.discrete_levels:
        raise UserError(
            "is asked about a level of choices, whose probabilities are its mean",
            where="hypothesis",
            expected="a level above",
        )
    width = structure.model.widths[level]
    activity = jax.ShapeDtypeStruct((width,), problem.inputs.gains[0].dtype)
    expected = "a function of jax.numpy from the level's activity, (width,), to one truth value, lambda x: x[0] < 0"
    try:
        found: Sequence[Any] = jax.tree.leaves(jax.eval_shape(holds, activity))
    except (JAXTypeError, TypeError, IndexError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise UserError(
            f"fails ({said})", where="hypothesis", expected=expected
        ) from None
    if len(found) != 1 or found[0].shape != () or found[0].dtype != bool:
        told = (
            ", ".join(f"{each.dtype}{list(each.shape)}" for each in found) or "nothing"
        )
        raise UserError(f"returns {told}", where="hypothesis", expected=expected)

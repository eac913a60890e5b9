"""Checks of the users' arguments, and the inference problem built from them.

Arguments are checked here once, before tracing, and invalid ones raise a `UserError` of one sentence; the code that
receives the problem does not check again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import Numbers, check_finite, is_traced, read_array, to_dtype
from pcmodel.inputs.labels import label_hint, looks_like_labels, refuse_labels
from pcmodel.inputs.masks import one_mask, read_mask
from pcmodel.model.belief import Belief
from pcmodel.model.generative import GenerativeModel, tops_of
from pcmodel.model.levels import LevelName, as_levels, level_index
from pcmodel.model.likelihood import Bernoulli, Categorical, Likelihood
from pcmodel.model.modulation import Modulation, by_index
from pcmodel.model.problem import Inputs, Problem, Structure
from pcmodel.model.slopes import SlopedModel
from pcmodel.networks.network import Network
from pcmodel.networks.pure import PureNetwork, as_model


@dataclass(frozen=True)
class Clamp:
    """Values to which a level, or part of it, is clamped.

    values: (width,) or (batch, width); units under a numpy mask are not clamped, and must be
        the same ones in every example.
    mask: (width,) booleans (or zeros and ones), True where clamped; None clamps the whole level.
        Values where the mask is False are ignored.
    """

    values: ArrayLike
    mask: ArrayLike | None = None


Prior = Belief | Sequence[Belief]
"""Prior beliefs; one about the top level replaces the network's prior."""
Clamps = Mapping[LevelName, ArrayLike | Clamp]
"""Values of levels, or of parts of levels, by name or index."""
Observation = ArrayLike | Mapping[LevelName, ArrayLike | Clamp]
"""Values of level 0, or of several levels by name or index."""
UNMODULATED = Modulation()


class Batching(NamedTuple):
    """Which arrays of a problem have a leading batch axis (static).

    values: for the clamped values of each level.
    beliefs: for the mean and the precision of each belief.
    """

    values: tuple[bool, ...]
    beliefs: tuple[tuple[bool, bool], ...]

    @property
    def is_batched(self) -> bool:
        """Whether any array has a batch axis."""
        return any(self.values) or any(mean for mean, _ in self.beliefs)

    def arrays(self, problem: Problem) -> tuple[Array, ...]:
        """The arrays that have a batch axis."""
        leaves = jax.tree.leaves((problem.inputs.values, problem.inputs.beliefs))
        flags = jax.tree.leaves(tuple(self))
        return tuple(
            leaf for leaf, batched in zip(leaves, flags, strict=True) if batched
        )

    def with_arrays(self, problem: Problem, arrays: Sequence[Array]) -> Problem:
        """The problem with these in place of `arrays(problem)`."""
        own, inputs = iter(arrays), problem.inputs
        leaves, tree = jax.tree.flatten((inputs.values, inputs.beliefs))
        flags = jax.tree.leaves(tuple(self))
        values, beliefs = tree.unflatten(
            next(own) if batched else leaf
            for leaf, batched in zip(leaves, flags, strict=True)
        )
        inputs = inputs._replace(values=values, beliefs=beliefs)
        return Problem(problem.structure, inputs)


class Posed(NamedTuple):
    """A checked problem.

    problem: inference problem.
    batching: which of its arrays have a batch axis.
    is_tempered: whether a modulation changes the gain of a discrete level; None if that is unknown because a gain is
        traced.
    """

    problem: Problem
    batching: Batching
    is_tempered: bool | None = False

    @property
    def batch_size(self) -> int | None:
        """Number of examples, None for a single one."""
        batched = self.batching.arrays(self.problem)
        return batched[0].shape[0] if batched else None


def pose(
    network: Network | PureNetwork,
    observation: Observation | None = None,
    *,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
) -> Posed:
    """Check the arguments of `pcmodel.infer` and build the problem; raises UserError for invalid ones."""
    pure = as_model(network) if isinstance(network, Network) else network
    if not isinstance(pure, PureNetwork):
        raise UserError(f"expected a pcmodel network, got {type(network).__name__}.")
    model = pure.model
    dtype = pure.weights["prior_mean"].dtype
    clamps = gather_clamps(observation, clamp, model.names)
    given = [
        check_clamp(clamps.get(level), model.names[level], width, dtype)
        for level, width in enumerate(model.widths)
    ]
    for level, likelihood in enumerate(model.likelihoods):
        check_data(likelihood, given[level], model.names[level], model.widths[level])
    values = [jnp.asarray(each.values, dtype) for each in given]
    units = [each.units for each in given]
    beliefs = check_beliefs(prior, model, dtype)
    levels = tuple(
        tuple(level_index(level, model.names) for level in belief.levels)
        for belief in beliefs
    )
    if modulation is not None and not isinstance(modulation, Modulation):
        raise UserError(
            f"is {type(modulation).__name__}",
            where="modulation",
            expected="pcmodel.Modulation(gains by level) or pcmodel.relax(level, gain)",
        )
    gains = UNMODULATED.resolve(model.names, model.widths, dtype)
    structure = Structure(model, tuple(units), levels)
    inputs = Inputs(pure.weights, pure.log_precisions, gains, tuple(values), beliefs)
    problem = under_modulation(Problem(structure, inputs), modulation)
    batching = Batching(
        tuple(value.ndim == 2 for value in values),
        tuple((b.mean.ndim == 2, b.log_precision.ndim == 3) for b in beliefs),
    )
    tempered = is_tempered(problem.structure, modulation)
    posed = Posed(problem, batching, tempered)
    check_batch(posed)
    for each, name, width in zip(given, model.names, model.widths, strict=True):
        labels = each.is_whole or each.looks_like_labels
        if np.ndim(each.values) == 1 and each.units and labels:
            refuse_labels(name, width, posed.batch_size)
    return posed


def is_tempered(structure: Structure, modulation: Modulation | None) -> bool | None:
    """`Posed.is_tempered`, from the user's arguments, because under jit the gains of the problem are traced."""
    if modulation is None or not structure.is_discrete:
        return False
    given = dict(by_index(modulation.gains, structure.model.names))
    gains = [given.get(level, 1.0) for level in structure.discrete_levels]
    if any(map(is_traced, gains)):
        return None
    return any(bool(np.any(np.asarray(gain) != 1)) for gain in gains)


def under_modulation(problem: Problem, modulation: Modulation | None) -> Problem:
    """A problem with a modulation's gains and, if it changes activation slopes, a wrapped model.

    Raises UserError for a modulation of activity (top_down or temperature), which does not affect the mode.
    """
    if modulation is None:
        return problem
    if modulation.acts_on_activity:
        raise UserError(
            "this modulation changes activity around the mode (top_down or temperature), "
            "which inference does not describe: use pcmodel.activity, or pass "
            "modulation.in_inference()."
        )
    structure, inputs = problem.structure, problem.inputs
    model, weights = structure.model, inputs.weights
    names, widths, dtype = model.names, model.widths, inputs.gains[0].dtype
    inputs = inputs._replace(gains=modulation.resolve(names, widths, dtype))
    slopes = modulation.resolve_slopes(names, widths, dtype)
    if slopes is not None:
        structure = replace(structure, model=SlopedModel(model))
        inputs = inputs._replace(weights={"network": weights, "slopes": slopes})
    return Problem(structure, inputs)


def gather_clamps(
    observation: Observation | None,
    clamp: Clamps | None,
    names: tuple[str, ...],
) -> dict[int, Clamp]:
    """Observation and clamps together, by level index; raises UserError for a level that is given twice."""
    clamps: dict[int, Clamp] = {}
    if clamp is not None and not isinstance(clamp, Mapping):
        raise UserError(
            f"is {type(clamp).__name__}",
            where="clamp",
            expected="a dictionary from levels to values",
        )
    if observation is not None and not isinstance(observation, Mapping):
        observation = {0: observation}
    for some in (observation or {}, clamp or {}):
        for level, given in some.items():
            index = level_index(level, names)
            if index in clamps:
                raise UserError(
                    f"level {names[index]!r} is given twice: as the observation or in `clamp`, "
                    "not both."
                )
            clamps[index] = given if isinstance(given, Clamp) else Clamp(given)
    return clamps


class ClampedUnits(NamedTuple):
    """Clamped values of one level.

    values: ([batch,] number of clamped units).
    units: indices of the clamped units.
    is_whole: whether the values were given as integers or booleans.
    looks_like_labels: whether they look like class labels: whole numbers, some above 1, in any type.
    """

    values: Numbers
    units: tuple[int, ...]
    is_whole: bool = False
    looks_like_labels: bool = False


def check_clamp(
    clamp: Clamp | None, name: str, width: int, dtype: jnp.dtype
) -> ClampedUnits:
    """The clamped values of one level; raises UserError for a wrong shape, mask or values that are not finite."""
    if clamp is None:
        return ClampedUnits(np.zeros((0,), dtype), ())
    where = f"level {name!r}"
    mask = np.ones(width, bool)
    if clamp.mask is not None:
        mask = read_mask(clamp.mask, width, where=f"clamp of {where}")
    array, missing = read_array(clamp.values, where=where)
    shape = np.shape(array)
    if len(shape) not in (1, 2) or shape[-1] != width:
        raise UserError(
            f"level {name!r} has {width} units: expected shape ({width},) or "
            f"(batch, {width}), got {shape}{label_hint(array, width)}."
        )
    if 0 in shape:
        raise UserError(f"no data for level {name!r}: the batch is empty.")
    if missing is not None:
        mask = mask & ~one_mask(np.atleast_2d(missing), where=f"clamp of {where}")
    units = np.flatnonzero(mask)
    chosen = array[..., units]  # type: ignore[index]
    check_finite(
        chosen,
        where=where,
        expected="finite numbers (mask missing units with pcmodel.Clamp(values, mask))",
    )
    return ClampedUnits(
        to_dtype(chosen, dtype, where=where),
        tuple(int(unit) for unit in units),
        not jnp.issubdtype(array.dtype, jnp.floating),
        looks_like_labels(array, width),
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


def check_beliefs(
    prior: Prior | None,
    model: GenerativeModel,
    dtype: jnp.dtype,
) -> tuple[Belief, ...]:
    """The beliefs with levels as ascending indices; raises UserError for invalid levels or shapes."""
    if prior is None:
        return ()
    given = (prior,) if isinstance(prior, Belief) else tuple(prior)
    for belief in given:
        if not isinstance(belief, Belief):
            raise UserError(
                f"is {type(belief).__name__}",
                where="prior",
                expected="pcmodel.Belief or a list of them",
            )
    names, widths, tops = model.names, model.widths, tops_of(model)
    checked, seen = [], set()
    for belief in given:
        levels = tuple(level_index(level, names) for level in as_levels(belief.levels))
        if list(levels) != sorted(set(levels)):
            raise UserError(
                f"a belief's levels must be ascending and different, got {belief.levels}."
            )
        twice = seen & set(levels) & set(tops)
        if twice:
            raise UserError(
                f"two beliefs speak of level {names[min(twice)]!r}, whose prior each would replace: join or drop one."
            )
        seen |= set(levels)
        size = sum(widths[level] for level in levels)
        allowed = ((), (size,), (size, size))
        shape, mean = np.shape(belief.log_precision), np.shape(belief.mean)
        one_each = (*mean[:-1], size, size)
        if mean[-1:] != (size,) or len(mean) > 2 or shape not in (*allowed, one_each):
            raise UserError(
                f"belief about {', '.join(names[level] for level in levels)}: expected a "
                f"mean of {size} units and a matching precision, got shapes "
                f"{mean} and {shape}."
            )
        checked.append(belief.in_dtype(dtype, levels))
    return tuple(checked)


def check_batch(posed: Posed) -> None:
    """Raise a UserError unless all batched arrays have the same number of examples."""
    sizes = {array.shape[0] for array in posed.batching.arrays(posed.problem)}
    if len(sizes) > 1:
        raise UserError(f"batch sizes disagree: {sorted(sizes)} examples.")

"""Checks of the users' arguments, and the inference problem built from them.

Arguments are checked here once, before tracing, and invalid ones raise a `UserError` of one sentence; the code that
receives the problem does not check again.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pcmodel.api.posing.beliefs import (
    Prior,
    check_beliefs,
    refuse_unobserved_data,
)
from pcmodel.api.posing.clamps import (
    ClampedUnits,
    Clamps,
    Observation,
    check_data,
    check_labels,
    clamped_level,
    read_clamps,
)
from pcmodel.api.posing.own_likelihoods import check_likelihood
from pcmodel.errors import UserError
from pcmodel.inputs.arrays import constant, is_traced
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Inputs, Problem, Structure
from pcmodel.model.slopes import Factors, with_factors
from pcmodel.networks.network import Network
from pcmodel.networks.pure import PureNetwork, as_model

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
    given = read_clamps(observation, clamp, model, dtype)
    clamped = [clamped_level(given, level, dtype) for level in range(len(model.widths))]
    for level, likelihood in enumerate(model.likelihoods):
        name, width = model.names[level], model.widths[level]
        check_data(likelihood, clamped[level], name, width)
        check_likelihood(likelihood, clamped[level].units, width, name)
    values = tuple(values_of(each, dtype) for each in clamped)
    beliefs, levels, believed = check_beliefs(prior, pure)
    if modulation is not None and not isinstance(modulation, Modulation):
        raise UserError(
            f"is {type(modulation).__name__}",
            where="modulation",
            expected="pcmodel.Modulation(gains by level) or pcmodel.relax(level, gain)",
        )
    gains = UNMODULATED.resolve(model, dtype)
    units = tuple(each.units for each in clamped)
    structure = Structure(model, units, levels, believed)
    refuse_unobserved_data(structure)
    inputs = Inputs(pure.weights, pure.log_precisions, gains, values, beliefs)
    problem = under_modulation(Problem(structure, inputs), modulation)
    batching = Batching(
        tuple(value.ndim == 2 for value in values),
        tuple((b.mean.ndim == 2, b.log_precision.ndim == 3) for b in beliefs),
    )
    tempered = is_tempered(problem, modulation)
    posed = Posed(problem, batching, tempered)
    check_batch(posed)
    check_labels(given, posed.batch_size)
    return posed


def values_of(clamped: ClampedUnits, dtype: jnp.dtype) -> Array:
    """The clamped values of a level on the device; those of all levels that are free are one array."""
    if np.shape(clamped.values) == (0,):
        return constant(0.0, (0,), dtype)
    return jnp.asarray(clamped.values, dtype)


def is_tempered(problem: Problem, modulation: Modulation | None) -> bool | None:
    """`Posed.is_tempered`, from the user's arguments, because under jit the gains of the problem are traced."""
    structure = problem.structure
    if modulation is None or not structure.is_discrete:
        return False
    dtype = problem.inputs.gains[0].dtype
    numbers = modulation.numbers(structure.model, dtype)
    gains = [numbers[level] for level in structure.discrete_levels]
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
    model, dtype = problem.structure.model, problem.inputs.gains[0].dtype
    gains = modulation.resolve(model, dtype)
    return with_factors(
        problem, Factors(gains, modulation.resolve_slopes(model, dtype))
    )


def check_batch(posed: Posed) -> None:
    """Raise a UserError unless all batched arrays have the same number of examples."""
    sizes = {array.shape[0] for array in posed.batching.arrays(posed.problem)}
    if len(sizes) > 1:
        raise UserError(f"batch sizes disagree: {sorted(sizes)} examples.")

"""`linear_em`: exact EM of linear-Gaussian hierarchies."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.api.learning.train import learning_factors, modulation_arrays
from pcmodel.api.pose import Clamps, Observation, pose
from pcmodel.errors import UserError
from pcmodel.inference.linear.equation import is_quadratic
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import PositiveShare
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.learning.linear.linear_em import linear_em_steps
from pcmodel.learning.linear.maximisation import Plan, Regression
from pcmodel.learning.linear.moments import Parameters
from pcmodel.model.generative import tops_of
from pcmodel.model.levels import LevelName, level_indices
from pcmodel.model.modulation import Modulation
from pcmodel.networks.layers.additive import Additive
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model, tied_precisions, with_arrays
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits
from pcmodel.runtime.tracing import refuse_tracing


class LinearEmResult(NamedTuple):
    """The result of exact EM.

    network: with the learned parameters, a copy.
    log_evidence: log p(data) of all examples before each step and after the last, nats, of the modulated network under a
        modulation; never falls but by rounding.
    """

    network: Network
    log_evidence: Float[np.ndarray, " steps_and_one"]


@checked_arguments
def linear_em(
    network: Network,
    observations: Observation,
    *,
    clamp: Clamps | None = None,
    num_steps: SupportsIndex = 50,
    rate: PositiveShare = 1.0,
    modulation: Modulation | None = None,
    fixed_layers: LevelName | Sequence[LevelName] = (),
    fixed_precisions: LevelName | Sequence[LevelName] = (),
    fixed_prior_means: LevelName | Sequence[LevelName] = (),
) -> LinearEmResult:
    """Learn layers, precisions and prior means of a linear-Gaussian hierarchy by exact EM, without a gauge.

    observations: values of level 0, (examples, width), or of several levels by name; see `pcmodel.at_steps` for series.
    clamp: values of further levels.
    num_steps: EM steps, each exact.
    rate: weight of the data in each step, in (0, 1]; the rest is what the present network expects (stepwise EM; see
        `pcmodel.learning.linear.maximisation`). 1 is EM; at any rate the evidence never falls, and data that say nothing
        move nothing.
    modulation: the drug under which the data are experienced: latents are inferred under its gains, slopes and error
        transmission, and precisions, which are stored as they are without it, learned from gain times squared error.
        Its plasticity multiplies the rate, up to 1 (0: nothing moves). None, or neutral: none, bit for bit.
    fixed_layers: levels whose layer (and that of all levels that share it) is not learned.
    fixed_precisions: levels whose precision is not learned.
    fixed_prior_means: tops whose prior mean is not learned.

    Every learned layer is made of `Dense` maps without activation; the scale of hidden levels is left as EM finds it
    (see `pcmodel.learning.gauge`).

    Raises UserError for networks and data that do not fit, for a modulation of activity around the mode (top_down,
    temperature), and if a precision grows without bound (data that a level fits exactly).
    """
    refuse_tracing(
        "linear_em",
        jax.tree.leaves(network),
        (observations, clamp, rate, modulation_arrays(modulation)),
        why="it checks its result",
    )
    steps = whole_number(num_steps, "num_steps")
    pure, posed = as_model(network), pose(network, observations, clamp=clamp)
    structure, names = posed.problem.structure, pure.model.names
    if not is_quadratic(posed.problem):
        raise UserError(
            "this network is nonlinear or has discrete data",
            where="linear_em",
            expected="a linear network with Gaussian levels; pcmodel.train learns the others",
        )
    examples = posed.batch_size or 1
    units = sum(pure.model.widths)
    check_fits(units, units + examples, what="linear_em's moments")
    values = tuple(
        jnp.broadcast_to(value, (examples, value.shape[-1]))
        for value in posed.problem.inputs.values
    )
    if not any(structure.clamped):
        raise UserError(
            "there are no data",
            where="linear_em",
            expected="observations, or values of a level in `clamp`",
        )
    plan = linear_plan(
        network,
        fixed_layers=fixed_layers,
        fixed_precisions=fixed_precisions,
        fixed_prior_means=fixed_prior_means,
    )
    dtype = pure.weights["prior_mean"].dtype
    factors = learning_factors(modulation, pure, dtype)
    plastic = 1.0 if modulation is None else float(np.asarray(modulation.plasticity))
    share = min(rate * plastic, 1.0)
    found, evidence = _run(
        Parameters(pure.weights, pure.log_precisions),
        values,
        structure=structure,
        plan=plan,
        num_steps=steps,
        rate=None if share == 1 else jnp.asarray(share, dtype),
        factors=factors,
    )
    _check_finite(found, np.asarray(evidence), names)
    return LinearEmResult(with_arrays(network, *found), np.asarray(evidence))


def linear_plan(
    network: Network,
    *,
    fixed_layers: LevelName | Sequence[LevelName] = (),
    fixed_precisions: LevelName | Sequence[LevelName] = (),
    fixed_prior_means: LevelName | Sequence[LevelName] = (),
) -> Plan:
    """What exact EM learns of a network; arguments and errors as for `linear_em`."""
    kept = level_indices(fixed_prior_means, network, where="fixed_prior_means")
    layers = level_indices(fixed_layers, network, where="fixed_layers")
    precisions = level_indices(fixed_precisions, network, where="fixed_precisions")
    return Plan(
        _regressions(network, layers),
        _precision_groups(network, precisions),
        tuple(level for level in tops_of(as_model(network).model) if level not in kept),
    )


_run = partial(jax.jit, static_argnames=("structure", "plan", "num_steps"))(
    in_full_precision(linear_em_steps)
)


def _regressions(network: Network, fixed: Sequence[int]) -> tuple[Regression, ...]:
    """The layers of a network, each with all levels that use it."""
    users: dict[int, list[int]] = {}
    for level, layer in enumerate(network.layers):
        users.setdefault(id(layer), []).append(level)
    found = []
    for levels in users.values():
        layer, name = network.layers[levels[0]], network.names[levels[0]]
        maps = _dense_maps(layer)
        if len(maps) < len(network.parents[levels[0]]):
            raise UserError(
                f"the layer of level {name!r} is no sum of dense maps without activation and scaling",
                where="linear_em",
                expected="layers of pcmodel.Dense with the identity as activation",
            )
        parents = tuple(network.parents[level] for level in levels)
        _check_precisions(network, levels)
        found.append(
            Regression(
                tuple(levels),
                parents,
                tuple(network.widths[parent] for parent in parents[0]),
                any(own.bias is not None for own in maps),
                not set(levels) & set(fixed),
            )
        )
    _check_shared(network, found)
    return tuple(found)


def _dense_maps(layer: object) -> list[Dense]:
    """The dense maps of a layer; fewer than it has parents if it contains anything else."""
    maps = list(layer.maps) if isinstance(layer, Additive) else [layer]
    return [
        one
        for one in maps
        if type(one) is Dense
        and one.activation is identity
        and one.scaling.multiplier == 1
    ]


def _check_precisions(network: Network, levels: Sequence[int]) -> None:
    """Raise a UserError if levels share a layer, but have different precisions of which one is full."""
    held = [network.log_precision[level] for level in levels]
    if len({id(one) for one in held}) > 1 and any(
        one is not None and one.ndim == 2 for one in held
    ):
        raise UserError(
            f"levels {', '.join(repr(network.names[level]) for level in levels)} share a layer and have different "
            "precisions, of which one is a full matrix",
            where="linear_em",
            expected="one shared precision, or precisions of single units",
        )


def _check_shared(network: Network, regressions: Sequence[Regression]) -> None:
    """Raise a UserError if different layers share an array."""
    holders: dict[int, int] = {}
    for one in regressions:
        layer = network.layers[one.levels[0]]
        for own in _dense_maps(layer):
            for array in (own.weight, own.bias):
                if array is None:
                    continue
                if holders.setdefault(id(array), one.levels[0]) != one.levels[0]:
                    raise UserError(
                        f"different layers share an array (of level {network.names[one.levels[0]]!r})",
                        where="linear_em",
                        expected="levels that share whole layers",
                    )


def _precision_groups(
    network: Network, fixed: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """The groups of levels with one precision that is learned."""
    groups = list(tied_precisions(network))
    tied = {level for group in groups for level in group}
    groups += [(level,) for level in range(len(network.widths)) if level not in tied]
    return tuple(group for group in groups if not set(group) & set(fixed))


def _check_finite(
    found: Parameters,
    evidence: Float[Array, " steps"] | np.ndarray,
    names: Sequence[str],
) -> None:
    if np.all(np.isfinite(evidence)):
        return
    sizes = [
        np.inf
        if value is None
        else float(np.max(np.nan_to_num(np.asarray(value), nan=np.inf)))
        for value in found.log_precisions
    ]
    raise UserError(
        f"the evidence is no finite number after {int(np.argmin(np.isfinite(evidence)))} steps; the largest precision is "
        f"that of level {names[int(np.argmax(sizes))]!r}",
        where="linear_em",
        expected="data that no level fits exactly; fix its precision (fixed_precisions)",
    )

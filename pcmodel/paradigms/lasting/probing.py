"""What is read of a belief on one day: the belief itself, and how evidence would revise it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.api.pose import Clamps, Observation, pose
from pcmodel.errors import UserError
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.model.modulation import Modulation
from pcmodel.model.precision import factor, unwhiten
from pcmodel.model.problem import Problem
from pcmodel.networks.network import Network
from pcmodel.networks.pure import PureNetwork
from pcmodel.paradigms.belief_checks import check_problem
from pcmodel.paradigms.revision import revise
from pcmodel.runtime.contents import Static
from pcmodel.runtime.matmul_precision import in_full_precision


@checked_arguments
@dataclass(frozen=True, eq=False)
class Probe:
    """Evidence that is presented on every day that is read, from which nothing is learned.

    observation: one example, as for `pcmodel.infer`.
    clamp: as for `pcmodel.infer`; the top must be free.
    modulation: under which it is met; None: sober.
    """

    observation: Observation | None
    clamp: Clamps | None = None
    modulation: Modulation | None = None


class ProbeReading(NamedTuple):
    """What one probe meets.

    revision: of the top (of several, the last), 0: the belief stays, 1: that of the evidence (`revision`).
    mean: of the top after it, (top,).
    belief: probability of the hypothesis after it, from draws of its Gaussian posterior; NaN without a hypothesis.
    converged: whether inference converged.
    """

    revision: Float[Array, ""]
    mean: Float[Array, " top"]
    belief: Float[Array, ""]
    converged: Array


def problem_for(probe: Probe, network: PureNetwork) -> Problem:
    """The inference problem of a probe; raises UserError for a batch, a clamped top and other invalid ones."""
    posed = pose(
        network, probe.observation, clamp=probe.clamp, modulation=probe.modulation
    )
    check_problem(posed.problem, is_batched=posed.batching.is_batched)
    return posed.problem


def read_probe(
    problem: Problem,
    key: Array,
    hypothesis: Callable[[Array], Any] | None,
    solver: Solver,
) -> ProbeReading:
    """The answer to one probe; the draws of a hypothesis are the same for every call with one key."""
    found = _revised(problem, key, solver=Static(solver))
    belief = jnp.full((), jnp.nan, found.mode.dtype)
    if hypothesis is not None:
        root = jnp.linalg.cholesky(found.covariance)
        belief = share_of_draws(hypothesis, found.mode, root, key)
    return ProbeReading(found.revision, found.mode, belief, found.converged)


@partial(jax.jit, static_argnames=("solver",))
@in_full_precision
def _revised(problem: Problem, key: Array, *, solver: Static[Solver]):
    return revise(problem, key, solver=solver.value, num_samples=2)


def prior_belief(
    network: PureNetwork, hypothesis: Callable[[Array], Any] | None, key: Array
) -> Float[Array, ""]:
    """Probability of the hypothesis under the prior of the last top, from draws; NaN without a hypothesis."""
    mean, _ = last_top(network)
    if hypothesis is None:
        return jnp.full((), jnp.nan, mean.dtype)
    value, width = network.log_precisions[-1], mean.shape[0]
    assert value is not None
    own = factor(value, jnp.ones((), mean.dtype), width)
    root = jax.vmap(partial(unwhiten, own))(jnp.eye(width, dtype=mean.dtype)).T
    return share_of_draws(hypothesis, mean, root, key)


def last_top(network: PureNetwork) -> tuple[Array, Array]:
    """Prior mean of the last top, and the log of its precision, (top,); of a full one the diagonal of its factor, squared."""
    width, value = network.model.widths[-1], network.log_precisions[-1]
    assert value is not None
    log = jnp.diagonal(value) if value.ndim == 2 else value
    return network.weights["prior_mean"][-width:], jnp.broadcast_to(log, (width,))


NUM_DRAWS = 2000
"""Draws by which the probability of a hypothesis is estimated: its standard error is at most 0.011."""


def share_of_draws(
    hypothesis: Callable[[Array], Any], mean: Array, root: Array, key: Array
) -> Float[Array, ""]:
    """Share of draws of N(mean, R R') for which the hypothesis holds."""
    noise = jax.random.normal(key, (NUM_DRAWS, mean.shape[0]), mean.dtype)
    draws = mean[None] + noise @ root.T
    return jnp.mean(jax.vmap(lambda one: jnp.asarray(hypothesis(one), bool))(draws))


def check_hypothesis_of(
    hypothesis: Callable[[Array], Any] | None, network: Network
) -> None:
    """Raise a UserError unless a hypothesis gives one truth value for the last top's activity."""
    if hypothesis is None:
        return
    width = network.widths[-1]
    try:
        shape = jax.eval_shape(
            lambda top: jnp.asarray(hypothesis(top)), jnp.zeros((width,))
        )
    except Exception as error:  # whatever a user's function may raise
        raise UserError(
            f"fails for the activity of {width} units ({type(error).__name__})",
            where="hypothesis",
            expected="a function of the top's activity in jax, such as lambda top: top[0] < 0",
        ) from error
    if shape.shape != () or shape.dtype != np.dtype(bool):
        raise UserError(
            f"gives {shape.dtype} of shape {shape.shape}",
            where="hypothesis",
            expected="one truth value, such as lambda top: top[0] < 0",
        )


def probes_by_name(probes: Any) -> dict[str, Probe]:
    """The probes by name; a sequence is named by its numbers."""
    if isinstance(probes, Probe):
        return {"0": probes}
    if isinstance(probes, Sequence):
        return {str(number): probe for number, probe in enumerate(probes)}
    return dict(probes)

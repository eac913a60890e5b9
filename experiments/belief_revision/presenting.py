"""Presenting evidence to many beliefs at once."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pcmodel.api.batching import over_examples
from pcmodel.api.infer import run_inference
from pcmodel.api.pose import Batching, pose
from pcmodel.api.posterior import Posterior
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.model.belief import Belief
from pcmodel.model.modulation import Modulation
from pcmodel.model.precision import covariance_to_log_precision
from pcmodel.model.problem import Problem
from pcmodel.networks.pure import PureNetwork
from pcmodel.paradigms.revision import Revision, revise
from pcmodel.report.laplace import LaplaceSummary

QUICK = {"xla_backend_optimization_level": 1}
"""Compiled in two thirds of the time; these programs run for less than they compile."""
SOLVER = GaussNewton(tolerance=1e-8, max_iterations=60)
"""Far tighter than any effect reported; a case that does not reach it is counted."""


class Beliefs(NamedTuple):
    """Beliefs about the top: mean (cases, top), log-precision (cases, top, top) in full form.

    Always full and always as many cases, so that every presentation of a network runs the same
    compiled code.
    """

    mean: Array
    log_precision: Array

    @classmethod
    def of(cls, mean: Array, precision: float | Array) -> "Beliefs":
        """One precision for all, equal in every direction."""
        cases, width = mean.shape
        full = jnp.log(jnp.asarray(precision, mean.dtype)) * jnp.eye(
            width, dtype=mean.dtype
        )
        return cls(mean, jnp.broadcast_to(full, (cases, width, width)))


def present(
    network: PureNetwork,
    beliefs: Beliefs,
    images: np.ndarray | None,
    *,
    key: Array,
    modulation: Modulation | None = None,
    num_samples: int = 512,
) -> Revision:
    """Present one image to each belief; every field has a leading axis of cases."""
    prior = Belief(beliefs.mean, beliefs.log_precision, ("top",))
    posed = pose(network, images, prior=prior, modulation=modulation)
    keys = jax.random.split(key, beliefs.mean.shape[0])
    return _present(
        posed.problem, keys, batching=posed.batching, num_samples=num_samples
    )


@partial(jax.jit, static_argnames=("batching", "num_samples"), compiler_options=QUICK)
def _present(
    problem: Problem, keys: Array, *, batching: Batching, num_samples: int
) -> Revision:
    one = partial(revise, solver=SOLVER, num_samples=num_samples)
    return over_examples(one, problem, keys, batching=batching)


def diagnose_cases(
    network: PureNetwork,
    beliefs: Beliefs,
    images: np.ndarray,
    *,
    key: Array,
    modulations: tuple[Modulation | None, ...],
    num_samples: int = 500,
) -> LaplaceSummary:
    """How far the Laplace posteriors of these cases are from the posterior, under every modulation."""
    prior = Belief(beliefs.mean, beliefs.log_precision, ("top",))
    found = []
    for modulation in modulations:
        posed = pose(network, images, prior=prior, modulation=modulation)
        held = Posterior(posed, run_inference(posed, SOLVER))
        found.append(held.diagnose(key, num_samples))
    return LaplaceSummary.of(found)


@jax.jit
def posterior_beliefs(revision: Revision) -> Beliefs:
    """The posteriors as the priors of the next presentation."""
    precision = jax.vmap(covariance_to_log_precision)(revision.covariance)
    return Beliefs(revision.mode, precision)


def as_float64(network: PureNetwork) -> PureNetwork:
    """The network's arrays in double precision (inside `jax.enable_x64`)."""
    cast = partial(
        jax.tree.map, lambda leaf: jnp.asarray(np.asarray(leaf), jnp.float64)
    )
    return PureNetwork(
        network.model, cast(network.weights), cast(network.log_precisions)
    )


def stack(revisions: list[Revision]) -> Revision:
    """Revisions along a new leading axis, as numpy."""
    return jax.tree.map(
        lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *revisions
    )

r"""The E-step by persistent Markov chains: draws from the exact posterior.

Where predictions are nonlinear, Laplace draws bias every precision learned from them.  `Hmc` keeps a few Markov
chains for every example, started from Laplace draws, and moves each by one trajectory when its example is visited:
between visits the network changes little, so the chains stay near its posterior (stochastic approximation EM with
MCMC, Kuhn & Lavielle 2004; persistent chains, Tieleman 2008).

All chains share a step size and a mass, tuned while they run: the step size towards a target acceptance (Robbins &
Monro), the mass from gradients.  Under the posterior $E[\nabla U \nabla U^\top] = E[\nabla^2 U]$, so the running mean of
the gradients' outer products estimates the mean curvature over examples without second derivatives (Titsias 2023,
Fisher adaptive Langevin sampling).
"""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from pcmodel.inference.hmc import hmc_step, init_hmc, log_step_change, potential_of
from pcmodel.inference.linear.dual_primal import ConjugateGradient
from pcmodel.inference.posterior import whitened_samples
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.start import start_of
from pcmodel.inference.whitened import unroll
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, InnerShare, Positive, ShareBelowOne
from pcmodel.learning.e_step import Expectation, Memory, no_number, sweep_start
from pcmodel.model.linalg import cholesky, solve_lower
from pcmodel.model.problem import Problem

MOST_BATCHES = 3120
"""Batches after which the gain of the tuning stays constant, at 1/25 of the first: the posterior keeps changing while
the network learns."""
MEMORY = 0.05
"""Weight of a batch in the running curvature, after the first batches."""
RIDGE = 1e-2
"""Multiple of the identity that is added to the running curvature."""


class ExampleChains(NamedTuple):
    """The chains of one example.

    whitened: present point of each chain, in whitened units.
    started: whether the example has been visited.
    """

    whitened: Float[Array, "chains free"]
    started: Bool[Array, ""]


class SharedTuning(NamedTuple):
    """Tuning parameters that all chains share.

    log_step_size: logarithm of the step size, in whitened units.
    curvature: running mean of the gradients' outer products, (free, free), or of their squares where the metric is
        diagonal, (free,).
    batches: number of batches so far.
    unvisited: upper bound on the number of examples not visited yet.
    """

    log_step_size: Float[Array, ""]
    curvature: Array
    batches: Float[Array, ""]
    unvisited: Float[Array, ""]


@checked_arguments
@dataclass(frozen=True)
class Hmc:
    """Persistent Hamiltonian Monte Carlo in whitened coordinates.

    num_chains: independent chains per example; with two or more `NaturalGradient` can separate the scores'
        spread between examples from the chains' noise.
    num_trajectories: trajectories of each chain per visit; the last point is the draw.
    num_leapfrog: leapfrog steps of a trajectory (1: Metropolis-adjusted Langevin).
    step_size: initial step size in whitened units, then tuned to `target_acceptance`.
    target_acceptance: mean acceptance probability that the step size is tuned to.
    jitter: relative half-width of the random variation of the step size; see `hmc_step`.
    full_metric: largest number of free units with a full mass matrix; it is diagonal for more.
    start: solver of the modes at which an example's chains begin.

    Chains store whitened errors, so that the latents change with a precision.  Full batches move all chains at
    every step; in small batches a chain lags by the learning since its last visit.
    """

    num_chains: Count = 2
    num_trajectories: Count = 1
    num_leapfrog: Count = 8
    step_size: Positive = 0.3
    target_acceptance: InnerShare = 0.8
    jitter: ShareBelowOne = 0.3
    full_metric: int = 256
    start: Solver = GaussNewton(
        ConjugateGradient(), max_iterations=10, tolerance=1e-1, checked=False
    )
    learns_precision: ClassVar[bool] = True

    def init(self, problem: Problem, num_examples: int, key: Array) -> Memory:
        """Memory with chains that have not started and the initial tuning."""
        del key
        start = sweep_start(problem)
        free, dtype = start.shape[0], start.dtype
        shape = (free, free) if free <= self.full_metric else (free,)
        chains = jnp.zeros((num_examples, self.num_chains, free), dtype)
        curvature = jnp.broadcast_to(jnp.eye(free, dtype=dtype), (free, free))
        return Memory(
            ExampleChains(chains, jnp.zeros((num_examples,), bool)),
            SharedTuning(
                jnp.asarray(np.log(self.step_size), dtype),
                curvature if len(shape) == 2 else jnp.ones(shape, dtype),
                jnp.zeros((), dtype),
                jnp.asarray(num_examples, dtype),
            ),
        )

    def expect(
        self, problem: Problem, key: Array, own: Any = (), shared: Any = ()
    ) -> tuple[Expectation, Any]:
        """The next point of every chain of one example, and the chains."""
        start_key, key = jax.random.split(key)
        # The predicate is the same for a whole batch, so modes are computed only while some examples are new.
        first = jax.lax.cond(
            shared.unvisited > 0,
            lambda: self.begin(problem, start_key, own),
            lambda: own.whitened,
        )
        root, potential = metric_root(shared.curvature), potential_of(problem)
        step_size = jnp.exp(shared.log_step_size)

        def move(whitened: Array, key: Array):
            def step(state, key):
                return hmc_step(
                    potential,
                    key,
                    state,
                    step_size=step_size,
                    num_leapfrog=self.num_leapfrog,
                    root=root,
                    jitter=self.jitter,
                )

            keys = jax.random.split(key, self.num_trajectories)
            state, infos = jax.lax.scan(step, init_hmc(potential, whitened), keys)
            return state, jnp.mean(infos.acceptance)

        keys = jax.random.split(key, self.num_chains)
        state, acceptance = jax.vmap(move)(first, keys)
        latents = jax.vmap(lambda z: unroll(problem, z).latents)(state.whitened)
        found = Expectation(
            latents, no_number(acceptance), jnp.mean(acceptance), state.gradient
        )
        return found, ExampleChains(state.whitened, jnp.ones((), bool))

    def begin(self, problem: Problem, key: Array, own: ExampleChains) -> Array:
        """Where the chains start: Laplace draws at the first visit of an example, else their present points."""
        mode = self.start.minimise(problem, start_of(problem))
        draws = whitened_samples(
            problem,
            mode.whitened,
            key,
            self.num_chains,
            linear_solver=ConjugateGradient(),
        )
        return jnp.where(own.started, own.whitened, draws)

    def adapt(self, shared: Any, batch: Expectation) -> Any:
        """Tuning after a batch: step size moved towards the target acceptance, curvature towards the batch's."""
        examples = batch.acceptance.shape[0]
        acceptance, number = (
            jnp.mean(batch.acceptance),
            jnp.minimum(shared.batches, MOST_BATCHES),
        )
        change = log_step_change(acceptance, self.target_acceptance, number)
        weight = jnp.maximum(MEMORY, 1 / (1 + shared.batches))
        gradients = batch.gradient.reshape(-1, batch.gradient.shape[-1])
        if shared.curvature.ndim == 2:
            seen = gradients.T @ gradients / gradients.shape[0]
        else:
            seen = jnp.mean(gradients**2, axis=0)
        return SharedTuning(
            shared.log_step_size + change,
            (1 - weight) * shared.curvature + weight * seen,
            shared.batches + 1,
            jnp.maximum(shared.unvisited - examples, 0),
        )


def metric_root(curvature: Array) -> Array:
    """R with R R' the inverse of the curvature plus `RIDGE` times the identity (its diagonal if that is given)."""
    if curvature.ndim == 1:
        return 1 / jnp.sqrt(curvature + RIDGE)
    identity = jnp.eye(curvature.shape[0], dtype=curvature.dtype)
    lower = cholesky(curvature + RIDGE * identity)
    return solve_lower(lower, identity).T

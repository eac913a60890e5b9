"""`complete` and `log_likelihood`: predictive draws and likelihoods of nonlinear networks."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pcmodel.api.batching import MOST_EXAMPLES, keys_of, run_over_examples
from pcmodel.api.pose import Clamps, Observation, pose
from pcmodel.api.posing.clamps import Clamp
from pcmodel.errors import UserError
from pcmodel.inference.ais import annealed_log_likelihood
from pcmodel.inference.mcmc import HmcOptions, run_chain
from pcmodel.inference.whitened import unroll
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.energy import predict_latent
from pcmodel.model.levels import find_units
from pcmodel.model.problem import Problem
from pcmodel.networks.network import Network
from pcmodel.runtime.memory import check_fits
from pcmodel.runtime.tracing import refuse_derivatives

REJECTIONS = "its chains accept or reject, which has no derivative (differentiate posterior(...).sample or .log_evidence)"
"""Why draws by Hamiltonian Monte Carlo cannot be differentiated."""


class LogLikelihood(NamedTuple):
    """Estimated log-likelihood of each example; every field is (batch,), or a scalar for a single example.

    log_likelihood: estimate of log p(data), nats, on average below it.
    effective_sample_size: of the `num_particles` weights; near 1 means that more steps are needed.
    acceptance: mean acceptance probability of the transitions.
    """

    log_likelihood: Array
    effective_sample_size: Array
    acceptance: Array


@checked_arguments
def log_likelihood(
    network: Network,
    observations: Observation,
    *,
    key: Array,
    num_steps: int = 50,
    num_particles: int = 16,
    clamp: Clamps | None = None,
) -> LogLikelihood:
    """Log-likelihood by annealed importance sampling, for linear and nonlinear networks.

    observations: level 0, (width_0,) or (batch, width_0).
    num_steps: temperatures of each annealing run.
    num_particles: independent annealing runs per example.
    clamp: values of further levels; the result is then the joint log density of all clamped values.

    The estimate of p(data) is unbiased and that of log p(data) a stochastic lower bound (`pcmodel.inference.ais`),
    which becomes tighter with `num_steps`.  For linear-Gaussian networks `posterior(...).log_evidence` is exact.
    Raises UserError for input that does not fit the network.
    """
    key = check_key(key)
    num_steps = whole_number(num_steps, "num_steps")
    num_particles = whole_number(num_particles, "num_particles")
    check_fits(num_particles, sum(network.widths), what="num_particles particles")
    check_fits(num_steps, what="num_steps temperatures")
    if observations is None:
        raise UserError("is None", where="observations", expected="data, level 0")
    posed = pose(network, observations, clamp=clamp)
    problem = refuse_derivatives("log_likelihood", posed.problem, why=REJECTIONS)
    found = run_over_examples(
        annealed_log_likelihood,
        problem,
        keys_of(posed, key),
        batching=posed.batching,
        at_once=MOST_EXAMPLES,
        num_steps=num_steps,
        num_particles=num_particles,
    )
    return LogLikelihood(*found)


@checked_arguments
def complete(
    network: Network,
    values: ArrayLike,
    mask: ArrayLike,
    *,
    key: Array,
    num_samples: int = 100,
    sampling: HmcOptions | None = None,
    clamp: Clamps | None = None,
) -> Array:
    """Predictive draws of level 0's missing units given the others: (num_samples, [batch,] width_0).

    values: (width_0,) or (batch, width_0).
    mask: (width_0,), False where units are missing and `values` ignored; units under a numpy mask are missing too.
    sampling: options of Hamiltonian Monte Carlo.
    clamp: values of other levels.

    The latents are drawn from the posterior by Hamiltonian Monte Carlo and the missing units with their own noise, so
    that quantiles are predictive intervals; observed units keep their values.  Raises UserError for input that does
    not fit the network and if no unit is missing.
    """
    key, num_samples = check_key(key), whole_number(num_samples, "num_samples")
    check_fits(num_samples, sum(network.widths), what="num_samples draws")
    clamps = clamp or {}
    if any(find_units(place, network).level == 0 for place in clamps):
        raise UserError(
            f"level {network.names[0]!r} is given twice: as `values` and in `clamp`."
        )
    posed = pose(network, clamp={**clamps, 0: Clamp(values, mask)})
    if len(posed.problem.structure.clamped[0]) == network.widths[0]:
        raise UserError("nothing to complete: the mask marks every unit as given.")
    problem = refuse_derivatives("complete", posed.problem, why=REJECTIONS)
    draws = run_over_examples(
        _complete_one,
        problem,
        keys_of(posed, key),
        batching=posed.batching,
        at_once=MOST_EXAMPLES,
        num_samples=num_samples,
        sampling=sampling or HmcOptions(),
    )
    return jnp.swapaxes(draws, 0, 1) if posed.batching.is_batched else draws


def _complete_one(
    problem: Problem, key: Array, *, num_samples: int, sampling: HmcOptions
) -> Array:
    structure = problem.structure
    chain_key, data_key = jax.random.split(key)
    chain = run_chain(problem, chain_key, num_samples, sampling)

    def draw(whitened: Array, key: Array) -> Array:
        latents = unroll(problem, whitened).latents
        if 0 not in structure.discrete_levels:
            return latents[0]
        drawn = structure.likelihood(0).sample(key, predict_latent(problem, 0, latents))
        units = structure.clamped_units(0)
        return drawn.at[units].set(problem.inputs.values[0])

    return jax.vmap(draw)(chain.whitened, jax.random.split(data_key, num_samples))

"""`infer`, `posterior`, `sample`, `predict` and `reconstruct`.

Each takes a `Network`, checks its arguments, and runs one jitted function of pure arrays.  Results have a leading batch
axis if the arguments have one (see `InferenceResult.is_batched`).
"""

from functools import partial
from typing import SupportsIndex

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pcmodel.api.batching import run_over_examples
from pcmodel.api.initial import check_start
from pcmodel.api.pose import Clamps, Posed, Prior, pose
from pcmodel.api.posterior import Posterior
from pcmodel.errors import UserError
from pcmodel.inference.infer import InferenceResult, infer_one
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.options import check_made
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.whitened import unroll, whitened_from_latents
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.energy import predictions
from pcmodel.model.generative import predict_down
from pcmodel.model.levels import Level, level_index
from pcmodel.model.likelihood import Gaussian
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.networks.network import Network, as_model
from pcmodel.runtime.contents import Static
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits


@checked_arguments
def infer(
    network: Network,
    observation: ArrayLike | None = None,
    *,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
    initial: Latents | None = None,
) -> InferenceResult:
    """The most probable latents given the clamped values (the mode of their posterior).

    observation: level 0, shape (width_0,) or (batch, width_0); None leaves it free. Units under a
        numpy mask are missing, and must be the same ones in every example.
    prior: prior belief(s); one about the top level replaces the network's prior.
    modulation: precision gains by level name; None: all gains 1.
    clamp: values of other levels, or parts of levels (`Clamp`), by name.
    solver: `GaussNewton()` (default), `Exact()` (linear-Gaussian networks), `StateDescent(...)`,
        `ErrorDescent(...)`.
    initial: latents to start from, one array per level, (width,) or (batch, width); clamped units
        start at their clamped values. None: start at (or, for nonlinear networks, close to) the top-down sweep.

    Raises UserError for input that does not fit the network.  Failure to converge raises no error: check
    `converged` and `residual`.  Differentiable (implicitly) with respect to every array.
    """
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    return run_inference(posed, solver, initial)


@checked_arguments
def posterior(
    network: Network,
    observation: ArrayLike | None = None,
    *,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
    initial: Latents | None = None,
) -> Posterior:
    """The Gauss-Newton Laplace posterior at the mode; arguments as for `infer`."""
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    return Posterior(posed, run_inference(posed, solver, initial))


def run_inference(
    posed: Posed, solver: Solver | None = None, initial: Latents | None = None
) -> InferenceResult:
    """`infer` for a checked problem."""
    solver = solver or GaussNewton()
    check_made(
        solver, "minimise", "solver", "an object such as GaussNewton() or Exact()"
    )
    problem, batching, start = posed.problem, posed.batching, None
    if initial is not None:
        latents = check_start(posed, initial)
        start = run_over_examples(
            whitened_from_latents, problem, latents, batching=batching
        )
    return run_over_examples(
        mode_of, problem, start, batching=batching, solver=Static(solver)
    )


def mode_of(
    problem: Problem, start: Array | None = None, *, solver: Static[Solver]
) -> InferenceResult:
    """The mode of one example, searched from whitened errors (None: `pcmodel.inference.start.start_of`)."""
    return infer_one(problem, solver.value, start)


@checked_arguments
def sample(
    network: Network,
    key: Array,
    num_samples: SupportsIndex = 1,
    *,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
) -> Latents:
    """Ancestral draws from the generative model: one array per level, bottom first, (num_samples, width).

    Levels above a clamped unit are not conditioned on it; use `posterior(...).sample` for conditional draws.
    Raises UserError for a batch and for input that does not fit the network.
    """
    key, num_samples = check_key(key), whole_number(num_samples, "num_samples")
    check_fits(num_samples, sum(network.widths), what="num_samples draws")
    posed = pose(network, prior=prior, modulation=modulation, clamp=clamp)
    if posed.batching.is_batched:
        raise UserError("sample takes one prior or clamp, not a batch.")
    return _sample(posed.problem, key, num_samples=num_samples)


@partial(jax.jit, static_argnames=("num_samples",))
@in_full_precision
def _sample(problem: Problem, key: Array, *, num_samples: int) -> Latents:
    structure = problem.structure

    def draw(sample_key: Array) -> Latents:
        noise_key, data_key = jax.random.split(sample_key)
        dtype = problem.inputs.gains[0].dtype
        noise = jax.random.normal(noise_key, (structure.num_free,), dtype)
        latents = unroll(problem, noise).latents
        if structure.is_discrete and not structure.clamped[0]:
            logits = predictions(problem, latents)[0]
            data = structure.discrete.sample(data_key, logits)
            latents = (data, *latents[1:])
        return latents

    return jax.vmap(draw)(jax.random.split(key, num_samples))


@checked_arguments
def predict(network: Network, latent: ArrayLike, *, level: Level = "top") -> Array:
    """Mean of the data predicted from the latents of one level with zero errors below, ([batch,] width_0).

    latent: (width,) or (batch, width) of `level`.

    Raises UserError for another shape or an unknown level.
    """
    pure = as_model(network)
    index = level_index(level, pure.model.names)
    where = f"level {pure.model.names[index]!r}"
    value = read_numbers(latent, where=where, dtype=pure.weights["prior_mean"].dtype)
    width = pure.model.widths[index]
    if value.ndim not in (1, 2) or value.shape[-1] != width or not value.size:
        raise UserError(
            f"{where} has {width} units: expected shape "
            f"({width},) or (batch, {width}), got {value.shape}."
        )
    value = jnp.asarray(value)

    def down(above: Array) -> Array:
        above = predict_down(pure.model, pure.weights, above, level=index)
        likelihood = pure.model.likelihood
        if isinstance(likelihood, Gaussian) or index == 0:
            return above
        return likelihood.mean(above)

    return jax.vmap(down)(value) if value.ndim == 2 else down(value)


@checked_arguments
def reconstruct(
    network: Network,
    observation: ArrayLike | None = None,
    *,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
) -> Array:
    """Mean of level 0 predicted from the inferred level 1, ([batch,] width_0); arguments as for `infer`.

    Units of level 0 that are not clamped are predicted too.
    """
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    latent = run_inference(posed, solver).latents[1]
    return predict(network, dim(network, latent, modulation), level=1)


def dim(network: Network, latent: Array, modulation: Modulation | None) -> Array:
    """The latents of level 1 multiplied by the modulation's activation slopes."""
    model = as_model(network).model
    given = modulation or Modulation()
    slopes = given.resolve_slopes(model.names, model.widths, latent.dtype)
    if slopes is None:
        return latent
    return latent * jnp.broadcast_to(slopes[1], latent.shape[-1:]).reshape(
        (1,) * (latent.ndim - 1) + latent.shape[-1:]
    )

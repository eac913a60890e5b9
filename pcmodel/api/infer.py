"""`infer`, `posterior`, `sample`, `predict` and `reconstruct`.

Each takes a `Network`, checks its arguments, and runs one jitted function of pure arrays.  Results have a leading batch
axis if the arguments have one (see `InferenceResult.is_batched`).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, SupportsIndex

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pcmodel.api.batching import run_over_examples
from pcmodel.api.initial import check_start
from pcmodel.api.pose import Clamps, Observation, Posed, Prior, pose
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
from pcmodel.model.energy import by_level, predict_latent
from pcmodel.model.generative import GenerativeModel, predict_down
from pcmodel.model.levels import LevelName, Units, find_level, find_units, indices
from pcmodel.model.likelihood import Gaussian
from pcmodel.model.linalg import take
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model
from pcmodel.runtime.contents import Static
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits


@checked_arguments
def infer(
    network: Network,
    observation: Observation | None = None,
    *,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
    initial: Latents | None = None,
) -> InferenceResult:
    """The most probable latents given the clamped values (the mode of their posterior).

    observation: level 0, shape (width_0,) or (batch, width_0); None leaves it free. Units under a
        numpy mask are missing, and must be the same ones in every example. A mapping by name gives several
        levels or parts, such as all ends of a hierarchy.
    prior: prior belief(s); one about a top, or a part of it, replaces the network's prior.
    modulation: precision gains by level or part; None: all gains 1.
    clamp: values of other levels or parts, or of some of their units (`Clamp`), by name.
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
    observation: Observation | None = None,
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
    check_solver(solver)
    problem, batching, start = posed.problem, posed.batching, None
    if initial is not None:
        latents = check_start(posed, initial)
        start = run_over_examples(
            whitened_from_latents, problem, latents, batching=batching
        )
    return run_over_examples(
        mode_of, problem, start, batching=batching, solver=Static(solver)
    )


def check_solver(solver: Solver) -> None:
    """UserError unless it is an object with the method of a solver."""
    check_made(
        solver, "minimise", "solver", "an object such as GaussNewton() or Exact()"
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
        return with_data(problem, latents, data_key)

    return jax.vmap(draw)(jax.random.split(key, num_samples))


def with_data(problem: Problem, latents: Latents, key: Array) -> Latents:
    """The latents with draws in place of the means of the units of discrete levels that are not observed."""
    structure = problem.structure
    unknown = [
        level
        for level in structure.discrete_levels
        if len(structure.clamped[level]) < structure.model.widths[level]
    ]
    keys = [key] if len(unknown) == 1 else jax.random.split(key, len(unknown))
    drawn = dict(enumerate(latents))
    for level, own in zip(unknown, keys, strict=True):
        logits = predict_latent(problem, level, latents)
        units = structure.clamped_units(level)
        whole = structure.likelihood(level).sample(own, logits)
        drawn[level] = whole.at[units].set(problem.inputs.values[level])
    return by_level(drawn)


@checked_arguments
def predict(
    network: Network,
    latent: ArrayLike | Mapping[LevelName, ArrayLike],
    *,
    level: LevelName = "top",
    target: LevelName = 0,
) -> Array:
    """Mean of the data predicted from the latents of one level with zero errors below, ([batch,] width of `target`).

    latent: (width,) or (batch, width) of `level`; or a mapping from several levels to theirs. Tops that are not
        given, and are needed, are at their prior means.
    level: level of the latents, if they are not a mapping.
    target: level or part whose mean is predicted; by default level 0.

    Raises UserError for another shape or an unknown level.
    """
    pure = as_model(network)
    dtype = pure.weights["prior_mean"].dtype
    place = find_units(target, pure.model)
    index, units = place.level, indices(place, pure.model.widths[place.level])
    given: dict[int, Array] = {}
    for one, value in (
        latent.items() if isinstance(latent, Mapping) else ((level, latent),)
    ):
        number = find_level(one, pure.model, where="predict")
        given[number] = check_latent(value, pure.model, number, dtype)
    batched = {number for number, value in given.items() if value.ndim == 2}
    if len({given[number].shape[0] for number in batched}) > 1:
        sizes = ", ".join(str(given[number].shape[0]) for number in sorted(batched))
        raise UserError(f"batch sizes disagree: {sizes} examples.")

    def down(given: dict[int, Array]) -> Array:
        found = predict_down(pure.model, pure.weights, given, target=index)
        likelihood = pure.model.likelihoods[index]
        if isinstance(likelihood, Gaussian) or index in given:
            return found
        return likelihood.mean(found)

    if not batched:
        return take(down(given), units)
    axes = {number: 0 if number in batched else None for number in given}
    return jax.vmap(lambda some: take(down(some), units), in_axes=(axes,))(given)


def check_latent(
    latent: ArrayLike, model: GenerativeModel, level: int, dtype: Any
) -> Array:
    """Latents of one level as an array; raises UserError for another shape."""
    where = f"level {model.names[level]!r}"
    value, width = read_numbers(latent, where=where, dtype=dtype), model.widths[level]
    if value.ndim not in (1, 2) or value.shape[-1] != width or not value.size:
        raise UserError(
            f"{where} has {width} units: expected shape "
            f"({width},) or (batch, {width}), got {value.shape}."
        )
    return jnp.asarray(value)


@checked_arguments
def reconstruct(
    network: Network,
    observation: Observation | None = None,
    *,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
    target: LevelName = 0,
) -> Array:
    """Mean of level 0 (or of the level or part `target`) predicted from its inferred parents, ([batch,] units); else as
    `infer`.

    Units that are not clamped are predicted too.
    """
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    found = run_inference(posed, solver)
    return run_over_examples(
        predicted_mean,
        posed.problem,
        found.latents,
        batching=posed.batching,
        place=find_units(target, network),
    )


def predicted_mean(problem: Problem, latents: Latents, *, place: Units) -> Array:
    """Predicted mean of one level, or some of its units, from the latents of its parents."""
    structure, level = problem.structure, place.level
    predicted = predict_latent(problem, level, latents)
    if level in structure.discrete_levels:
        predicted = structure.likelihood(level).mean(predicted)
    return take(predicted, indices(place, structure.model.widths[level]))

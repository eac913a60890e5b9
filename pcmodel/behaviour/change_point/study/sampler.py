"""NUTS on a flat vector, started from and preconditioned by a Laplace approximation.

NumPyro's model gives the potential, NumPyro's NUTS kernel the transitions. Two things
are added: the mass matrix starts from the Hessian at the mode (its eigenvalues floored,
for a hierarchy's mode need not be convex) and is renewed once from a pilot run, which
makes trajectories several times shorter than the usual warm-up does; and the data are
arguments of the compiled functions, so that every agent and every simulated data set of
one size is served by one compilation. Chains are vectorised and sampling runs in chunks from
a Python loop.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float
from numpyro.infer.hmc import hmc
from numpyro.infer.util import constrain_fn, potential_energy, unconstrain_fn
from scipy.optimize import minimize

from pcmodel.behaviour.sampling.chains import num_chunks

HELD_CURVATURE = 10.0  # about ten people fix a log spread to a third
TARGET_ACCEPT = 0.8
FIRST_STEP = 0.15  # where warm-up starts, in units of the mass matrix
STEP_GAIN = 2.0
PILOT_WEIGHT = 0.7
DIFFERENCE = 1e-4  # step of the Hessian's central differences
CURVATURE_FLOOR = 0.5  # in standard-normal coordinates the prior alone gives 1


class Draws(NamedTuple):
    """Posterior draws with what the sampler met, axes (chains, draws)."""

    sites: dict[str, np.ndarray]
    diverging: np.ndarray
    num_steps: np.ndarray
    accept_prob: np.ndarray


class Sampler(NamedTuple):
    """Compiled pieces for one model and one data size."""

    centre: Float[Array, " size"]  # where the mode is sought
    free: Float[np.ndarray, " size"]  # 0 where a coordinate is held meanwhile, else 1
    slope: Callable  # (vectors, arguments) -> potentials and their gradients
    start: Callable
    advance: Callable
    constrain: Callable
    num_warmup: int


def build_sampler(
    model: Callable,
    arguments: tuple,
    initial: dict[str, Any],
    *,
    held: tuple[str, ...] = (),
    num_warmup: int,
    max_tree_depth: int = 6,
) -> Sampler:
    """NUTS for fits of `model` to data shaped like `arguments`.

    `held` names sites kept at their initial value while the mode is sought: a spread's
    joint mode is at zero.
    """
    place = jax.jit(lambda args: unconstrain_fn(model, args, {}, initial))(arguments)
    flat, unravel = ravel_pytree(place)
    free, _ = ravel_pytree(
        {name: jnp.full_like(v, name not in held) for name, v in place.items()}
    )

    def potential_of(*args):
        # Compiling the potential once more for the start alone would take seconds: there
        # (no arguments) something flat stands in, and `slope` gives what is true.
        if not args:
            return jnp.sum
        return lambda vector: potential_energy(model, args, {}, unravel(vector))

    start_kernel, step_kernel = hmc(potential_fn_gen=potential_of, algo="NUTS")
    slope = jax.vmap(
        lambda vector, args: jax.value_and_grad(potential_of(*args))(vector), (0, None)
    )

    def start(key, mode, covariance):
        place_key, kernel_key = jax.random.split(key)
        root = jnp.linalg.cholesky(covariance)
        return start_kernel(
            mode + root @ jax.random.normal(place_key, mode.shape),
            num_warmup=0,
            step_size=FIRST_STEP,
            adapt_step_size=False,
            adapt_mass_matrix=False,
            dense_mass=True,
            inverse_mass_matrix=covariance,
            max_tree_depth=max_tree_depth,
            model_args=(),
            rng_key=kernel_key,
        )

    def advance(state, args, steps):
        def step(carry, _):
            carry = step_kernel(carry, args, {})
            return carry, (carry.z, carry.diverging, carry.num_steps, carry.accept_prob)

        return jax.lax.scan(step, state, steps)

    def constrain(vector, args):
        return constrain_fn(model, args, {}, unravel(vector), return_deterministic=True)

    return Sampler(
        centre=flat,
        free=np.asarray(free),
        slope=jax.jit(slope),
        start=jax.jit(jax.vmap(start, (0, None, None))),
        advance=jax.jit(jax.vmap(advance, (0, None, None))),
        constrain=jax.jit(jax.vmap(jax.vmap(constrain, (0, None)), (0, None))),
        num_warmup=num_warmup,
    )


def find_mode(
    sampler: Sampler, arguments: tuple, batch: int
) -> tuple[Float[Array, " size"], Float[Array, "size size"]]:
    """Mode and inverse Hessian of the free coordinates; held ones stay apart.

    L-BFGS and central differences on the one compiled slope, which takes `batch` vectors at
    a time: second derivatives would cost more to compile than to run.
    """
    free = sampler.free

    def value_and_slope(vector: np.ndarray) -> tuple[float, np.ndarray]:
        values, slopes = sampler.slope(np.tile(vector, (batch, 1)), arguments)
        return float(values[0]), free * np.asarray(slopes[0], float)

    found = minimize(
        value_and_slope, np.asarray(sampler.centre), jac=True, method="L-BFGS-B"
    )
    mode = np.asarray(found.x, sampler.centre.dtype)
    curvature = _curvature(sampler, arguments, mode, batch)
    values, vectors = np.linalg.eigh(0.5 * (curvature + curvature.T))
    values = np.maximum(values, CURVATURE_FLOOR)
    return jnp.asarray(mode), jnp.asarray((vectors / values[None, :]) @ vectors.T)


def _curvature(
    sampler: Sampler, arguments: tuple, mode: np.ndarray, batch: int
) -> Float[np.ndarray, "size size"]:
    """Central differences of the slope, `batch` of them at a time."""
    nudges = DIFFERENCE * np.eye(len(mode))
    nudges = np.concatenate([nudges, -nudges])
    padded = np.resize(nudges, (-(-len(nudges) // batch) * batch, len(mode)))
    slopes = [
        np.asarray(sampler.slope(mode + part, arguments)[1])
        for part in padded.reshape(-1, batch, len(mode))
    ]
    rising, falling = np.split(np.concatenate(slopes)[: len(nudges)], 2)
    curvature = (rising - falling) * sampler.free[:, None] / (2.0 * DIFFERENCE)
    return curvature * sampler.free + np.diag(HELD_CURVATURE * (1.0 - sampler.free))


def run_sampler(
    sampler: Sampler,
    arguments: tuple,
    key: Array,
    *,
    num_chains: int,
    num_samples: int,
    num_pilot: int = 0,
    chunk: int = 20,
    advance: Callable[[], None] = lambda: None,
) -> Draws:
    """Warm up and sample, calling `advance()` after each chunk.

    With `num_pilot` > 0 a pilot of that many draws first replaces the Laplace mean and
    covariance by the chains' own, shrunk towards Laplace.
    """
    pilot_key, key = jax.random.split(key)
    mode, covariance = find_mode(sampler, arguments, num_chains)
    run = partial(_run_chains, sampler, arguments, num_chains, chunk, advance)
    if num_pilot:
        vectors = run(pilot_key, mode, covariance, num_pilot)[0]
        flat = vectors.reshape(-1, vectors.shape[-1])
        mode = jnp.asarray(flat.mean(axis=0))
        own = np.cov(flat.T)
        covariance = jnp.asarray(
            PILOT_WEIGHT * own + (1.0 - PILOT_WEIGHT) * np.asarray(covariance)
        )
    vectors, *info = run(key, mode, covariance, num_samples)
    sites = jax.device_get(sampler.constrain(jnp.asarray(vectors), arguments))
    return Draws(sites, *info)


def _run_chains(
    sampler: Sampler,
    arguments: tuple,
    num_chains: int,
    chunk: int,
    advance: Callable[[], None],
    key: Array,
    mode: Array,
    covariance: Array,
    num_samples: int,
) -> list[np.ndarray]:
    keys = jax.random.split(key, num_chains)
    states = sampler.start(keys, mode, covariance)
    potentials, slopes = sampler.slope(states.z, arguments)
    states = states._replace(potential_energy=potentials, z_grad=slopes)
    kept, steps = [], jnp.zeros(chunk)
    num_adapting = num_chunks(sampler.num_warmup, chunk)
    for i in range(num_adapting + num_chunks(num_samples, chunk)):
        states, info = sampler.advance(states, arguments, steps)
        info = jax.device_get(info)
        if i < num_adapting:
            states = _adapt(states, info[3], gain=STEP_GAIN / np.sqrt(i + 1.0))
        else:
            kept.append(info)
        advance()
    return [np.concatenate(p, axis=1)[:, :num_samples] for p in zip(*kept, strict=True)]


def _adapt(states: Any, accept_prob: np.ndarray, *, gain: float) -> Any:
    """Robbins-Monro on the log step size, one step size for all chains.

    Shared over chains and never reset, it settles within a few chunks, where dual
    averaging per chain in windows needs hundreds of draws.
    """
    surplus = accept_prob.mean() - TARGET_ACCEPT
    new = states.adapt_state.step_size * float(np.exp(gain * surplus))
    return states._replace(adapt_state=states.adapt_state._replace(step_size=new))

"""NUTS on a flat vector, started from and preconditioned by a Laplace approximation.

NumPyro's model gives the potential, NumPyro's NUTS kernel the transitions. Three things
are added: every transition is followed by a jump offered to each participant (see
`refresh`); the mass matrix starts from the Hessian at the mode (its eigenvalues floored,
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
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float
from numpyro.infer.hmc import hmc
from numpyro.infer.util import constrain_fn, potential_energy, unconstrain_fn

from pcmodel.behaviour.refresh import (
    MAX_CENTRES,
    Kernels,
    fit_kernels,
    refresh_people,
)

MODE_STEPS = 400
MODE_RATE = 0.03
HELD_CURVATURE = 10.0  # about ten people fix a log spread to a third
TARGET_ACCEPT = 0.8
FIRST_STEP = 0.15  # where warm-up starts, in units of the mass matrix
STEP_GAIN = 2.0
PILOT_WEIGHT = 0.7
OFFER_WIDTH = 1.5  # of the first jumps offered, in SDs of the Laplace approximation
DIFFERENCE = 1e-4  # step of the Hessian's central differences
CURVATURE_FLOOR = 0.5  # in standard-normal coordinates the prior alone gives 1


class Draws(NamedTuple):
    """Posterior draws with what the sampler met, axes (chains, draws)."""

    sites: dict[str, np.ndarray]
    diverging: np.ndarray
    num_steps: np.ndarray
    accept_prob: np.ndarray
    refreshed: np.ndarray  # share of participants who took the place they were offered


class Sampler(NamedTuple):
    """Compiled pieces for one model and one data size."""

    find_mode: Callable
    start: Callable
    advance: Callable
    constrain: Callable
    num_warmup: int
    columns: np.ndarray  # (size, participants): where the vector holds their places


def build_sampler(
    model: Callable,
    arguments: tuple,
    initial: dict[str, Any],
    *,
    held: tuple[str, ...] = (),
    people: tuple[str, Callable],
    num_warmup: int,
    max_tree_depth: int = 6,
) -> Sampler:
    """NUTS for fits of `model` to data shaped like `arguments`.

    `held` names sites kept at their initial value while the mode is sought: a spread's
    joint mode is at zero. `people` names the site of what is each participant's own,
    (size, participants), and gives the function of all sites' values and `arguments`
    whose terms, one a participant, are the log density of those columns given the rest.
    """
    place = jax.jit(lambda args: unconstrain_fn(model, args, {}, initial))(arguments)
    flat, unravel = ravel_pytree(place)
    free, _ = ravel_pytree(
        {name: jnp.full_like(v, name not in held) for name, v in place.items()}
    )

    def potential_of(*args):
        return lambda vector: potential_energy(model, args, {}, unravel(vector))

    start_kernel, step_kernel = hmc(potential_fn_gen=potential_of, algo="NUTS")

    slope = jax.jit(lambda vector, args: free * jax.grad(potential_of(*args))(vector))

    def find_mode(args):
        return _mode_and_covariance(partial(slope, args=args), flat, np.asarray(free))

    def start(key, mode, covariance, args):
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
            model_args=args,
            rng_key=kernel_key,
        )

    site, people_log_density = people

    def advance(state, args, kernels, steps):
        def refresh(state):
            key, jump_key = jax.random.split(state.rng_key)
            values = constrain_fn(model, args, {}, unravel(state.z))
            places, moved = refresh_people(
                jump_key,
                values[site],
                kernels,
                lambda own: people_log_density({**values, site: own}, *args),
            )
            z = ravel_pytree({**unravel(state.z), site: places})[0]
            energy, slope = jax.value_and_grad(potential_of(*args))(z)
            state = state._replace(
                z=z, potential_energy=energy, z_grad=slope, rng_key=key
            )
            return state, moved.mean()

        def step(carry, _):
            carry = step_kernel(carry, args, {})
            diagnostics = (carry.diverging, carry.num_steps, carry.accept_prob)
            carry, moved = refresh(carry)
            return carry, (carry.z, *diagnostics, moved)

        return jax.lax.scan(step, state, steps)

    def constrain(vector, args):
        return constrain_fn(model, args, {}, unravel(vector), return_deterministic=True)

    return Sampler(
        find_mode=find_mode,
        start=jax.jit(jax.vmap(start, (0, None, None, None))),
        advance=jax.jit(jax.vmap(advance, (0, None, None, None))),
        constrain=jax.jit(jax.vmap(jax.vmap(constrain, (0, None)), (0, None))),
        num_warmup=num_warmup,
        columns=np.asarray(unravel(jnp.arange(flat.size))[site]).astype(int),
    )


def _mode_and_covariance(
    slope: Callable, flat: Float[Array, " size"], free: Float[np.ndarray, " size"]
) -> tuple[Float[Array, " size"], Float[Array, "size size"]]:
    """Mode and inverse Hessian of the free coordinates; held ones stay apart.

    A Python loop over one compiled slope: a compiled one would cost more to compile
    than to run, and so would second derivatives.
    """
    optimiser = optax.adam(optax.cosine_decay_schedule(MODE_RATE, MODE_STEPS))
    update = jax.jit(optimiser.update)
    mode, state = flat, optimiser.init(flat)
    for _ in range(MODE_STEPS):
        change, state = update(slope(mode), state)
        mode = mode + jnp.asarray(change)
    nudges = DIFFERENCE * np.eye(len(free))
    columns = [
        np.asarray(slope(mode + nudge)) - np.asarray(slope(mode - nudge))
        for nudge in nudges
    ]
    curvature = np.stack(columns) * free[:, None] / (2.0 * DIFFERENCE)
    curvature += np.diag(HELD_CURVATURE * (1.0 - free))
    values, vectors = np.linalg.eigh(0.5 * (curvature + curvature.T))
    values = np.maximum(values, CURVATURE_FLOOR)
    return mode, jnp.asarray((vectors / values[None, :]) @ vectors.T)


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
    pilot_key, offer_key, key = jax.random.split(key, 3)
    mode, covariance = sampler.find_mode(arguments)
    run = partial(_run_chains, sampler, arguments, num_chains, chunk, advance)
    root = OFFER_WIDTH * jnp.linalg.cholesky(covariance)
    noise = jax.random.normal(offer_key, (MAX_CENTRES, mode.size))
    offers = mode[None] + noise @ root.T
    kernels = fit_kernels(np.asarray(offers)[:, sampler.columns])
    if num_pilot:
        vectors = run(pilot_key, mode, covariance, kernels, num_pilot)[0]
        flat = vectors.reshape(-1, vectors.shape[-1])
        mode = jnp.asarray(flat.mean(axis=0))
        own = np.cov(flat.T)
        covariance = PILOT_WEIGHT * own + (1.0 - PILOT_WEIGHT) * covariance
        kernels = fit_kernels(flat[:, sampler.columns])
    vectors, *info = run(key, mode, covariance, kernels, num_samples)
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
    kernels: Kernels,
    num_samples: int,
) -> list[np.ndarray]:
    keys = jax.random.split(key, num_chains)
    states = sampler.start(keys, mode, covariance, arguments)
    kept, steps = [], jnp.zeros(chunk)
    num_adapting = num_chunks(sampler.num_warmup, chunk)
    for i in range(num_adapting + num_chunks(num_samples, chunk)):
        states, info = sampler.advance(states, arguments, kernels, steps)
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


def num_chunks(total: int, chunk: int) -> int:
    """Chunks needed for a number of transitions."""
    return -(-total // chunk)

"""Fits by NUTS, chains vectorised, and by stochastic variational inference.

Sampling runs in chunks from a Python loop, so that progress can be told and an interrupt
is heard. NumPyro gives the potential and the transition of NUTS; its `MCMC` would compile
the loop anew for every chunk.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Key
from numpyro import handlers, optim
from numpyro.infer import SVI, Predictive, Trace_ELBO, init_to_uniform
from numpyro.infer.autoguide import AutoLowRankMultivariateNormal, AutoNormal
from numpyro.infer.hmc import hmc
from numpyro.infer.util import constrain_fn, potential_energy, unconstrain_fn

from pcmodel.behaviour.diagnostics import diagnose, settle
from pcmodel.behaviour.sampler import num_chunks
from pcmodel.behaviour.statistics.hierarchy import Hierarchy, hierarchical_model
from pcmodel.behaviour.statistics.posterior import Posterior, moving_coordinates

STATISTICS = ("diverging", "num_steps", "accept_prob", "potential_energy")
START_RADIUS = 0.5  # of the standard-normal coordinates


@dataclass(frozen=True)
class Nuts:
    """Options of `fit_nuts`."""

    num_warmup: int = 500
    num_samples: int = 500
    num_chains: int = 4
    target_accept: float = 0.9
    max_tree_depth: int = 8
    chunk: int = 100
    approximate_steps: int = 1000  # of SVI, to start from and to scale by; 0: neither


NUTS_DEFAULTS = Nuts()


class Sampler(NamedTuple):
    """Compiled pieces for one design; the data are arguments, so that others may follow."""

    names: dict[str, tuple[int, ...]]  # shape of each unconstrained coordinate
    start: Callable  # (keys, places, data) -> states
    advance: Callable  # (states, data, steps) -> states and what each step left
    constrain: Callable  # (places, data) -> sites


def fit_nuts(
    key: Key[Array, ""],
    hierarchy: Hierarchy,
    options: Nuts = NUTS_DEFAULTS,
    *,
    advance: Callable[[], None] = lambda: None,
    sampler: Sampler | None = None,
) -> Posterior:
    """Sample the posterior; warns, saying what to do, where it cannot be trusted.

    `advance` is called after each chunk (`num_advances` of them). `sampler`, from
    `build_sampler` with the same options, saves compiling again for other data of the
    same design.
    """
    key, start_key, place_key = jax.random.split(key, 3)
    if sampler is None and options.approximate_steps:
        middle, scale = approximate(start_key, hierarchy, options.approximate_steps)
        sampler = build_sampler(hierarchy, options, scale)
        places = _spread_out(place_key, middle, scale, options.num_chains)
    else:
        sampler = sampler or build_sampler(hierarchy, options)
        places = _near_centre(place_key, sampler.names, options.num_chains)
    keys = jax.random.split(key, options.num_chains)
    states = sampler.start(keys, places, hierarchy.data)
    steps, chunks = jnp.zeros(_chunk(options)), []
    for _ in range(num_advances(options)):
        states, (places, *stats) = sampler.advance(states, hierarchy.data, steps)
        sites = sampler.constrain(places, hierarchy.data)
        named = {f"stats.{n}": v for n, v in zip(STATISTICS, stats, strict=True)}
        chunks.append(jax.device_get(sites | named))
        advance()
    return _posterior(hierarchy, chunks, options)


def _chunk(options: Nuts) -> int:
    return min(options.chunk, options.num_warmup + options.num_samples)


def num_advances(options: Nuts) -> int:
    """How often `fit_nuts` calls `advance`: warm-up and draws are the same chunks."""
    return num_chunks(options.num_warmup + options.num_samples, _chunk(options))


def build_sampler(
    hierarchy: Hierarchy, options: Nuts, scale: dict[str, Array] | None = None
) -> Sampler:
    """The sampler of one design, compiled once for any data of that design.

    `scale`: posterior SD of each unconstrained coordinate, where warm-up starts. Without
    it trajectories reach the depth limit all through warm-up, and what is learned there
    of hundreds of scales is poor.
    """
    model = partial(hierarchical_model, hierarchy)
    masses: Any = [hierarchy.group_sites()]  # one dense block; people are diagonal
    if scale is not None:
        masses = []

    def potential_of(data: Any) -> Callable:
        return lambda places: potential_energy(model, (data,), {}, places)

    start_kernel, step_kernel = hmc(potential_fn_gen=potential_of, algo="NUTS")

    def start(key: Array, places: dict[str, Array], data: Any) -> Any:
        return start_kernel(
            places,
            num_warmup=options.num_warmup,
            target_accept_prob=options.target_accept,
            max_tree_depth=options.max_tree_depth,
            dense_mass=masses,
            inverse_mass_matrix=None if scale is None else _variances(scale),
            model_args=(data,),
            rng_key=key,
        )

    def step(states: Any, data: Any) -> tuple[Any, tuple]:
        states = jax.vmap(lambda state: step_kernel(state, (data,), {}))(states)
        return states, (states.z, *(getattr(states, name) for name in STATISTICS))

    def run(states: Any, data: Any, steps: Array) -> tuple[Any, tuple]:
        states, found = jax.lax.scan(lambda s, _: step(s, data), states, steps)
        return states, jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), found)

    def constrain(places: dict[str, Array], data: Any) -> dict[str, Array]:
        return constrain_fn(model, (data,), {}, places, return_deterministic=True)

    return Sampler(
        _shapes(model, hierarchy.data),
        jax.jit(jax.vmap(start, (0, 0, None))),
        jax.jit(run),
        jax.jit(jax.vmap(jax.vmap(constrain, (0, None)), (0, None))),
    )


def _shapes(model: Callable, data: Any) -> dict[str, tuple[int, ...]]:
    """Shape of each unconstrained coordinate."""

    def places() -> dict[str, Array]:
        trace = handlers.trace(handlers.seed(model, jax.random.key(0))).get_trace()
        drawn = {
            name: site["value"]
            for name, site in trace.items()
            if site["type"] == "sample" and not site["is_observed"]
        }
        return unconstrain_fn(model, (data,), {}, drawn)

    return {name: leaf.shape for name, leaf in jax.eval_shape(places).items()}


def _near_centre(
    key: Array, shapes: dict[str, tuple[int, ...]], num_chains: int
) -> dict[str, Array]:
    """A starting place for each chain, about the centre of the prior."""
    keys = jax.random.split(key, len(shapes))
    return {
        name: jax.random.uniform(
            own, (num_chains, *shape), minval=-START_RADIUS, maxval=START_RADIUS
        )
        for own, (name, shape) in zip(keys, shapes.items(), strict=True)
    }


def _variances(scale: dict[str, Array]) -> Array:
    return ravel_pytree({name: value**2 for name, value in scale.items()})[0]


def _spread_out(
    key: Array, middle: dict[str, Array], scale: dict[str, Array], num_chains: int
) -> dict[str, Array]:
    """A starting place for each chain, drawn from the approximation."""
    places = {}
    for name, own in zip(middle, jax.random.split(key, len(middle)), strict=True):
        noise = jax.random.normal(own, (num_chains, *middle[name].shape))
        places[name] = middle[name][None] + scale[name][None] * noise
    return places


def approximate(
    key: Array, hierarchy: Hierarchy, num_steps: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Mean and SD of every unconstrained coordinate by a quick variational fit."""
    options = Variational(num_steps=num_steps, learning_rate=0.03)
    _, params, _ = _fit_guide(key, hierarchy, options, lambda: None, num_steps)

    def ending(word: str) -> dict[str, Array]:
        found = {k: v for k, v in params.items() if k.endswith(word)}
        return {name.removesuffix(word): found[name] for name in sorted(found)}

    return ending("_auto_loc"), ending("_auto_scale")


def _near_zero(radius: Any) -> Any:
    return init_to_uniform(radius=radius)


def _posterior(hierarchy: Hierarchy, chunks: list[dict], options: Nuts) -> Posterior:
    kept = slice(options.num_warmup, options.num_warmup + options.num_samples)
    joined = {
        name: np.concatenate([chunk[name] for chunk in chunks], axis=1)[:, kept]
        for name in chunks[0]
    }
    stats = {name: joined.pop(f"stats.{name}") for name in STATISTICS}
    found = diagnose(
        moving_coordinates(hierarchy, joined),
        diverging=stats["diverging"],
        num_steps=stats["num_steps"],
        accept_prob=stats["accept_prob"],
        max_tree_depth=options.max_tree_depth,
    )
    if found.complaints:
        warnings.warn(
            "do not trust this fit: " + "; ".join(found.complaints), stacklevel=3
        )
    return Posterior(hierarchy, joined, stats, found, "NUTS")


@dataclass(frozen=True)
class Variational:
    """Options of `fit_svi`."""

    num_steps: int = 3000
    learning_rate: float = 0.01
    num_samples: int = 1000
    num_particles: int = 1
    low_rank: bool = False  # a guide that knows correlations; for hundreds of people


VARIATIONAL_DEFAULTS = Variational()


class VariationalFit(NamedTuple):
    """A posterior and the course of its loss."""

    posterior: Posterior
    loss: np.ndarray  # (steps,) negative evidence lower bound, nats


def fit_svi(
    key: Key[Array, ""],
    hierarchy: Hierarchy,
    options: Variational = VARIATIONAL_DEFAULTS,
    *,
    advance: Callable[[], None] = lambda: None,
    chunk: int = 250,
) -> VariationalFit:
    """Approximate the posterior by a Gaussian; for thousands of participants.

    Its intervals are too narrow where coordinates are correlated; means of large groups
    are good. Cost per step is linear in participants and trials.
    """
    fit_key, draw_key = jax.random.split(key)
    guide, params, losses = _fit_guide(fit_key, hierarchy, options, advance, chunk)
    keys = jax.random.split(draw_key, options.num_samples)
    draws = jax.vmap(lambda k: guide.sample_posterior(k, params))(keys)
    found = _from_guide(hierarchy, draws, draw_key)._replace(diagnostics=settle(losses))
    return VariationalFit(found, losses)


def _fit_guide(
    key: Array,
    hierarchy: Hierarchy,
    options: Variational,
    advance: Callable[[], None],
    chunk: int,
) -> tuple[Any, dict[str, Array], np.ndarray]:
    """The fitted guide, its parameters, and the loss at every step."""
    model = partial(hierarchical_model, hierarchy)
    guide_type: Any = AutoLowRankMultivariateNormal if options.low_rank else AutoNormal
    guide = guide_type(model, init_scale=0.1, init_loc_fn=_near_zero(0.1))
    schedule = _falling(options.learning_rate, options.num_steps)
    svi = SVI(
        model,
        guide,
        optim.Adam(schedule),
        Trace_ELBO(num_particles=options.num_particles),
    )
    state = svi.init(key, hierarchy.data)
    steps = jax.jit(
        lambda state, data: jax.lax.scan(
            lambda s, _: svi.stable_update(s, data), state, length=chunk
        )
    )
    losses = []
    for _ in range(num_chunks(options.num_steps, chunk)):
        state, loss = steps(state, hierarchy.data)
        losses.append(np.asarray(loss))
        advance()
    return guide, svi.get_params(state), np.concatenate(losses)


def _falling(rate: float, num_steps: int) -> Callable[[Any], Any]:
    """The rate, from half-way on falling to a hundredth."""

    def schedule(step: Any) -> Any:
        late = jnp.clip(2.0 * step / num_steps - 1.0, 0.0, 1.0)
        return rate * jnp.exp(-4.6 * late)

    return schedule


def _from_guide(hierarchy: Hierarchy, draws: dict, key: Array) -> Posterior:
    # The likelihood is not needed for what follows from the draws.
    natural = Predictive(
        partial(hierarchical_model, hierarchy), posterior_samples=draws
    )
    sites = {**draws, **natural(key)}
    sites = {name: np.asarray(value)[None] for name, value in sites.items()}
    return Posterior(hierarchy, sites, {}, None, "SVI")

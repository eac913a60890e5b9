"""Fits by NUTS, chains vectorised, and by stochastic variational inference.

Sampling runs in chunks from a Python loop, so that progress can be told and an interrupt
is heard.
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
from numpyro import optim
from numpyro.infer import MCMC, NUTS, SVI, Predictive, Trace_ELBO, init_to_uniform
from numpyro.infer.autoguide import AutoLowRankMultivariateNormal, AutoNormal

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


def fit_nuts(
    key: Key[Array, ""],
    hierarchy: Hierarchy,
    options: Nuts = NUTS_DEFAULTS,
    *,
    advance: Callable[[], None] = lambda: None,
    mcmc: MCMC | None = None,
) -> Posterior:
    """Sample the posterior; warns, saying what to do, where it cannot be trusted.

    `advance` is called after warm-up and after each chunk. `mcmc`, from `build_mcmc` with
    the same options, saves compiling again for other data of the same design.
    """
    key, start_key, place_key = jax.random.split(key, 3)
    places = None
    if mcmc is None and options.approximate_steps:
        middle, scale = approximate(start_key, hierarchy, options.approximate_steps)
        mcmc = build_mcmc(hierarchy, options, scale)
        places = _spread_out(place_key, middle, scale, options.num_chains)
    mcmc = mcmc or build_mcmc(hierarchy, options)
    mcmc.warmup(
        key,
        hierarchy.data,
        init_params=places,
        extra_fields=STATISTICS,
        collect_warmup=False,
    )
    advance()
    chunks, state = [], mcmc.post_warmup_state
    for _ in range(num_chunks(options.num_samples, mcmc.num_samples)):
        assert state is not None
        mcmc.post_warmup_state = state
        mcmc.run(state.rng_key, hierarchy.data, extra_fields=STATISTICS)
        state = mcmc.last_state
        chunks.append(_collect(mcmc))
        advance()
    return _posterior(hierarchy, chunks, options)


def build_mcmc(
    hierarchy: Hierarchy, options: Nuts, scale: dict[str, Array] | None = None
) -> MCMC:
    """The sampler of one design, whose data are arguments of what it compiles.

    `scale`: posterior SD of each unconstrained coordinate, where warm-up starts. Without
    it trajectories reach the depth limit all through warm-up, and what is learned there
    of hundreds of scales is poor.
    """
    masses: Any = [hierarchy.group_sites()]  # one dense block; people are diagonal
    if scale is not None:
        masses = False
    kernel = NUTS(
        partial(hierarchical_model, hierarchy),
        target_accept_prob=options.target_accept,
        max_tree_depth=options.max_tree_depth,
        dense_mass=masses,
        inverse_mass_matrix=None if scale is None else _variances(scale),
        init_strategy=_near_zero(START_RADIUS),
    )
    return MCMC(
        kernel,
        num_warmup=options.num_warmup,
        num_samples=min(options.chunk, options.num_samples),
        num_chains=options.num_chains,
        chain_method="vectorized",
        progress_bar=False,
        jit_model_args=True,
    )


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


def _collect(mcmc: MCMC) -> dict[str, np.ndarray]:
    sites = jax.device_get(mcmc.get_samples(group_by_chain=True))
    stats = jax.device_get(mcmc.get_extra_fields(group_by_chain=True))
    return {**sites, **{f"stats.{name}": stats[name] for name in STATISTICS}}


def _posterior(hierarchy: Hierarchy, chunks: list[dict], options: Nuts) -> Posterior:
    joined = {
        name: np.concatenate([chunk[name] for chunk in chunks], axis=1)[
            :, : options.num_samples
        ]
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

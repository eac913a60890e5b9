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
from jaxtyping import Array, Key
from numpyro import optim
from numpyro.infer import MCMC, NUTS, SVI, Predictive, Trace_ELBO, init_to_uniform
from numpyro.infer.autoguide import AutoLowRankMultivariateNormal, AutoNormal

from pcmodel.behaviour.sampler import num_chunks
from pcmodel.behaviour.statistics.hierarchy import Hierarchy, hierarchical_model
from pcmodel.behaviour.statistics.posterior import Posterior, diagnose

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
    mcmc = mcmc or build_mcmc(hierarchy, options)
    mcmc.warmup(key, hierarchy.data, extra_fields=STATISTICS, collect_warmup=False)
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


def build_mcmc(hierarchy: Hierarchy, options: Nuts) -> MCMC:
    """The sampler of one design, whose data are arguments of what it compiles."""
    masses: Any = [hierarchy.group_sites()]  # one dense block; people are diagonal
    kernel = NUTS(
        partial(hierarchical_model, hierarchy),
        target_accept_prob=options.target_accept,
        max_tree_depth=options.max_tree_depth,
        dense_mass=masses,
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
    found = diagnose(hierarchy, joined, stats, options.max_tree_depth)
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
    state = svi.init(fit_key, hierarchy.data)
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
    params = svi.get_params(state)
    keys = jax.random.split(draw_key, options.num_samples)
    draws = jax.vmap(lambda k: guide.sample_posterior(k, params))(keys)
    return VariationalFit(
        _from_guide(hierarchy, draws, draw_key), np.concatenate(losses)
    )


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

"""Fits by stochastic variational inference, for thousands of participants."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key
from numpyro import optim
from numpyro.infer import SVI, Predictive, Trace_ELBO, init_to_uniform
from numpyro.infer.autoguide import AutoLowRankMultivariateNormal, AutoNormal

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    NUMPYRO,
    Hierarchy,
    hierarchical_model,
)
from pcmodel.behaviour.posterior.diagnostics import settle
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.sampling.chains import num_chunks
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import Count, Positive


@checked_options()
@dataclass(frozen=True)
class Variational:
    """Options of `fit_svi`."""

    num_steps: Count = 3000
    learning_rate: Positive = 0.01
    num_samples: Count = 1000
    num_particles: Count = 1
    low_rank: bool = False  # a guide with correlations; for hundreds of people


VARIATIONAL_DEFAULTS = Variational()


class VariationalFit(NamedTuple):
    """A variational posterior and the loss during the fit."""

    posterior: Posterior
    loss: np.ndarray  # (steps,) negative evidence lower bound, nats


class VariationalProgram(NamedTuple):
    """Compiled functions for one design; the data are arguments.

    guide: the family of the approximation.
    svi: its optimisation.
    steps: from a state and data to the state some steps later, and their losses.
    draw: from keys and the guide's parameters to draws.
    """

    guide: Any
    svi: SVI
    steps: Callable
    draw: Callable


def build_svi(
    hierarchy: Hierarchy,
    options: Variational = VARIATIONAL_DEFAULTS,
    *,
    chunk: int = 250,
) -> VariationalProgram:
    """The program of one design, compiled once for any data of that design."""
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
    steps = jax.jit(
        lambda state, data: jax.lax.scan(
            lambda s, _: svi.stable_update(s, data), state, length=chunk
        )
    )
    return VariationalProgram(guide, svi, steps, draw_together(guide))


def fit_svi(
    key: Key[Array, ""],
    hierarchy: Hierarchy,
    options: Variational = VARIATIONAL_DEFAULTS,
    *,
    advance: Callable[[], None] = lambda: None,
    chunk: int = 250,
    program: VariationalProgram | None = None,
) -> VariationalFit:
    """Approximate the posterior by a Gaussian; for thousands of participants.

    advance: called after each chunk of steps.
    chunk: steps in a chunk.
    program: from `build_svi` with the same options and chunk; avoids compiling again for other data of the
        same design.
    Its intervals are too narrow where coordinates are correlated; means of large groups
    are accurate. Cost per step is linear in participants and trials. Fits in several threads
    run one after the other.
    """
    fit_key, draw_key = jax.random.split(key)
    with NUMPYRO:
        program = program or build_svi(hierarchy, options, chunk=chunk)
        count = num_chunks(options.num_steps, chunk)
        params, losses = _optimise(fit_key, program, hierarchy.data, count, advance)
        keys = jax.random.split(draw_key, options.num_samples)
        draws = program.draw(keys, params)
        found = _from_guide(hierarchy, draws, draw_key)
    found = found._replace(diagnostics=settle(losses))
    return VariationalFit(found, losses)


def _optimise(
    key: Array,
    program: VariationalProgram,
    data: Any,
    num_chunks: int,
    advance: Callable[[], None],
) -> tuple[dict[str, Array], np.ndarray]:
    """The guide's fitted parameters, and the loss at every step."""
    state = program.svi.init(key, data)
    losses = []
    for _ in range(num_chunks):
        state, loss = program.steps(state, data)
        losses.append(np.asarray(loss))
        advance()
    return program.svi.get_params(state), np.concatenate(losses)


def draw_together(guide: Any) -> Callable:
    """A compiled function of keys and parameters that draws from the guide, many draws at once.

    Compiled, since a guide runs the whole model for every draw: computations that no site needs, such as the
    likelihood of all trials, are then eliminated, and with them memory for draws x people x trials.
    """
    return jax.jit(jax.vmap(guide.sample_posterior, in_axes=(0, None)))


def _near_zero(radius: Any) -> Any:
    return init_to_uniform(radius=radius)


def _falling(rate: float, num_steps: int) -> Callable[[Any], Any]:
    """A schedule: constant to half-way, then falling to a hundredth of the rate."""

    def schedule(step: Any) -> Any:
        late = jnp.clip(2.0 * step / num_steps - 1.0, 0.0, 1.0)
        return rate * jnp.exp(-4.6 * late)

    return schedule


def _from_guide(hierarchy: Hierarchy, draws: dict, key: Array) -> Posterior:
    # Sites derived from the draws do not need the likelihood.
    natural = Predictive(
        partial(hierarchical_model, hierarchy), posterior_samples=draws
    )
    sites = {**draws, **natural(key)}
    sites = {name: np.asarray(value)[None] for name, value in sites.items()}
    return Posterior(hierarchy, sites, {}, None, "SVI")

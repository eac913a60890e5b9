r"""Fits by stochastic variational inference, for thousands of participants.

The approximation is Gaussian in the sampler's coordinates (`coordinates`), in which participants are nearly
independent of the group: the group's coordinates with all their correlations, each participant's with theirs.
In the model's own coordinates, where a participant's values depend on the group's, independent Gaussians give
intervals of the group that are far too narrow. It starts as the Laplace approximation.

Of the approximation's draws those that are handed out are chosen by importance ratios (Pareto-smoothed, Vehtari et
al. 2024), where the ratios' tail allows it: with tens of people. With hundreds the ratios of so many coordinates do
not, and the draws are the approximation's own, with normal marginals; the shape of the tail is told either way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key
from numpyro import optim

from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy
from pcmodel.behaviour.posterior.diagnostics import settle
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.sampling.chains import num_chunks
from pcmodel.behaviour.sampling.coordinates import (
    Coordinates,
    Frame,
    constrained,
    potential,
)
from pcmodel.behaviour.sampling.initialisation import Finder, begin, build_finder
from pcmodel.inference.importance.psis import LEAST_DRAWS, trusted_shape
from pcmodel.inference.importance.weights import weigh
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


VARIATIONAL_DEFAULTS = Variational()
RATIOS_TOGETHER = 8  # draws whose likelihoods are in memory at once


class VariationalFit(NamedTuple):
    """A variational posterior and the loss during the fit."""

    posterior: Posterior
    loss: np.ndarray  # (steps,) negative evidence lower bound, nats


class Approximation(NamedTuple):
    """A Gaussian of the white coordinates, participants independent of each other and of the group.

    Roots are lower triangular, with the logarithms of their diagonals in place of these.
    """

    group_mean: Float[Array, " group"]
    group_root: Float[Array, "group group"]
    people_mean: Float[Array, "participants varying"]
    people_root: Float[Array, "participants varying varying"]


class VariationalProgram(NamedTuple):
    """Compiled functions for one design; the data are arguments.

    finder: of the start.
    slope: (group, people, (frame, data)) to the potential and its gradients.
    optimiser: of the approximation.
    steps: from an optimiser's state, a key, a frame and data to the state some steps later, and their losses.
    draw: from keys, an approximation, a frame and data to sites.
    ratios: of the same arguments, the log importance ratio of each of these draws, in nats.
    """

    finder: Finder
    slope: Callable
    optimiser: Any
    steps: Callable
    draw: Callable
    ratios: Callable


def build_svi(
    hierarchy: Hierarchy,
    options: Variational = VARIATIONAL_DEFAULTS,
    *,
    chunk: int = 250,
) -> VariationalProgram:
    """The program of one design, compiled once for any data of that design."""
    optimiser = optim.Adam(_falling(options.learning_rate, options.num_steps))

    def whole(group: Array, people: Array, arguments: tuple) -> Array:
        return potential(hierarchy, Coordinates(group, people), *arguments)

    def loss(own: Approximation, key: Array, frame: Frame, data: Any) -> Array:
        def one(own_key: Array) -> Array:
            return potential(hierarchy, draw_white(own_key, own), frame, data)

        keys = jax.random.split(key, options.num_particles)
        return jnp.mean(jax.vmap(one)(keys)) - entropy(own) - _log_unit(frame)

    def step(carry: tuple, _: Any, frame: Frame, data: Any) -> tuple[tuple, Array]:
        state, key = carry
        key, own_key = jax.random.split(key)
        own = optimiser.get_params(state)
        value, slopes = jax.value_and_grad(loss)(own, own_key, frame, data)
        usable = jnp.isfinite(value)
        for leaf in jax.tree.leaves(slopes):
            usable = usable & jnp.isfinite(leaf).all()
        new = optimiser.update(slopes, state)
        state = jax.tree.map(lambda a, b: jnp.where(usable, a, b), new, state)
        return (state, key), value

    def steps(state: Any, key: Array, frame: Frame, data: Any) -> tuple[tuple, Array]:
        return jax.lax.scan(
            lambda carry, x: step(carry, x, frame, data), (state, key), length=chunk
        )

    def draw(key: Array, own: Approximation, frame: Frame, data: Any) -> dict:
        return constrained(hierarchy, draw_white(key, own), frame, data)

    def ratios(keys: Array, own: Approximation, frame: Frame, data: Any) -> Array:
        def one(key: Array) -> Array:
            normal = standard_draw(key, own)
            energy = 0.5 * jnp.sum(normal.flat() ** 2)
            return energy - potential(hierarchy, moved(normal, own), frame, data)

        return jax.lax.map(one, keys, batch_size=RATIOS_TOGETHER)

    return VariationalProgram(
        build_finder(hierarchy),
        jax.jit(jax.value_and_grad(whole, argnums=(0, 1))),
        optimiser,
        jax.jit(steps),
        # Compiled, so that what no site needs, as the likelihood of all trials, is left out, and with it
        # memory for draws x people x trials.
        jax.jit(jax.vmap(draw, (0, None, None, None))),
        jax.jit(ratios),
    )


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
    Its intervals are too narrow where the posterior is far from normal in the sampler's coordinates.
    Cost per step is linear in participants and trials. Needs double precision, as `fit_nuts`.
    """
    fit_key, draw_key = jax.random.split(key)
    program = program or build_svi(hierarchy, options, chunk=chunk)
    count = num_chunks(options.num_steps, chunk)
    own, frame, losses = _optimise(fit_key, program, hierarchy, count, advance)
    keys = jax.random.split(draw_key, options.num_samples)
    sites = jax.device_get(program.draw(keys, own, frame, hierarchy.data))
    ratios = np.asarray(program.ratios(keys, own, frame, hierarchy.data))
    picks, shape = choose_draws(ratios, seed=int(jax.random.bits(draw_key)))
    settled = settle(losses)._replace(pareto_shape=shape, is_weighted=picks is not None)
    picks = np.arange(len(ratios)) if picks is None else picks
    sites = {name: np.asarray(value)[None, picks] for name, value in sites.items()}
    return VariationalFit(Posterior(hierarchy, sites, {}, settled, "SVI"), losses)


def choose_draws(
    log_ratios: Float[np.ndarray, " draws"], *, seed: int
) -> tuple[np.ndarray | None, float]:
    """Which draws to hand out, as many as there are, and the Pareto shape of the ratios' tail.

    None instead of draws where the tail is too heavy, or too short to be judged (shape NaN).
    Systematic resampling, in an order without meaning.
    """
    count = len(log_ratios)
    if count < LEAST_DRAWS:
        return None, float("nan")
    weighed = weigh(log_ratios[None])
    shape = float(weighed.shape[0])
    if not shape <= trusted_shape(count):
        return None, shape
    rng = np.random.default_rng(seed)
    places = (np.arange(count) + rng.random()) / count
    edges = np.cumsum(weighed.weights[0])
    picks = np.minimum(np.searchsorted(edges, places), count - 1)
    return rng.permutation(picks), shape


def _optimise(
    key: Array,
    program: VariationalProgram,
    hierarchy: Hierarchy,
    count: int,
    advance: Callable[[], None],
) -> tuple[Approximation, Frame, np.ndarray]:
    """The fitted approximation, its frame, and the loss at every step."""

    def slope(at: Coordinates, frame: Frame) -> tuple[Array, tuple[Array, Array]]:
        return program.slope(at.group, at.people, (frame, hierarchy.data))

    beginning = begin(hierarchy, program.finder, slope)
    state = program.optimiser.init(laplace(beginning.mode))
    losses = []
    for _ in range(count):
        (state, key), loss = program.steps(state, key, beginning.frame, hierarchy.data)
        losses.append(np.asarray(loss))
        advance()
    found = program.optimiser.get_params(state)
    return found, beginning.frame, np.concatenate(losses)


def laplace(shape: Coordinates) -> Approximation:
    """The standard normal, which is the Laplace approximation in the first frame."""
    group, (people, varying) = len(shape.group), shape.people.shape
    return Approximation(
        jnp.zeros(group),
        jnp.zeros((group, group)),
        jnp.zeros((people, varying)),
        jnp.zeros((people, varying, varying)),
    )


def draw_white(key: Array, own: Approximation) -> Coordinates:
    """One draw."""
    return moved(standard_draw(key, own), own)


def standard_draw(key: Array, own: Approximation) -> Coordinates:
    """The standard normals of one draw."""
    group_key, people_key = jax.random.split(key)
    return Coordinates(
        jax.random.normal(group_key, own.group_mean.shape),
        jax.random.normal(people_key, own.people_mean.shape),
    )


def moved(normal: Coordinates, own: Approximation) -> Coordinates:
    """The draw that these standard normals give."""
    people = jnp.einsum("nkj,nj->nk", _root(own.people_root), normal.people)
    return Coordinates(
        own.group_mean + _root(own.group_root) @ normal.group,
        own.people_mean + people,
    )


def entropy(own: Approximation) -> Float[Array, ""]:
    """Of the Gaussian, in nats."""
    size = own.group_mean.size + own.people_mean.size
    return (
        jnp.sum(jnp.diagonal(own.group_root))
        + jnp.sum(jnp.diagonal(own.people_root, axis1=1, axis2=2))
        + 0.5 * size * (1.0 + jnp.log(2.0 * jnp.pi))
    )


def _root(raw: Float[Array, "*batch k k"]) -> Float[Array, "*batch k k"]:
    size = jnp.exp(jnp.diagonal(raw, axis1=-2, axis2=-1))
    diagonal = jnp.broadcast_to(jnp.eye(raw.shape[-1]), raw.shape)
    return jnp.tril(raw, -1) + size[..., None] * diagonal


def _log_unit(frame: Frame) -> Float[Array, ""]:
    """Log volume of the frame's affine map, a constant that the potential leaves out."""
    roots = frame.whitening.group_root, frame.whitening.people_root
    return sum(
        (jnp.sum(jnp.log(jnp.diagonal(root, axis1=-2, axis2=-1))) for root in roots),
        jnp.zeros(()),
    )


def _falling(rate: float, num_steps: int) -> Callable[[Any], Any]:
    """A schedule: constant to half-way, then falling to a hundredth of the rate."""

    def schedule(step: Any) -> Any:
        late = jnp.clip(2.0 * step / num_steps - 1.0, 0.0, 1.0)
        return rate * jnp.exp(-4.6 * late)

    return schedule

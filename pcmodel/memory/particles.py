r"""The whole posterior over causes of the same model, by a particle filter (the local MAP keeps one path of it).

A particle is a path of assignments; given the path, weights follow the paper's updates with $q$ certain. Every trial a
particle draws its cause from $p(k \mid x, r)$ given its past, and is weighted by $p(x, r)$ given its past (the optimal
proposal). Particles are resampled (systematically) when the effective sample size falls below a share of them.

A path that looks less likely than one in the number of particles, and turns out right later, is found by none of them;
neither the effective size nor the scatter over keys shows it. Outcomes many standard deviations apart make such paths.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr
from jaxtyping import Array, Bool, Float, Key

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, Share
from pcmodel.memory.assignment import IMPOSSIBLE
from pcmodel.memory.latent_causes import (
    DEFAULT,
    LEFT_OUT,
    PAPER,
    CauseHistory,
    CauseOptions,
    CauseParameters,
    as_parameters,
    learn_causes,
    log_prior_of_causes,
    log_stimulus_likelihood,
    num_iterations,
)
from pcmodel.memory.trials import Trials, check_one_animal


class ParticleHistory(NamedTuple):
    """What the whole posterior says; estimates whose error falls as the root of the number of particles.

    prediction: of the outcome before it, the mean over paths.
    response: the conditioned response to that prediction.
    newness: p(the trial has a cause of its own), after its outcome.
    together: p(trials s and t have one cause), given all trials.
    num_causes: expected number of causes, given all trials.
    log_evidence: log p(stimuli, outcomes), nats; its estimate is unbiased before the logarithm.
    effective_size: effective number of particles after each trial, before resampling.
    truncated: whether more places for causes could have changed the result.
    """

    prediction: Float[Array, " trials"]
    response: Float[Array, " trials"]
    newness: Float[Array, " trials"]
    together: Float[Array, "trials trials"]
    num_causes: Float[Array, ""]
    log_evidence: Float[Array, ""]
    effective_size: Float[Array, " trials"]
    truncated: Bool[Array, ""]


class MapComparison(NamedTuple):
    """The local MAP beside the whole posterior.

    particles, local_map: both.
    difference: prediction of the local MAP minus that of the posterior.
    """

    particles: ParticleHistory
    local_map: CauseHistory
    difference: Float[Array, " trials"]


class _Particle(NamedTuple):
    """One path: as `latent_causes` keeps it, with certain assignments."""

    log_counts: Array
    free: Array
    total: Array
    sums: Array
    weights: Array


@checked_arguments
def filter_causes(
    key: Key[Array, ""],
    trials: Trials,
    parameters: CauseParameters = PAPER,
    *,
    num_particles: Count = 1000,
    resample_below: Share = 0.5,
    options: CauseOptions = DEFAULT,
) -> ParticleHistory:
    """The posterior over causes of one animal's trials; `options.assignment` plays no part.

    Raises UserError for parameters out of range, and for trials of several animals.
    """
    check_one_animal(trials)
    numbers = as_parameters(parameters, trials)
    below = jnp.asarray(resample_below)
    return _filter(key, trials, numbers, num_particles, below, options)


def compare_with_map(
    key: Key[Array, ""],
    trials: Trials,
    parameters: CauseParameters = PAPER,
    *,
    num_particles: int = 1000,
    options: CauseOptions = DEFAULT,
) -> MapComparison:
    """Where keeping one path alone changes what is predicted."""
    found = filter_causes(
        key, trials, parameters, num_particles=num_particles, options=options
    )
    sharp = learn_causes(trials, parameters, options=options)
    return MapComparison(found, sharp, sharp.prediction - found.prediction)


@partial(jax.jit, static_argnames=("number", "options"))
def _filter(
    key: Array,
    trials: Trials,
    parameters: CauseParameters,
    number: int,
    below: Array,
    options: CauseOptions,
) -> ParticleHistory:
    count = trials.time.size
    step = partial(
        _trial, trials=trials, parameters=parameters, number=number, below=below
    )
    start = jnp.full(number, -jnp.log(number), trials.time.dtype)
    rows = (
        jnp.arange(count),
        num_iterations(trials, options.max_iterations),
        jax.random.split(key, count),
    )
    particles = _particles(trials, parameters, number, options.num_causes)
    (end, log_weights), told = jax.lax.scan(step, (particles, start), rows)
    value, newness, evidence, size, full = told
    share = jnp.exp(log_weights)
    path = jnp.where(end.log_counts == 0.0, 1.0, 0.0)
    together = jnp.einsum("n,nsk,ntk->st", share, path, path)
    scaled = (value - parameters.response_threshold) / parameters.response_scale
    return ParticleHistory(
        value,
        jnp.where(trials.present, ndtr(scaled), 0.0),
        newness,
        together,
        share @ jnp.sum(1.0 - end.free, axis=1),
        jnp.sum(evidence),
        size,
        jnp.any(full > LEFT_OUT) & (parameters.concentration > 0),
    )


def _particles(
    trials: Trials, parameters: CauseParameters, number: int, causes: int
) -> _Particle:
    """Paths before the first trial."""
    count, features = trials.stimuli.shape
    dtype = trials.time.dtype
    weights = jnp.broadcast_to(parameters.initial_weight, (features,))
    return _Particle(
        jnp.full((number, count, causes), IMPOSSIBLE, dtype),
        jnp.ones((number, causes), dtype),
        jnp.zeros((number, causes), dtype),
        jnp.zeros((number, features, causes), dtype),
        jnp.broadcast_to(weights[:, None], (number, features, causes)),
    )


def _trial(
    carry: tuple[_Particle, Array],
    row: tuple[Array, Array, Array],
    *,
    trials: Trials,
    parameters: CauseParameters,
    number: int,
    below: Array,
) -> tuple[tuple[_Particle, Array], tuple[Array, ...]]:
    particles, log_weights = carry
    at, iterations, key = row
    draw, sift = jax.random.split(key)
    here = trials.present[at]
    look = partial(_look, at=at, trials=trials, parameters=parameters)
    log_before, log_joint, predicted = jax.vmap(look)(particles)
    # Stimuli already tell between paths before the outcome.
    seen = jax.nn.softmax((log_weights[:, None] + log_before).ravel())
    value = seen @ predicted.ravel()
    log_evidence = jax.nn.logsumexp(log_joint, axis=1)
    cause = jax.random.categorical(draw, log_joint, axis=1)
    new = jnp.exp(log_joint - log_evidence[:, None]) * (particles.free > 0.5)
    weighted = log_weights + log_evidence
    total = jax.nn.logsumexp(weighted)
    weighted = weighted - total
    share = jnp.exp(weighted)
    size = 1.0 / jnp.sum(share**2)
    full = share @ jnp.prod(1.0 - particles.free, axis=1)
    follow = partial(
        _follow, at=at, rounds=iterations, trials=trials, parameters=parameters
    )
    moved = jax.vmap(follow)(particles, cause)
    sifted = _resample(sift, moved, weighted, size < below * number, number)
    carry = jax.tree.map(lambda a, b: jnp.where(here, a, b), sifted, carry)
    told = value, share @ jnp.sum(new, axis=1), total, size, full
    return carry, jax.tree.map(lambda a: jnp.where(here, a, jnp.zeros_like(a)), told)


def _look(
    particle: _Particle, *, at: Array, trials: Trials, parameters: CauseParameters
) -> tuple[Array, Array, Array]:
    """log p(k, x), log p(k, x, r) and the prediction of every cause of one path."""
    x = trials.stimuli[at]
    prior = log_prior_of_causes(particle, trials, parameters, at)
    stimulus = log_stimulus_likelihood(
        x, particle.total, particle.sums, parameters.stimulus_variance
    )
    log_precision = parameters.outcome_log_precision + jnp.log(trials.outcome_gain[at])
    predicted = x @ particle.weights
    error = trials.outcome[at] - predicted
    outcome = 0.5 * (log_precision - jnp.log(2 * jnp.pi))
    outcome = outcome - 0.5 * jnp.exp(log_precision) * error**2
    possible = prior > IMPOSSIBLE / 2
    before = jnp.where(possible, prior + stimulus, IMPOSSIBLE)
    return before, jnp.where(possible, before + outcome, IMPOSSIBLE), predicted


def _follow(
    particle: _Particle,
    cause: Array,
    *,
    at: Array,
    rounds: Array,
    trials: Trials,
    parameters: CauseParameters,
) -> _Particle:
    """The path with this trial's cause, whose weights learn."""
    x = trials.stimuli[at]
    chosen = jax.nn.one_hot(cause, particle.free.size, dtype=particle.free.dtype)
    rate = parameters.learning_rate * trials.learning_gain[at]

    def iterate(_: Array, weights: Array) -> Array:
        error = trials.outcome[at] - x @ weights
        learned = weights + rate * x[:, None] * (chosen * error)[None]
        return learned * (1.0 - trials.amnesia[at] * chosen)[None]

    counts = jnp.where(chosen > 0, 0.0, IMPOSSIBLE)
    return _Particle(
        particle.log_counts.at[at].set(counts),
        particle.free * (1.0 - chosen),
        particle.total + chosen,
        particle.sums + x[:, None] * chosen[None],
        jax.lax.fori_loop(0, rounds, iterate, particle.weights),
    )


def _resample(
    key: Array, particles: _Particle, log_weights: Array, due: Array, number: int
) -> tuple[_Particle, Array]:
    """Systematic resampling where it is due: equally spaced points, one random shift."""
    ends = jnp.cumsum(jnp.exp(log_weights))
    points = (jnp.arange(number) + jax.random.uniform(key)) / number
    drawn = jnp.searchsorted(ends / ends[-1], points.astype(ends.dtype))
    kept = jnp.where(due, jnp.clip(drawn, 0, number - 1), jnp.arange(number))
    level = jnp.full_like(log_weights, -jnp.log(number))
    picked = jax.tree.map(lambda rows: rows[kept], particles)
    return picked, jnp.where(due, level, log_weights)

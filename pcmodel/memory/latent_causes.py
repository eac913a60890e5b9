r"""The latent-cause model of conditioning (Gershman, Monfils, Norman & Niv 2017, eLife 6:e23763), written from its equations.

Trial t, at time $\tau_t$ with stimuli x and outcome r, came about by one cause k of those met before, or by a new one:

$p(k) \propto \sum_{s<t} (\tau_t - \tau_s)^{-g}\, z_{sk}$, a new cause: $\alpha$ (recent causes are likely to go on);

$p(x_d \mid k)$: normal about $\sum_s z_{sk} x_{sd} / (N_k + \sigma_x^2)$, variance
$\sigma_x^2 / (N_k + \sigma_x^2) + \sigma_x^2$;

$p(r \mid x, k)$: normal about $x^\top w_k$, variance $1 / (g_r \Pi_r)$: the precision of the outcome level times its gain.

Before the outcome the animal predicts $V = \sum_k p(k \mid x)\, x^\top w_k$ and responds with $\Phi((V - \theta)/\lambda)$.
After it, until the next trial, it reconsiders once per unit of time, `max_iterations` times at most:

$q_k \propto p(k)\, p(x \mid k)\, p(r \mid x, k)$; $w_k \leftarrow w_k + \eta\, x\, q_k (r - x^\top w_k)$;

under an amnestic agent then $w_k \leftarrow (1 - a q_k) w_k$.

The clock: at least one iteration, also after the last trial, and as many as whole units fit before the next. That the
time between retrieval and extinction counts is due to these iterations and to $p(k)$. Probabilities are logarithms.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Bool, Float, Int

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import check_range, checked_arguments
from pcmodel.inputs.arrays import is_traced, read_numbers
from pcmodel.inputs.ranges import Count, Range
from pcmodel.memory.assignment import IMPOSSIBLE, Map, Soft
from pcmodel.memory.trials import Trials, check_one_animal

LEFT_OUT = 1e-3
"""Probability that no place is left, above which a history is truncated where new causes are possible at all."""
WHOLE = 1e-5
"""A time that falls short of a whole unit by this share of itself is rounding."""


class CauseParameters(NamedTuple):
    r"""Parameters of one animal; the defaults are those of the paper's figures.

    concentration: $\alpha$, weight of a new cause against a trial one unit of time ago; 0: one cause for ever.
    temporal_decay: $g$, exponent with which the weight of past trials falls with time; 0: they do not fade.
    learning_rate: $\eta$, share of the error that one iteration corrects, per unit of stimulus squared.
    initial_weight: $w_0$ of every cause, outcome per stimulus; a number, or one for each feature.
    outcome_log_precision: $\log \Pi_r$, of the outcome around its prediction; 0.916 is a variance of 0.4.
    stimulus_variance: $\sigma_x^2$, of stimuli of one cause.
    response_threshold: $\theta$, prediction at which the response is one half.
    response_scale: $\lambda$, standard deviation of the response's threshold.
    """

    concentration: Any = 0.1
    temporal_decay: Any = 1.0
    learning_rate: Any = 0.3
    initial_weight: Any = 0.0
    outcome_log_precision: Any = -float(np.log(0.4))
    stimulus_variance: Any = 1.0
    response_threshold: Any = 0.02
    response_scale: Any = 0.01


PAPER = CauseParameters()
"""The parameters of the paper's figures."""

RANGES = {
    "concentration": Range(0.0),
    "temporal_decay": Range(0.0),
    "learning_rate": Range(0.0),
    "initial_weight": Range(),
    "outcome_log_precision": Range(-80.0, 80.0),
    "stimulus_variance": Range(0.0, open="least"),
    "response_threshold": Range(),
    "response_scale": Range(0.0, open="least"),
}


@checked_arguments
@dataclass(frozen=True)
class CauseOptions:
    """What is fixed before anything is compiled.

    num_causes: places for causes; where more were due the history says `truncated`.
    max_iterations: of learning after one trial, at most.
    assignment: what is remembered of a trial's cause, `Map()` or `Soft()`.
    """

    num_causes: Count = 15
    max_iterations: Count = 3
    assignment: Map | Soft = Map()


DEFAULT = CauseOptions()


class CauseHistory(NamedTuple):
    """What one animal expected and inferred; 0 (assignment: -1) on trials that are not present.

    prediction: $V$ of the outcome before it, in its unit.
    response: conditioned response, 0 to 1.
    before: p(cause) given the past and the stimuli, before the outcome; sums to 1.
    posterior: p(cause) in each iteration after the outcome; after the last, that of the last.
    weights: $w$ after each iteration, (trials, iterations, features, causes); after the last, that of the last.
    iterations: that there was time for.
    assignment: the most probable cause of each trial in the end.
    full: probability that no place was left for a new cause.
    num_causes: causes in use in the end; with `Soft()` their expected number.
    truncated: whether more places for causes could have changed the result.
    diverged: whether numbers left the range of their type (a learning rate too high for the stimuli).
    """

    prediction: Float[Array, " trials"]
    response: Float[Array, " trials"]
    before: Float[Array, "trials causes"]
    posterior: Float[Array, "trials iterations causes"]
    weights: Float[Array, "trials iterations features causes"]
    iterations: Int[Array, " trials"]
    assignment: Int[Array, " trials"]
    full: Float[Array, " trials"]
    num_causes: Float[Array, ""]
    truncated: Bool[Array, ""]
    diverged: Bool[Array, ""]


class _State(NamedTuple):
    """What the next trial needs.

    log_counts: of each trial so far and cause, (trials, causes).
    free: probability that a cause was never assigned.
    total: trials assigned to each cause.
    sums: of their stimuli, (features, causes).
    weights: (features, causes).
    """

    log_counts: Array
    free: Array
    total: Array
    sums: Array
    weights: Array


@checked_arguments
def learn_causes(
    trials: Trials,
    parameters: CauseParameters = PAPER,
    *,
    options: CauseOptions = DEFAULT,
) -> CauseHistory:
    """What one animal expects and infers over its trials. Differentiable with `Soft()`; map over animals with `jax.vmap`.

    Raises UserError for parameters out of range, and for trials of several animals.
    """
    check_one_animal(trials)
    return _learn(trials, as_parameters(parameters, trials), options)


def as_parameters(parameters: CauseParameters, trials: Trials) -> CauseParameters:
    """Arrays of the trials' type; UserError for numbers out of range, or of a wrong shape."""
    dtype, features = trials.time.dtype, trials.stimuli.shape[-1]
    found = {}
    for name, given in parameters._asdict().items():
        values = read_numbers(given, where=name)
        shapes = ((), (features,)) if name == "initial_weight" else ((),)
        if np.shape(values) not in shapes:
            raise UserError(
                f"has the shape {np.shape(values)}",
                where=name,
                expected=" or ".join(map(str, shapes)),
            )
        for number in () if is_traced(values) else np.ravel(values):
            check_range(float(number), RANGES[name], where=name)
        found[name] = jnp.asarray(values, dtype)
    return CauseParameters(**found)


@partial(jax.jit, static_argnames="options")
def _learn(
    trials: Trials, parameters: CauseParameters, options: CauseOptions
) -> CauseHistory:
    count, features = trials.stimuli.shape
    dtype, causes = trials.time.dtype, options.num_causes
    weights = jnp.broadcast_to(parameters.initial_weight, (features,))
    start = _State(
        jnp.full((count, causes), IMPOSSIBLE, dtype),
        jnp.ones(causes, dtype),
        jnp.zeros(causes, dtype),
        jnp.zeros((features, causes), dtype),
        jnp.repeat(weights[:, None], causes, axis=1),
    )
    iterations = num_iterations(trials, options.max_iterations)
    step = partial(_trial, trials=trials, parameters=parameters, options=options)
    end, (v, before, posterior, weights, full) = jax.lax.scan(
        step, start, (jnp.arange(count), iterations)
    )
    present = trials.present
    response = ndtr((v - parameters.response_threshold) / parameters.response_scale)
    return CauseHistory(
        v,
        jnp.where(present, response, 0.0),
        before,
        posterior,
        weights,
        jnp.where(present, iterations, 0),
        jnp.where(present, jnp.argmax(posterior[:, -1], axis=1), -1),
        full,
        jnp.sum(1.0 - end.free),
        jnp.any(full > LEFT_OUT) & (parameters.concentration > 0),
        ~(jnp.all(jnp.isfinite(weights)) & jnp.all(jnp.isfinite(posterior))),
    )


def num_iterations(trials: Trials, most: int) -> Int[Array, " trials"]:
    """Whole units of time until the next trial that is present, from 1 to `most`; 1 after the last."""
    times = jnp.where(trials.present, trials.time, jnp.inf)
    later = jax.lax.cummin(times, reverse=True)
    coming = jnp.append(later[1:], jnp.inf)
    gap = jnp.where(jnp.isfinite(coming), coming - trials.time, 1.0)
    return jnp.clip(jnp.floor(gap * (1.0 + WHOLE)), 1, most).astype(int)


def log_prior_of_causes(
    state: Any, trials: Trials, parameters: CauseParameters, at: Array
) -> Array:
    """log p(cause) before the stimuli: trials so far weighted by their age, and what a new cause gets."""
    # None for an absent trial: its time may be any number, whose logarithm would spoil derivatives.
    past = (jnp.arange(trials.time.size) < at) & trials.present & trials.present[at]
    age = jnp.where(past, trials.time[at] - trials.time, 1.0)
    log_weight = jnp.where(past, -parameters.temporal_decay * jnp.log(age), IMPOSSIBLE)
    log_old = jax.nn.logsumexp(log_weight[:, None] + state.log_counts, axis=0)
    # The first free place takes a new cause; before the first trial there is no rival to it.
    first = state.free * _before(1.0 - state.free)
    alpha = jnp.where(jnp.any(past), parameters.concentration, 1.0)
    log_new = _log(alpha) + _log(first)
    return jax.nn.log_softmax(jnp.logaddexp(log_old, log_new))


def log_stimulus_likelihood(
    stimuli: Array, total: Array, sums: Array, variance: Array
) -> Array:
    """log p(x | cause), the sum over features; (features,), (causes,), (features, causes) -> (causes,)."""
    weight = total + variance
    spread = variance / weight + variance
    error = stimuli[:, None] - sums / weight[None]
    each = -0.5 * (error**2 / spread[None] + jnp.log(2 * jnp.pi * spread)[None])
    return jnp.sum(each, axis=0)


def _trial(
    state: _State,
    at: tuple[Array, Array],
    *,
    trials: Trials,
    parameters: CauseParameters,
    options: CauseOptions,
) -> tuple[_State, tuple[Array, ...]]:
    """One trial: prediction, iterations of learning, what is remembered of its cause."""
    index, iterations = at
    x, here = trials.stimuli[index], trials.present[index]
    full = jnp.prod(1.0 - state.free)
    prior = log_prior_of_causes(state, trials, parameters, index)
    likelihood = log_stimulus_likelihood(
        x, state.total, state.sums, parameters.stimulus_variance
    )
    log_before = updated(prior, likelihood)
    prediction = jnp.exp(log_before) @ (x @ state.weights)
    learn = partial(_iterate, x, log_before, trials, parameters, index, iterations)
    (_, log_posterior), (posterior, weights) = jax.lax.scan(
        learn, (state.weights, log_before), jnp.arange(options.max_iterations)
    )
    log_counts = options.assignment.log_counts(log_posterior)
    counts = jnp.exp(log_counts)
    after = _State(
        state.log_counts.at[index].set(log_counts),
        state.free * (1.0 - counts),
        state.total + counts,
        state.sums + x[:, None] * counts[None],
        weights[-1],
    )
    seen = prediction, jnp.exp(log_before), posterior, weights, full
    zeros = jax.tree.map(jnp.zeros_like, seen)
    return _choose(here, after, state), _choose(here, seen, zeros)


def _iterate(
    x: Array,
    log_before: Array,
    trials: Trials,
    parameters: CauseParameters,
    index: Array,
    iterations: Array,
    carry: tuple[Array, Array],
    number: Array,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """One iteration after the outcome, where there is time for it: the posterior, then the weights."""
    weights, _ = carry
    log_precision = parameters.outcome_log_precision + jnp.log(
        trials.outcome_gain[index]
    )
    outcome, predicted = trials.outcome[index], x @ weights
    likelihood = log_outcome_likelihood(outcome, predicted, log_precision)
    log_posterior = updated(log_before, likelihood)
    q = jnp.exp(log_posterior)
    rate = parameters.learning_rate * trials.learning_gain[index]
    learned = weights + rate * x[:, None] * (q * (outcome - predicted))[None]
    learned = learned * (1.0 - trials.amnesia[index] * q)[None]
    carry = _choose(number < iterations, (learned, log_posterior), carry)
    return carry, (jnp.exp(carry[1]), carry[0])


def log_outcome_likelihood(
    outcome: Array, predicted: Array, log_precision: Array
) -> Array:
    """log p(r | cause) less that of the cause with the smallest error, (causes,).

    A difference of squares as a product, of predictions: large errors would take the difference's digits with them.
    """
    error = outcome - predicted
    best = jnp.argmin(jnp.abs(error))
    return (
        0.5
        * jnp.exp(log_precision)
        * (predicted - predicted[best])
        * (error + error[best])
    )


def updated(log_before: Array, log_likelihood: Array) -> Array:
    """Bayes' rule. What was impossible stays so, however unlikely the rest has become."""
    possible = log_before > IMPOSSIBLE / 2
    best = jnp.max(jnp.where(possible, log_likelihood, -jnp.inf))
    shifted = log_likelihood - jax.lax.stop_gradient(best)
    return jax.nn.log_softmax(jnp.where(possible, log_before + shifted, IMPOSSIBLE))


def _before(factors: Array) -> Array:
    """The product of all entries before each."""
    return jnp.concatenate([jnp.ones_like(factors[:1]), jnp.cumprod(factors)[:-1]])


def _log(share: Array) -> Array:
    """Logarithm that is IMPOSSIBLE at 0, with a gradient of 0 there."""
    positive = share > 0
    return jnp.where(positive, jnp.log(jnp.where(positive, share, 1.0)), IMPOSSIBLE)


def _choose(condition: Array, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)

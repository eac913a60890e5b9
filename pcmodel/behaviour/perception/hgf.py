r"""The Hierarchical Gaussian Filter with binary or continuous outcomes, any depth.

Latent levels form a chain; each takes a Gaussian random step a trial whose log variance
is $\kappa$ times the level above plus $\omega$. In the literature's numbering the binary
filter's latent levels are $x_2, x_3, \dots$ ($x_1$ is the outcome) and the continuous
one's $x_1, x_2, \dots$; arrays here start at the lowest latent level.

Mathys, Daunizeau, Friston & Stephan 2011 (Front Hum Neurosci 5:39); Mathys et al. 2014
(Front Hum Neurosci 8:825). The volatility updates are in `volatility`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pcmodel.behaviour.perception.interface import (
    Beliefs,
    Inputs,
    Level,
    Prediction,
    bernoulli_log_probability,
    choose,
    normal_log_density,
)
from pcmodel.behaviour.perception.quantities import (
    LevelFacts,
    logistic_learning_rate,
)
from pcmodel.behaviour.perception.volatility import (
    Child,
    GaussianBelief,
    VolatilityUpdate,
    log_lambert_w,
    standard,
)

_NEWTON_STEPS = 5  # from so near above that four are exact up to rounding
LOG_ODDS = LevelFacts(2, "log odds")


class HgfParameters(NamedTuple):
    r"""Parameters of one participant's filter, lowest latent level first.

    initial_mean: $\mu^{(0)}$, before the first trial.
    initial_log_precision: $-\log\sigma^{(0)}$, before the first trial.
    omega: $\omega$, log variance of a step where the level above is 0.
    kappa: $\kappa$, couplings to the level above; one fewer than the levels.
    drift: $\rho$, added to the mean at each trial.
    sensory_log_precision: log precision of a continuous outcome; else unused.
    """

    initial_mean: Float[Array, " levels"]
    initial_log_precision: Float[Array, " levels"]
    omega: Float[Array, " levels"]
    kappa: Float[Array, " couplings"]
    drift: Float[Array, " levels"]
    sensory_log_precision: Float[Array, ""]


def initial_beliefs(parameters: HgfParameters) -> Beliefs:
    """The beliefs about all levels before the first trial."""
    precision = jnp.exp(parameters.initial_log_precision)
    return Beliefs(tuple(parameters.initial_mean), tuple(precision), jnp.asarray(True))


def predict_chain(parameters: HgfParameters, beliefs: Beliefs) -> Prediction:
    """Means with their drift, and precisions after the step; the outcome's mean is the lowest."""
    steps = []
    for i, omega in enumerate(parameters.omega):
        above = i + 1 < len(beliefs.mean)
        phasic = parameters.kappa[i] * beliefs.mean[i + 1] if above else 0.0
        steps.append(jnp.exp(phasic + omega))
    means = [m + d for m, d in zip(beliefs.mean, parameters.drift, strict=True)]
    precisions = [
        1.0 / (1.0 / precision + step)
        for precision, step in zip(beliefs.precision, steps, strict=True)
    ]
    return Prediction(means[0], tuple(means), tuple(precisions), tuple(steps))


def update_volatility(
    parameters: HgfParameters,
    beliefs: Beliefs,
    prediction: Prediction,
    lowest: GaussianBelief,
    rule: VolatilityUpdate,
) -> Beliefs:
    """The posterior of all levels, given that of the lowest.

    A precision below zero is replaced by the predicted one, and the beliefs are marked as not
    valid from then on; TAPAS stops with an error there.
    """
    levels, valid = [lowest], beliefs.valid & (lowest.precision > 0.0)
    for i in range(1, len(beliefs.mean)):
        below = Child(
            previous_variance=1.0 / beliefs.precision[i - 1],
            predicted_precision=prediction.precision[i - 1],
            variance=1.0 / levels[-1].precision,
            error=levels[-1].mean - prediction.mean[i - 1],
            omega=parameters.omega[i - 1],
            kappa=parameters.kappa[i - 1],
            volatility=prediction.volatility[i - 1],
        )
        predicted = GaussianBelief(prediction.mean[i], prediction.precision[i])
        new = rule(predicted, below)
        sound = (new.precision > 0.0) & jnp.isfinite(new.mean)
        levels.append(choose(sound, new, predicted))
        valid = valid & sound
    means, precisions = zip(*levels, strict=True)
    return Beliefs(tuple(means), tuple(precisions), valid)


def as_predicted(beliefs: Beliefs, prediction: Prediction) -> Beliefs:
    """The beliefs after a trial without an outcome."""
    return Beliefs(prediction.mean, prediction.precision, beliefs.valid)


def predict_binary(
    parameters: HgfParameters, beliefs: Beliefs, *, clip: float
) -> Prediction:
    """The prediction of all levels, with the probability of a 1, at least `clip` from 0 and 1."""
    prediction = predict_chain(parameters, beliefs)
    probability = jax.nn.sigmoid(prediction.mean[0])
    return prediction._replace(outcome=jnp.clip(probability, clip, 1.0 - clip))


def binary_posterior(
    prediction: Prediction, probability: Level, outcome: Level
) -> GaussianBelief:
    r"""Posterior of the level above a binary outcome: $\pi = \hat\pi + \hat\mu_1 (1 - \hat\mu_1)$."""
    precision = prediction.precision[0] + probability * (1.0 - probability)
    mean = prediction.mean[0] + (outcome - probability) / precision
    return GaussianBelief(mean, precision)


def binary_mode(prediction: Prediction, outcome: Level) -> GaussianBelief:
    r"""The mode of the posterior of the level above a binary outcome, and the curvature there.

    The published update is one step of Newton's method from the prediction. Where the predicted variance is greater than
    some four it overshoots, trial after trial: the filter then oscillates without bound and depends on its parameters
    chaotically. The mode, $\mu = \hat\mu + (u - s(\mu)) / \hat\pi$, moves with the logarithm of the variance only.
    """
    # With signs such that the outcome is a 1, the mode solves pi (z - k) = s(-z), k its prediction.
    sign = jnp.where(outcome > 0.5, 1.0, -1.0).astype(prediction.mean[0].dtype)
    precision, mean = jax.lax.stop_gradient(
        (prediction.precision[0], prediction.mean[0])
    )
    k = sign * mean
    # Above it: s(-z) is less than 1 and than exp(-z).
    z = k + jnp.minimum(
        1.0 / precision, jnp.exp(log_lambert_w(-jnp.log(precision) - k))
    )
    low, high = k, z
    for _ in range(_NEWTON_STEPS):
        other = jax.nn.sigmoid(-z)
        excess = precision * (z - k) - other
        low, high = (
            jnp.where(excess < 0.0, z, low),
            jnp.where(excess > 0.0, z, high),
        )
        step = z - excess / (precision + other * (1.0 - other))
        z = jnp.where((step >= low) & (step <= high), step, 0.5 * (low + high))
    return _implicit(prediction, outcome, jax.lax.stop_gradient(sign * z))


def _implicit(prediction: Prediction, outcome: Level, mode: Level) -> GaussianBelief:
    """The belief at a mode, whose derivative is that of the equation it solves."""
    precision, mean = prediction.precision[0], prediction.mean[0]
    s = jax.nn.sigmoid(mode)
    slope = jax.lax.stop_gradient(precision + s * (1.0 - s))
    # 1 - s by the other tail, where no digits cancel.
    error = jnp.where(outcome > 0.5, jax.nn.sigmoid(-mode), -s)
    mode = mode - (precision * (mode - mean) - error) / slope
    s, other = jax.nn.sigmoid(mode), jax.nn.sigmoid(-mode)
    return GaussianBelief(mode, precision + s * other)


def binary_learning_rate(prediction: Prediction, belief: Beliefs) -> Level:
    """Change of the probability of a 1, by the lowest level's posterior, as a share of its error."""
    step = 1.0 / belief.precision[0]
    return logistic_learning_rate(prediction.mean[0], belief.mean[0], step)


@dataclass(frozen=True)
class BinaryHgf:
    """The HGF of outcomes 0 and 1, whose log odds are the lowest latent level ($x_2$).

    Attributes:
        rule: the volatility update; see `volatility` for the five.
        clip: least distance of the predicted probability from 0 and 1; 0.001 in TAPAS's
            enhanced and unbounded filters, 0 in the others.
        at_mode: whether the level above the outcome is updated to the mode of its posterior (`binary_mode`), instead of
            by the published single step.
    """

    rule: VolatilityUpdate = standard
    clip: float = 0.0
    at_mode: bool = False
    LEVELS = LOG_ODDS

    def init(self, parameters: HgfParameters) -> Beliefs:
        return initial_beliefs(parameters)

    def predict(self, parameters: HgfParameters, beliefs: Beliefs) -> Prediction:
        return predict_binary(parameters, beliefs, clip=self.clip)

    def update(
        self,
        parameters: HgfParameters,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        if self.at_mode:
            lowest = binary_mode(prediction, trial.outcome)
        else:
            lowest = binary_posterior(prediction, prediction.outcome, trial.outcome)
        new = update_volatility(parameters, beliefs, prediction, lowest, self.rule)
        return choose(trial.seen, new, as_predicted(beliefs, prediction))

    def learning_rate(
        self,
        parameters: HgfParameters,
        prediction: Prediction,
        belief: Beliefs,
        trial: Inputs,
    ) -> Float[Array, ""]:
        """Change of the probability of a 1 as a share of its error; TAPAS `lr1`."""
        return binary_learning_rate(prediction, belief)

    def log_evidence(
        self, parameters: HgfParameters, prediction: Prediction, trial: Inputs
    ) -> Float[Array, ""]:
        return bernoulli_log_probability(trial.outcome, prediction.outcome)


@dataclass(frozen=True)
class ContinuousHgf:
    """The HGF of continuous outcomes around the lowest latent level ($x_1$).

    The log evidence includes the outcome's own noise; pyhgf's
    `first_level_gaussian_surprise` leaves it out.

    Attributes:
        rule: the volatility update; see `volatility` for the five.
    """

    rule: VolatilityUpdate = standard

    def init(self, parameters: HgfParameters) -> Beliefs:
        return initial_beliefs(parameters)

    def predict(self, parameters: HgfParameters, beliefs: Beliefs) -> Prediction:
        return predict_chain(parameters, beliefs)

    def update(
        self,
        parameters: HgfParameters,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        sensory = jnp.exp(parameters.sensory_log_precision)
        precision = prediction.precision[0] + sensory
        error = trial.outcome - prediction.mean[0]
        lowest = GaussianBelief(
            prediction.mean[0] + sensory / precision * error, precision
        )
        new = update_volatility(parameters, beliefs, prediction, lowest, self.rule)
        return choose(trial.seen, new, as_predicted(beliefs, prediction))

    def learning_rate(
        self,
        parameters: HgfParameters,
        prediction: Prediction,
        belief: Beliefs,
        trial: Inputs,
    ) -> Float[Array, ""]:
        """The weight of the outcome."""
        return jnp.exp(parameters.sensory_log_precision) / belief.precision[0]

    def log_evidence(
        self, parameters: HgfParameters, prediction: Prediction, trial: Inputs
    ) -> Float[Array, ""]:
        noise = jnp.exp(-parameters.sensory_log_precision)
        variance = 1.0 / prediction.precision[0] + noise
        return normal_log_density(trial.outcome, prediction.mean[0], variance)

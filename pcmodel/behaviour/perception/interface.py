"""The interface of perceptual models: beliefs, a prediction, and an update for each trial.

A model object holds options only; its parameters are arrays, so that a model is vmapped over
participants by mapping its functions over parameters and inputs. A trial without an outcome
is masked: the prediction, already widened by a trial's volatility, becomes the belief (TAPAS
instead keeps the belief on such trials). The values under the mask are finite, so that
gradients are finite, too.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import default_dtype, read_array, read_numbers, to_dtype

Level = Float[Array, "*shape"]


class Inputs(NamedTuple):
    """The outcomes of one participant; one entry per trial, or scalars for one trial.

    outcome: of the trial; 0 or 1 where binary.
    seen: whether an outcome was shown.
    arm: the option whose outcome it is, from 0.
    """

    outcome: Float[Array, "*trials"]
    seen: Bool[Array, "*trials"]
    arm: Int[Array, "*trials"]


class Beliefs(NamedTuple):
    """Gaussian beliefs about the latent levels, lowest first.

    mean: of each level.
    precision: of each level; empty where the model has no uncertainty.
    valid: false after an update with a precision below zero.
    state: whatever else a model carries from trial to trial; empty in the shipped ones.
    """

    mean: tuple[Level, ...]
    precision: tuple[Level, ...]
    valid: Bool[Array, "*trials"]
    state: Any = ()


class Prediction(NamedTuple):
    """The prediction of a trial before its outcome.

    outcome: its expectation; the probability of 1 where it is binary.
    mean: of each level, lowest first.
    precision: of each level, lowest first.
    volatility: the variance that each level gained since the last trial.
    """

    outcome: Level
    mean: tuple[Level, ...]
    precision: tuple[Level, ...]
    volatility: tuple[Level, ...]


class Trace(NamedTuple):
    """All trials of one participant, on the leading axis of every array.

    prediction: before the outcome.
    belief: after the outcome.
    log_evidence: log predictive density (nats) of the outcome; 0 where none was seen.
    """

    prediction: Prediction
    belief: Beliefs
    log_evidence: Float[Array, " trials"]


@runtime_checkable
class PerceptualModel(Protocol):
    """A model by pure functions of its parameters; the module describes missing outcomes."""

    def init(self, parameters: Any) -> Beliefs:
        """The beliefs before the first trial."""
        ...

    def predict(self, parameters: Any, beliefs: Beliefs) -> Prediction:
        """The prediction of the next trial from these beliefs."""
        ...

    def update(
        self, parameters: Any, beliefs: Beliefs, prediction: Prediction, trial: Inputs
    ) -> Beliefs:
        """The beliefs after a trial; `beliefs` are those before it."""
        ...

    def log_evidence(
        self, parameters: Any, prediction: Prediction, trial: Inputs
    ) -> Float[Array, ""]:
        """Log predictive density of the outcome (log probability where binary)."""
        ...


def perceive(model: PerceptualModel, parameters: Any, inputs: Inputs) -> Trace:
    """Run a model over one participant's trials in a single scan."""

    def step(beliefs: Beliefs, trial: Inputs) -> tuple[Beliefs, Trace]:
        prediction = model.predict(parameters, beliefs)
        evidence = model.log_evidence(parameters, prediction, trial)
        beliefs = model.update(parameters, beliefs, prediction, trial)
        evidence = jnp.where(trial.seen, evidence, 0.0)
        return beliefs, Trace(prediction, beliefs, evidence)

    # Rematerialised: with a volatility level a step is cheaper to recompute than to store.
    step = jax.checkpoint(step, prevent_cse=False)
    return jax.lax.scan(step, model.init(parameters), inputs)[1]


def make_inputs(outcome, *, arm=None) -> Inputs:
    """Inputs from arrays.

    outcome: with any leading axes; NaN, or masked, where none was seen.
    arm: the option of each outcome, from 0; kept where no outcome was seen, since an option
        can be chosen without one. 0 if not given.
    Raises UserError for outcomes that are no numbers or infinite, and for arms that are not
    whole numbers of 0 or more, one for each outcome.
    """
    values, missing = read_array(outcome, where="outcome")
    values = to_dtype(values, default_dtype(), where="outcome")
    outcome = np.asarray(values, dtype=float)
    if missing is not None:
        outcome = np.where(missing, np.nan, outcome)
    if np.any(np.isinf(outcome)):
        raise UserError("is infinite", where="outcome", expected="numbers, or NaN")
    seen = np.isfinite(outcome)
    arm = np.zeros(outcome.shape, int) if arm is None else _as_arms(arm, outcome.shape)
    return Inputs(
        outcome=jnp.asarray(np.where(seen, outcome, 0.0)),
        seen=jnp.asarray(seen),
        arm=jnp.asarray(arm.astype(int)),
    )


def _as_arms(arm, shape: tuple[int, ...]) -> np.ndarray:
    """The options as an array; UserError for other numbers or another shape."""
    arms = np.asarray(read_numbers(arm, where="arm"))
    if arms.shape != shape or np.any(arms < 0) or np.any(arms != np.floor(arms)):
        raise UserError(
            f"has shape {arms.shape} and values from {arms.min():g} to {arms.max():g}"
            if arms.size
            else f"has shape {arms.shape}",
            where="arm",
            expected=f"whole numbers from 0 of shape {shape}",
        )
    return arms


def choose(seen: Bool[Array, "*shape"], new: Any, old: Any) -> Any:
    """`new` where an outcome was seen, else `old`, for each leaf."""
    return jax.tree.map(lambda a, b: jnp.where(seen, a, b), new, old)


def bernoulli_log_probability(outcome: Level, probability: Level) -> Level:
    """Log probability of a 0 or 1."""
    chance = jnp.where(outcome > 0.5, probability, 1.0 - probability)
    return jnp.log(jnp.maximum(chance, jnp.finfo(chance.dtype).tiny))


def normal_log_density(value: Level, mean: Level, variance: Level) -> Level:
    """Log density of a Gaussian."""
    return -0.5 * ((value - mean) ** 2 / variance + jnp.log(2.0 * jnp.pi * variance))

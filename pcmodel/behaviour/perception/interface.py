"""What every perceptual model is: beliefs, a prediction, and an update, one trial at a time.

A model holds options only; its parameters are arrays, so a model is vmapped over
participants by mapping its functions over parameters and inputs. A trial without an
outcome is masked: the prediction, already widened by a trial's volatility, becomes the
belief (TAPAS instead freezes the belief on such trials), and the values under the mask
are finite, so that gradients are.
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
    """What one participant saw; one entry per trial, or scalars for one trial."""

    outcome: Float[Array, "*trials"]  # 0 or 1 where binary
    seen: Bool[Array, "*trials"]  # false: no outcome was shown
    arm: Int[Array, "*trials"]  # which option's outcome it is, from 0


class Beliefs(NamedTuple):
    """Gaussian beliefs about the latent levels, lowest first."""

    mean: tuple[Level, ...]
    precision: tuple[Level, ...]  # empty where the model has no uncertainty
    valid: Bool[Array, "*trials"]  # false once an update gave a precision below zero


class Prediction(NamedTuple):
    """What is expected before the outcome."""

    outcome: Level  # its expectation; the probability of 1 where it is binary
    mean: tuple[Level, ...]
    precision: tuple[Level, ...]
    volatility: tuple[Level, ...]  # variance each level gained since the last trial


class Trace(NamedTuple):
    """All trials of one participant, trials on the leading axis of every array."""

    prediction: Prediction
    belief: Beliefs  # after the outcome
    log_evidence: Float[Array, " trials"]  # of the outcome, 0 where none was seen


@runtime_checkable
class PerceptualModel(Protocol):
    """Pure functions of parameters; see the module docstring for missing outcomes."""

    def init(self, parameters: Any) -> Beliefs:
        """The beliefs before the first trial."""
        ...

    def predict(self, parameters: Any, beliefs: Beliefs) -> Prediction:
        """What those beliefs expect of the next trial."""
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

    # Rematerialised: with a volatility level a step is cheaper to repeat than to keep.
    step = jax.checkpoint(step, prevent_cse=False)
    return jax.lax.scan(step, model.init(parameters), inputs)[1]


def make_inputs(outcome, *, arm=None) -> Inputs:
    """Inputs from a plain array of outcomes, NaN or a numpy mask meaning that none was seen.

    Any leading axes; `arm` counts from 0 and is kept where nothing was seen, since an option can be
    chosen without an outcome.  Raises UserError for what are no numbers or infinite, and for arms that are
    no whole numbers of 0 or more, one for each outcome.
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
    """`new` where an outcome was seen, leaf by leaf."""
    return jax.tree.map(lambda a, b: jnp.where(seen, a, b), new, old)


def bernoulli_log_probability(outcome: Level, probability: Level) -> Level:
    """Log probability of a 0 or 1."""
    chance = jnp.where(outcome > 0.5, probability, 1.0 - probability)
    return jnp.log(jnp.maximum(chance, jnp.finfo(chance.dtype).tiny))


def normal_log_density(value: Level, mean: Level, variance: Level) -> Level:
    """Log density of a Gaussian."""
    return -0.5 * ((value - mean) ** 2 / variance + jnp.log(2.0 * jnp.pi * variance))

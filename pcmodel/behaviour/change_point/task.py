"""The change-point task: a participant's trials, and how outcomes are simulated.

A helicopter, usually hidden, drops one outcome a trial around its position; occasionally
it moves to a random position in the range. The participant reports where the next outcome
will fall (Nassar et al. 2010; McGuire et al. 2014; here as in Bruckner et al.).
All positions are screen units from 0 to 300; reports are whole units.

Two rules follow from people's data. *Catch trials*: the helicopter
is shown together with the outcome, so that it informs the **next** report (after a
change point with the helicopter visible the next report is twice as close to it as
without). *Block starts*: the bucket starts near the middle and the first report precedes
any outcome, so it is not scored; before the first outcome there is no belief.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_array, read_numbers, to_dtype
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.ranges import Count, Positive, Share
from pcmodel.runtime.memory import check_fits

RANGE_LOW = 0.0
RANGE_HIGH = 300.0
RANGE_WIDTH = RANGE_HIGH - RANGE_LOW
RANGE_CENTRE = 0.5 * (RANGE_LOW + RANGE_HIGH)
TASK_SDS = (10.0, 25.0)
REFERENCE_SD = float(np.sqrt(TASK_SDS[0] * TASK_SDS[1]))  # their geometric mean


class Trials(NamedTuple):
    """One participant's trials; values under a false mask are finite and not used."""

    outcome: Float[Array, " trials"]
    report: Float[Array, " trials"]  # made before the outcome of the same trial
    noise_sd: Float[Array, " trials"]  # the task's outcome SD
    helicopter: Float[Array, " trials"]  # its true position
    helicopter_seen: Bool[Array, " trials"]  # catch trial
    block_start: Bool[Array, " trials"]
    outcome_seen: Bool[Array, " trials"]
    reported: Bool[Array, " trials"]
    push: Float[Array, " trials"]  # how far the mark was moved since the last report


@checked_arguments
def make_trials(
    *, outcome, report, noise_sd, helicopter, helicopter_seen, block_start, push=None
) -> Trials:
    """Trials from plain arrays of one shape (any leading axes); NaN means missing.

    Raises UserError for shapes that differ, a non-positive noise SD, invalid flags, or a
    position outside the range. Without `push` the mark starts at the last report.
    """
    outcome, report = _values("outcome", outcome), _values("report", report)
    noise_sd = _values("noise_sd", noise_sd)
    helicopter = _values("helicopter", helicopter)
    helicopter_seen = _flags("helicopter_seen", helicopter_seen)
    block_start = _flags("block_start", block_start)
    push = np.zeros_like(outcome) if push is None else _values("push", push)
    _check(outcome, report, noise_sd, helicopter, helicopter_seen, block_start, push)
    return Trials(
        outcome=jnp.asarray(np.nan_to_num(outcome, nan=RANGE_CENTRE)),
        report=jnp.asarray(np.nan_to_num(report, nan=RANGE_CENTRE)),
        noise_sd=jnp.asarray(noise_sd),
        helicopter=jnp.asarray(np.nan_to_num(helicopter, nan=RANGE_CENTRE)),
        helicopter_seen=jnp.asarray(helicopter_seen & np.isfinite(helicopter)),
        block_start=jnp.asarray(block_start),
        outcome_seen=jnp.asarray(np.isfinite(outcome)),
        reported=jnp.asarray(np.isfinite(report)),
        push=jnp.asarray(np.nan_to_num(push)),
    )


def _values(name: str, given: Any) -> np.ndarray:
    """One number a trial, NaN where it is missing or masked."""
    values, missing = read_array(given, where=name)
    array = np.asarray(to_dtype(values, np.float64, where=name))
    if np.any(np.isinf(array)):
        raise UserError(
            "holds infinity", where=name, expected="numbers; NaN is missing"
        )
    return array if missing is None else np.where(missing, np.nan, array)


def _flags(name: str, given: Any) -> np.ndarray:
    """One flag a trial."""
    values = np.asarray(read_numbers(given, where=name))
    if not np.all((values == 0) | (values == 1)):
        raise UserError("holds what are no flags", where=name, expected="booleans")
    return values.astype(bool)


def _check(
    outcome, report, noise_sd, helicopter, helicopter_seen, block_start, push
) -> None:
    fields = {
        "outcome": outcome,
        "report": report,
        "noise_sd": noise_sd,
        "helicopter": helicopter,
        "helicopter_seen": helicopter_seen,
        "block_start": block_start,
        "push": push,
    }
    for name, values in fields.items():
        if values.shape != outcome.shape:
            raise UserError(
                f"{name} has shape {values.shape}, outcome {outcome.shape}: expected "
                "one value per trial in each"
            )
    if not np.all(noise_sd > 0.0):
        raise UserError("noise_sd must be positive and present on every trial")
    for name in ("outcome", "report", "helicopter"):
        values = fields[name][np.isfinite(fields[name])]
        if values.size and (values.min() < RANGE_LOW or values.max() > RANGE_HIGH):
            raise UserError(
                f"{name} spans {values.min():g} to {values.max():g}: expected screen "
                f"units from {RANGE_LOW:g} to {RANGE_HIGH:g}"
            )


@checked_arguments
def simulate_task(
    key: Key[Array, ""],
    *,
    num_trials: Count,
    noise_sds: tuple[Positive, ...] = TASK_SDS,
    hazard: Share = 0.1,
    catch_probability: Share = 0.1,
) -> Trials:
    """Simulate one participant's outcomes, one block for each noise SD, without reports.

    num_trials: of all blocks together.
    noise_sds: outcome SD of each block, screen units.
    hazard: probability of a change on each trial.
    catch_probability: of a visible helicopter on each trial.
    Outcomes are clipped to the range, as on the screen.
    """
    key = check_key(key)
    check_fits(num_trials, 9, what="so many trials")
    change_key, place_key, noise_key, catch_key = jax.random.split(key, 4)
    index = jnp.arange(num_trials)
    length = -(-num_trials // len(noise_sds))
    noise_sd = jnp.asarray(noise_sds)[index // length]
    block_start = index % length == 0
    changes = block_start | jax.random.bernoulli(change_key, hazard, (num_trials,))
    places = jax.random.uniform(
        place_key, (num_trials,), minval=RANGE_LOW, maxval=RANGE_HIGH
    )
    last_change = jax.lax.cummax(jnp.where(changes, index, 0))
    helicopter = places[last_change]
    noise = noise_sd * jax.random.normal(noise_key, (num_trials,))
    return Trials(
        outcome=jnp.clip(jnp.round(helicopter + noise), RANGE_LOW, RANGE_HIGH),
        report=jnp.full((num_trials,), RANGE_CENTRE),
        noise_sd=noise_sd,
        helicopter=helicopter,
        helicopter_seen=jax.random.bernoulli(
            catch_key, catch_probability, (num_trials,)
        ),
        block_start=block_start,
        outcome_seen=jnp.ones((num_trials,), bool),
        reported=jnp.zeros((num_trials,), bool),
        push=jnp.zeros((num_trials,)),
    )

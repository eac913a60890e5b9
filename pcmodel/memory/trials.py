"""The trials of one animal: what it met, when, and under which drug."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import default_dtype, is_traced, read_numbers, to_dtype

GAP_ERROR = 1e-3
"""Relative error of an interval, from storing times, that is refused."""


class Trials(NamedTuple):
    """One animal's trials in order of time; with leading axes for animals or designs.

    time: of each trial; unit: one iteration of learning; ascending.
    outcome: what followed; 1 a shock, 0 none, in any unit.
    stimuli: features of each trial, (trials, features); 1 present, 0 absent.
    present: False where nothing happened (padding, a trial that was left out); such a row changes nothing.
    scored: whether the response of the trial was measured; learning ignores it.
    outcome_gain: factor on the precision of the outcome, 1 without drugs.
    learning_gain: factor on the learning rate, 1 without drugs.
    amnesia: share of an active memory that an amnestic agent erases in every iteration, 0 to 1.
    """

    time: Float[Array, "*trials"]
    outcome: Float[Array, "*trials"]
    stimuli: Float[Array, "*rows"]
    present: Bool[Array, "*trials"]
    scored: Bool[Array, "*trials"]
    outcome_gain: Float[Array, "*trials"]
    learning_gain: Float[Array, "*trials"]
    amnesia: Float[Array, "*trials"]


def make_trials(
    time: Any,
    outcome: Any,
    stimuli: Any,
    *,
    present: Any = True,
    scored: Any = True,
    outcome_gain: Any = 1.0,
    learning_gain: Any = 1.0,
    amnesia: Any = 0.0,
) -> Trials:
    """Trials of one animal from arrays, checked; one value stands for all trials.

    stimuli: (trials, features); (trials,) for one feature.
    The rest: see `Trials`.

    Raises UserError for no trials, arrays that differ in length, times that do not ascend or that the
    numbers' type cannot tell apart, gains that are not positive (learning: negative), amnesia outside 0 to 1.
    """
    times = _vector("time", time, None)
    if times.size == 0:
        raise UserError("there are no trials", where="time", expected="one or more")
    count = times.size
    kept = _flags("present", present, count)
    _check_times(times[kept])
    features = np.asarray(read_numbers(stimuli, where="stimuli", dtype=np.float64))
    features = features[:, None] if features.ndim == 1 else features
    if features.ndim != 2 or len(features) != count or not features.shape[1]:
        raise UserError(
            f"has the shape {features.shape}",
            where="stimuli",
            expected=f"({count}, features), a row for each time",
        )
    numbers = {
        "outcome": _vector("outcome", outcome, count),
        "outcome_gain": _vector("outcome_gain", outcome_gain, count),
        "learning_gain": _vector("learning_gain", learning_gain, count),
        "amnesia": _vector("amnesia", amnesia, count),
    }
    _check_ranges(numbers)
    dtype = default_dtype()
    typed = {
        name: jnp.asarray(to_dtype(values, dtype, where=name))
        for name, values in {"time": times, "stimuli": features, **numbers}.items()
    }
    return Trials(
        **typed,
        present=jnp.asarray(kept),
        scored=jnp.asarray(_flags("scored", scored, count)),
    )


def stack_trials(designs: Sequence[Trials]) -> Trials:
    """Several animals' trials on a leading axis, padded at the end to the longest.

    Raises UserError for none, and for different numbers of features.
    """
    if not designs:
        raise UserError("there are no designs to stack", expected="one or more")
    features = {trials.stimuli.shape[-1] for trials in designs}
    if len(features) > 1:
        raise UserError(
            f"designs with {sorted(features)} features cannot be stacked",
            expected="the same number in each (an absent stimulus is a column of 0)",
        )
    longest = max(trials.time.shape[-1] for trials in designs)
    padded = [pad_trials(trials, longest) for trials in designs]
    return jax.tree.map(lambda *rows: jnp.asarray(_library(rows).stack(rows)), *padded)


def pad_trials(trials: Trials, length: int) -> Trials:
    """The trials with absent ones behind them, `length` in all; learning sees no difference."""
    missing = length - trials.time.shape[-1]
    if missing < 0:
        raise UserError(
            f"{trials.time.shape[-1]} trials do not fit into {length}",
            where="length",
            expected="at least the number of trials",
        )

    def behind(rows: Array, value: float) -> Array:
        widths = [(0, missing)] + [(0, 0)] * (rows.ndim - 1)
        padded = _library(rows).pad(rows, widths, constant_values=value)
        return jnp.asarray(padded)

    gains = ("outcome_gain", "learning_gain")
    return Trials(
        **{
            name: behind(rows, 1 if name in gains else 0)
            for name, rows in trials._asdict().items()
        }
    )


def _library(rows: Any) -> Any:
    """Numpy where values are known: jax would compile a program for every length."""
    return jnp if is_traced(rows) else np


def check_one_animal(trials: Trials) -> None:
    """UserError for trials of several animals where those of one are expected."""
    if trials.time.ndim != 1:
        raise UserError(
            f"trials have {trials.time.ndim - 1} leading axes",
            where="trials",
            expected="those of one animal: map over several with jax.vmap",
        )
    if not is_traced(trials) and not np.any(np.asarray(trials.present)):
        raise UserError(
            "no trial is present", where="trials", expected="at least one that happened"
        )


def _vector(name: str, given: Any, count: int | None) -> np.ndarray:
    """Numbers, one a trial, or one for all; times (no count yet) are a sequence."""
    values = np.asarray(read_numbers(given, where=name, dtype=np.float64))
    if count is not None and values.ndim == 0:
        values = np.full(count, values)
    if values.ndim != 1 or (count is not None and values.size != count):
        raise UserError(
            f"has the shape {values.shape}",
            where=name,
            expected="one time for each trial" if count is None else f"{count} values",
        )
    return values


def _flags(name: str, given: Any, count: int) -> np.ndarray:
    values = _vector(name, given, count)
    if not np.all((values == 0) | (values == 1)):
        raise UserError(
            f"holds {values[(values != 0) & (values != 1)][0]:g}",
            where=name,
            expected="True or False for each trial",
        )
    return values.astype(bool)


def _check_times(times: np.ndarray) -> None:
    if times.size == 0:
        raise UserError("no trial is present", where="present", expected="one or more")
    gaps = np.diff(times)
    wrong = np.flatnonzero(gaps <= 0)
    if wrong.size:
        first = wrong[0]
        raise UserError(
            f"trial {first + 2} is at {times[first + 1]:.10g}, trial {first + 1} at {times[first]:.10g}",
            where="time",
            expected="ascending times, no two alike",
        )
    dtype = default_dtype()
    stored = to_dtype(times, dtype, where="time").astype(np.float64)
    if np.any(np.abs(np.diff(stored) - gaps) > GAP_ERROR * gaps):
        raise UserError(
            f"intervals down to {gaps.min():g} at times up to {np.abs(times).max():g} are lost in {dtype}",
            where="time",
            expected="times counted from the first trial, or jax_enable_x64",
        )


def _check_ranges(numbers: dict[str, np.ndarray]) -> None:
    limits = {
        "outcome_gain": ("above 0", lambda v: v > 0),
        "learning_gain": ("0 or more", lambda v: v >= 0),
        "amnesia": ("0 to 1", lambda v: (v >= 0) & (v <= 1)),
    }
    for name, (expected, admits) in limits.items():
        wrong = np.flatnonzero(~admits(numbers[name]))
        if wrong.size:
            raise UserError(
                f"trial {wrong[0] + 1} has {numbers[name][wrong[0]]:g}",
                where=name,
                expected=expected,
            )

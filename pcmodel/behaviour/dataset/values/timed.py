"""Trials of which the time is known: their order, and looks at behaviour between them."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from pcmodel.behaviour.dataset.task_table import Trials

ORDER = "order: by time, in hours; what is learned is carried on over sessions"
STIMULI = ("stimulus", "stimulus_2", "stimulus_3", "stimulus_4")


def in_time(
    trials: Trials, time: Float[np.ndarray, " rows"]
) -> tuple[Int[np.ndarray, " rows"], str]:
    """Rows sorted by series and time, and a note on that; two rows of a series at one time are refused."""
    order = np.lexsort((time, trials.series))
    same = (np.diff(time[order]) == 0.0) & (np.diff(trials.series[order]) == 0)
    for earlier, later in zip(order[:-1][same], order[1:][same], strict=True):
        place = trials.places["time"]
        row = trials.raw.at(int(earlier), place)["row"]
        trials.cell(place, later).refuse(
            f"is the time of row {row} as well, of the same participant; one trial comes "
            "before the other (if they are of two runs, --series-by COLUMN tells them apart)"
        )
    return order, ORDER


def check_probes(trials: Trials, values: Mapping[str, np.ndarray]) -> None:
    """Refuse a stimulus of which it is not known whether its outcome came.

    A row without an outcome is a look at behaviour between the trials, with no stimulus.
    """
    if trials.task.column("outcome").name not in trials.places:
        return
    shown = [
        np.nan_to_num(values[name]) != 0.0
        for name in STIMULI
        if name in trials.places or name == STIMULI[0]
    ]
    unknown = np.isnan(values["outcome"]) & np.any(shown, axis=0)
    for i in np.flatnonzero(unknown):
        trials.cell(trials.places["outcome"], i).refuse(
            "is missing at a stimulus: write 0 where nothing followed; where there was no "
            "stimulus and behaviour alone was looked at, write 0 in the stimulus' column"
        )

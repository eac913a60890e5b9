"""Ten people in the helicopter task: embedded, read with numpy alone.

See `HELICOPTER_LICENSE.txt` beside the file for the study to cite, the licence, and the
rule by which the subset was chosen.
"""

from importlib import resources
from typing import NamedTuple

import numpy as np

FILE_NAME = "helicopter.csv"
NUM_PARTICIPANTS = 10
NUM_TRIALS = 200


class HelicopterData(NamedTuple):
    """Positions in screen units (0 to 300); arrays are (participants, trials)."""

    participant: np.ndarray  # (participants,): numbers in the original study
    trial: np.ndarray
    outcome: np.ndarray
    report: np.ndarray  # bucket position, set before the outcome of the same trial
    helicopter: np.ndarray  # true position
    change_point: np.ndarray  # bool: the helicopter moved before this outcome
    noise_sd: np.ndarray  # the task's outcome SD, 10 or 25
    helicopter_seen: np.ndarray  # bool: shown together with the outcome (catch trial)
    block_start: np.ndarray  # bool


def load_helicopter() -> HelicopterData:
    """The embedded subset: ten younger adults, a hundred trials at each outcome SD."""
    source = resources.files("pcmodel.data").joinpath(FILE_NAME)
    with source.open("r", encoding="utf-8-sig") as stream:
        names = stream.readline().strip().split(",")
        table = np.loadtxt(stream, delimiter=",")
    shape = (NUM_PARTICIPANTS, NUM_TRIALS)
    column = {name: table[:, i].reshape(shape) for i, name in enumerate(names)}
    return HelicopterData(
        participant=column["subject"][:, 0].astype(int),
        trial=column["trial"].astype(int),
        outcome=column["x_t"],
        report=column["b_t"],
        helicopter=column["mu_t"],
        change_point=column["c_t"].astype(bool),
        noise_sd=column["sigma"],
        helicopter_seen=column["v_t"].astype(bool),
        block_start=column["new_block"].astype(bool),
    )

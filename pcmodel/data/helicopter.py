"""Data of ten people in the helicopter task, which come with the package.

`HELICOPTER_LICENSE.txt` beside the file has the study to cite, the licence, and the rule by which
the subset was chosen.
"""

from importlib import resources
from typing import NamedTuple

import numpy as np

FILE_NAME = "helicopter.csv"
NUM_PARTICIPANTS = 10
NUM_TRIALS = 200


class HelicopterData(NamedTuple):
    """Trials of the helicopter task, (participants, trials) each; positions in screen units, 0 to 300.

    participant: numbers in the original study, (participants,).
    trial: number of the trial.
    outcome: position of the outcome.
    report: position of the bucket, set before the outcome of the same trial.
    helicopter: true position of the helicopter.
    change_point: whether the helicopter moved before this outcome.
    noise_sd: SD of outcomes in the task, 10 or 25.
    helicopter_seen: whether the helicopter was shown with the outcome (catch trial).
    block_start: whether a block begins.
    """

    participant: np.ndarray
    trial: np.ndarray
    outcome: np.ndarray
    report: np.ndarray
    helicopter: np.ndarray
    change_point: np.ndarray
    noise_sd: np.ndarray
    helicopter_seen: np.ndarray
    block_start: np.ndarray


def load_helicopter() -> HelicopterData:
    """The data of ten younger adults, a hundred trials at each outcome SD."""
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

"""What is simulated: connectivity of every person under every account, eyes closed, with a film and in a task."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from pcmodel.brain.measures import (
    correlations,
    eigenspectrum_entropy,
    mean_coupling,
    paired_statistics,
)
from pcmodel.errors import UserError
from pcmodel.report import NOT_EXAMINED, Examined

from .._brain import People, accounts
from .._brain_imaging import Networks
from .._brain_scans import image
from .context import contexts_of

CONDITIONS = ("closed", "film", "task")
PLACEBO, PSILOCYBIN = 2, 3
"""Scans of the public recordings."""


@dataclass(frozen=True)
class Config(People):
    """people, strength, selectivity: see `People`.  data: file of the public recordings (bold.npz); none if empty."""

    data: str = ""

    def __post_init__(self):
        super().__post_init__()
        if self.data and not Path(self.data).is_file():
            raise UserError(f"there is no file {self.data}", where="data")


class Public(NamedTuple):
    """Nine people, 90 regions, placebo and psilocybin; NaN without the file.

    coupling, entropy: mean Fisher z and eigenspectrum entropy, (placebo, psilocybin, dz, p).
    """

    coupling: np.ndarray
    entropy: np.ndarray


class Results(NamedTuple):
    """observed: networks by condition and account, (people, fields of `Networks`).  context: change of connectivity by
    account, (inputs, people)."""

    observed: dict[str, dict[str, np.ndarray]]
    context: dict[str, np.ndarray]
    public: Public
    tested: Examined = NOT_EXAMINED


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Everybody without drug and under every account."""
    setting = config.setting(seed)
    names = ("placebo", *accounts(config.strength))
    found: dict[str, dict[str, np.ndarray]] = {one: {} for one in CONDITIONS}
    for name in progress.track(names, "accounts"):
        for condition in CONDITIONS:
            found[condition][name] = image("networks", name, condition, setting)
    return Results(found, contexts_of(setting), public_of(config.data))


def public_of(path: str) -> Public:
    """The public recordings' statistics."""
    if not path:
        return Public(np.full(4, np.nan), np.full(4, np.nan))
    with np.load(path, allow_pickle=False) as archive:
        bold = archive["bold"]
    rows = []
    for measure in ("coupling", "entropy"):
        values = [
            [one_of(measure, person[scan].T) for person in bold]
            for scan in (PLACEBO, PSILOCYBIN)
        ]
        told = paired_statistics(*values, key=jax.random.key(0))
        rows.append(np.asarray([told.mean_a, told.mean_b, told.dz, told.p]))
    return Public(*rows)


def one_of(measure: str, series: np.ndarray) -> float:
    """Mean Fisher z, or entropy, of one recording."""
    matrix = correlations(series)
    if measure == "coupling":
        return mean_coupling(matrix).fisher_z
    return eigenspectrum_entropy(matrix).value


def field(rows: np.ndarray, name: str) -> np.ndarray:
    """One measure of everybody."""
    return rows[:, Networks._fields.index(name)]

"""The files that a fit writes for a paper, a statistics program and a scanner; each appears whole or not at all."""

import os
from pathlib import Path
from typing import Any

from pcmodel.record.files import TEMPORARY, write_bytes, write_json

PARTICIPANTS, TRIALS, EFFECTS = "participants.csv", "trials.csv", "effects.csv"
SENSITIVITY, COLUMNS, DRAWS = "sensitivity.csv", "columns.json", "posterior.nc"
FILES = {
    PARTICIPANTS: "every person's parameters, one row for each series of trials: mean, SD and 95 % "
    "interval on the real line and the natural scale, effective sample sizes and R-hat",
    TRIALS: "every trial in the order of the table: what was believed, predicted and learned, with 95 % "
    "intervals",
    EFFECTS: "every coefficient, contrast and spread of the group, on the real line and in natural units",
    SENSITIVITY: "how far each number of the group moves when priors are made narrower and wider",
    COLUMNS: "what each column of these tables is, with its unit",
    DRAWS: "all draws with names, for ArviZ: posterior, log likelihood, predictions, prior",
}


def write_outputs(posterior: Any, told: Any, folder: Path, *, seed: int) -> None:
    """Write the tables and the draws of a fit.

    told: what the fit says beside its estimates (`outputs.told.Told`).
    seed: of the predictive draws.
    """
    import jax

    from pcmodel.behaviour.outputs.effects import effects
    from pcmodel.behaviour.outputs.participants import participants
    from pcmodel.behaviour.outputs.told import sensitivity_table
    from pcmodel.behaviour.outputs.trials import trials

    is_trusted = not posterior.complaints
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        tables = {
            PARTICIPANTS: participants(posterior),
            TRIALS: trials(posterior),
            EFFECTS: effects(posterior),
            SENSITIVITY: sensitivity_table(told.sensitivity, is_trusted=is_trusted),
        }
        for name, table in tables.items():
            write_bytes(folder / name, table.csv().encode())
        write_json(folder / COLUMNS, {n: _columns(t) for n, t in tables.items()})
        _write_draws(posterior, folder / DRAWS, jax.random.key(seed))


def _columns(table: Any) -> dict[str, dict[str, str]]:
    return {own.name: {"about": own.about, "unit": own.unit} for own in table.about}


def _write_draws(posterior: Any, path: Path, key: Any) -> None:
    from pcmodel.behaviour.posterior.datatree import write_netcdf

    partial = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        write_netcdf(posterior, partial, key=key)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)

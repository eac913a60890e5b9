"""Fits that are already finished: their plans, seeds and chains, from their folders."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from pcmodel.errors import UserError
from pcmodel.inputs.files import read_json
from pcmodel.record.folder import COMPLETE, read_status


class FinishedFit(NamedTuple):
    """A finished run of `pcmodel fit`.

    path: its folder.
    plan: its plan.
    seed: its seed.
    """

    path: Path
    plan: Any
    seed: int


def read_fit(path: Path) -> FinishedFit:
    """The plan of a finished fit; UserError for a folder that holds none, or whose data have changed."""
    from pcmodel.behaviour.studies.fit import Plan, digest

    status = read_status(path)
    if not status or status["experiment"] != "fit" or status["status"] != COMPLETE:
        raise UserError(
            "holds no finished fit",
            where=str(path),
            expected="a folder of `pcmodel fit`",
        )
    given = read_json(path / "config.json")
    names = {field.name for field in fields(Plan)}
    if not isinstance(given, dict) or not given.keys() <= names:
        raise UserError(
            "was written by another version", where=str(path / "config.json")
        )
    plan = Plan(**{k: _tupled(v) for k, v in given.items()})
    data = Path(plan.data)
    options = {"bids_task": plan.bids_task, "bids_suffix": plan.bids_suffix}
    if not data.exists():
        raise UserError(
            "the data of this fit are no longer there", where=str(data), expected="them"
        )
    if digest(data, where=plan.where, **options) != plan.data_sha256:
        raise UserError(
            "has changed since it was fitted", where=str(data), expected=str(path)
        )
    return FinishedFit(path, plan, int(status["seed"]))


def _tupled(value: Any) -> Any:
    """Lists of JSON as the tuples they were."""
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def label_fits(fits: Sequence[FinishedFit]) -> tuple[str, ...]:
    """Names of models; of those that occur twice with the folder's name."""
    names = [fit.plan.model for fit in fits]
    return tuple(
        name if names.count(name) == 1 else f"{name} ({fit.path.resolve().name})"
        for name, fit in zip(names, fits, strict=True)
    )

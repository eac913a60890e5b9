"""The tables of a comparison: comparison.csv, a line a model, and people.csv, a line a person."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pcmodel.record import write_bytes

MODEL_COLUMNS = (
    "model",
    "left_out_people",  # log density of each person given all others, summed, nats
    "left_out_people_difference",  # from the best model
    "left_out_people_se",
    "untrusted_people",
    "leave_one_out",  # of each response given all others, nats
    "leave_one_out_difference",
    "leave_one_out_se",
    "untrusted_responses",
    "later_trials",
    "later_trials_difference",
    "later_trials_se",
    "frequency",
    "frequency_sd",
    "exceedance",
    "protected_exceedance",
    "published_frequency",  # by the variational approximation
    "published_exceedance",
    "published_protected_exceedance",
    "stacking_weight",
    "pseudo_bma_weight",
    "complaints",
)


def by_person(results: Any) -> np.ndarray:
    """Leave-one-out log densities of each person's responses, summed: (people, models)."""
    found = np.zeros((len(results.people), len(results.models)))
    np.add.at(found, results.participant, results.pointwise)
    return found


def scores_of(results: Any) -> dict[str, Any]:
    """By the kind of prediction the scores of all models, the best first."""
    from pcmodel.behaviour.comparison.scores import score_models

    found = {
        "left_out_people": score_models(results.left_out, results.models),
        "leave_one_out": score_models(by_person(results), results.models),
    }
    if len(results.later):
        found["later_trials"] = score_models(results.later, results.models)
    return found


def model_rows(results: Any) -> list[dict[str, Any]]:
    """A line for each model, in the order in which they were given."""
    scores = {
        kind: {score.model: score for score in found}
        for kind, found in scores_of(results).items()
    }
    rows = []
    for i, name in enumerate(results.models):
        row: dict[str, Any] = {"model": name}
        for kind, found in scores.items():
            row[kind] = found[name].total
            row[f"{kind}_difference"] = found[name].difference
            row[f"{kind}_se"] = found[name].standard_error
        row["untrusted_people"] = int((~results.trusted[:, i]).sum())
        row["untrusted_responses"] = int(results.num_untrusted[i])
        for kind, found in (
            ("", results.frequencies),
            ("published_", results.selection),
        ):
            row[f"{kind}frequency"] = found.frequency[i]
            row[f"{kind}exceedance"] = found.exceedance[i]
            row[f"{kind}protected_exceedance"] = found.protected_exceedance[i]
        row["frequency_sd"] = results.frequencies.frequency_sd[i]
        row["stacking_weight"] = results.stacking[i]
        row["pseudo_bma_weight"] = results.pseudo_bma[i]
        row["complaints"] = results.complaints[i]
        rows.append(row)
    return rows


def person_columns(results: Any) -> tuple[str, ...]:
    """The columns of people.csv."""
    each = [
        f"{kind}_{name}"
        for kind in (
            "probability",
            "left_out_people",
            "trusted",
            "leave_one_out",
            "later",
        )
        for name in results.models
        if kind != "later" or len(results.later)
    ]
    first = ("participant", "responses", "best", "second", "difference")
    return (*first, "standard_error", "distinguished", *each)


def person_rows(results: Any) -> list[dict[str, Any]]:
    """A line for each person."""
    loo = by_person(results)
    rows = []
    for i, choice in enumerate(results.choices):
        row: dict[str, Any] = {
            "participant": results.people[i],
            "responses": int(results.num_responses[i]),
            "best": choice.best,
            "second": choice.second,
            "difference": choice.difference,
            "standard_error": choice.standard_error,
            "distinguished": bool(choice.distinguished),
        }
        for j, name in enumerate(results.models):
            row[f"probability_{name}"] = results.selection.attribution[i, j]
            row[f"left_out_people_{name}"] = results.left_out[i, j]
            row[f"trusted_{name}"] = bool(results.trusted[i, j])
            row[f"leave_one_out_{name}"] = loo[i, j]
            if len(results.later):
                row[f"later_{name}"] = results.later[i, j]
        rows.append(row)
    return rows


def write_tables(results: Any, folder: Path) -> None:
    """Write both tables, each whole or not at all."""
    tables = (
        ("comparison.csv", MODEL_COLUMNS, model_rows(results)),
        ("people.csv", person_columns(results), person_rows(results)),
    )
    for name, columns, rows in tables:
        write_bytes(folder / name, _text(columns, rows).encode())


def _text(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """CSV; numbers with six significant digits, what is unknown empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name, "")) for name in columns])
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.6g}" if np.isfinite(value) else ""
    return str(value)

"""Sessions in columns that are not named as such, which would be read as one run."""

import re
from collections.abc import Sequence

import numpy as np

from pcmodel.behaviour.dataset.exclusions.practice_words import folded
from pcmodel.behaviour.dataset.naming import plain, words
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import as_column, as_series
from pcmodel.behaviour.dataset.task_table import TaskTable, Trials

SESSION = {"sess", "ses"}
SURELY = re.compile(
    "(?<!sub)session|visit|sitzung|(?<!sub)seance|sesion|messzeitpunkt|erhebung(?!s?(?:ort|leiter|datum))"
    r"|sessie|seduta|sedute|sessao|sesja|^mzp|meetmoment|tempsdemesure"
)
NUMBER = re.compile("(?:no|nr|num|number|id|index)$")
# Columns of these names may also count trials, or say what is shown in them.
OCCASION = {
    *("day", "date", "week", "month", "wave", "occasion", "timepoint", "sitting"),
    *("appointment", "assessment", "measurement", "prepost", "followup"),
    *("drug", "treatment", "medication", "med", "meds", "dose", "arm", "period"),
    *("termin", "zeitpunkt", "testtag", "messtag", "tag", "woche", "welle", "besuch"),
    *("jour", "semaine", "rendezvous", "dia", "semana", "cita", "dag", "giorno"),
    *("settimana", "meting", "moment", "substanz", "substance", "sustancia", "droge"),
    *("medikament", "medikation", "behandlung", "traitement", "tratamiento"),
}
OCCASIONS = re.compile(
    r"(?:t|v|day|week|month|visit|wave|session|sess?|time|time.?point)[ _-]?\d+"
    r"|(?:pre|post)(?:[ _-]?(?:test|treatment|training|intervention|drug|dose))?"
    r"|baseline|follow[ _-]?up[ _-]?\d*|(?:\d{4}-\d\d-\d\d|\d\d?[/.]\d\d?[/.]\d{2,4}).*",
    re.IGNORECASE,
)
STAGES = {"phase", "stage", "part", "section", "block", "run", "reversal"}
LEAST_ROWS = 2.0  # of a session, on average


def check_sessions(trials: Trials, used: set[str]) -> None:
    """Refuse a column that seems to name sessions and splits the rows of one series.

    A column is accepted where its level comes back or changes with every trial, unless the
    numbers of the trials begin anew with it.
    """
    session = trials.places.get("session")
    is_each_once = len(trials.series) > 3 and _is_once(trials.series)
    if session and "session" not in trials.given and is_each_once:
        trials.column(session).refuse(
            "changes with every trial, so that no session has a second one; if it counts "
            f"the trials, say so ({as_column('trial', session)})"
        )
    own = [n for n in trials.places if n != "block" or n in trials.given]
    taken = used | {trials.places[name] for name in own}
    for name, cells in trials.columns.items():
        if name in taken or not (sure := _names_sessions(name, cells)):
            continue
        rows = split_rows(cells, trials.series)
        if not len(rows):
            continue
        if sure == "counted on" and not _counted_on(trials):
            continue  # trials that occur twice are refused as such
        if sure != "surely" and not is_in_turn(trials, cells, trials.series, rows):
            continue
        owner, option = "a person", as_column("session", name)
        if session:
            owner, option = "one session", as_series(name)
        trials.column(name).refuse(
            f"seems to name sessions, and {owner} has several; say so if the belief "
            f"starts afresh with it ({option}) or is carried on over it "
            f"({as_column('block', name)}), or leave the column out"
        )


def _names_sessions(name: str, cells: Sequence[str]) -> str:
    """Whether a column names sessions: "surely", "maybe" or "" for no.

    "counted on": it does if the trials are counted over it without beginning anew.
    """
    parts = set(map(folded, words(name)))
    if parts & SESSION or SURELY.search(folded(plain(name))):
        return "surely"
    if parts & OCCASION or NUMBER.sub("", folded(plain(name))) in OCCASION:
        return "maybe"
    levels = {cell.strip() for cell in set(cells) if not is_missing(cell)}
    # A word may be the phase of a reversal; the first and the second may be two visits.
    if plain(name) in ("t", "phase") and levels in ({"1", "2"}, {"0", "1"}):
        return "counted on"
    if parts & STAGES or len(levels) < 2:
        return ""
    return "maybe" if all(map(OCCASIONS.fullmatch, levels)) else ""


def split_rows(cells: Sequence[str], series: np.ndarray) -> np.ndarray:
    """The rows of all series in which the column has two levels or more, if they are few."""
    level = _as_numbers(cells)
    here = level >= 0
    pairs = np.unique(np.stack([series[here], level[here]]), axis=1)
    split, counts = np.unique(pairs[0], return_counts=True)
    split, counts = split[counts > 1], counts[counts > 1]
    rows = np.flatnonzero(np.isin(series, split))
    return rows if len(rows) >= LEAST_ROWS * counts.sum() else rows[:0]


def _as_numbers(cells: Sequence[str]) -> np.ndarray:
    """Levels as numbers from 0 in order of appearance; -1 where missing."""
    place: dict[str, int] = {}
    own = map(str.strip, cells)
    return np.asarray(
        [-1 if is_missing(c) else place.setdefault(c, len(place)) for c in own]
    )


def is_in_turn(
    table: TaskTable, cells: Sequence[str], series: np.ndarray, rows: np.ndarray
) -> bool:
    """Whether each level has one stretch of trials, or trials are counted anew in each."""
    level, own = _as_numbers(cells)[rows], series[rows]
    order = np.arange(len(rows))
    if "trial" in table.places:
        numbers = [to_number(table.columns[table.places["trial"]][i]) for i in rows]
        trial = np.asarray([np.nan if n is None else n for n in numbers], dtype=float)
        if not _is_once(own, trial):
            return _is_once(own, trial, level)
        order = np.argsort(trial, kind="stable")
    order = order[np.argsort(own[order], kind="stable")]
    changes = np.diff(np.stack([own, level])[:, order]).any(axis=0).sum() + 1
    return bool(changes == np.unique(np.stack([own, level]), axis=1).shape[1])


def _counted_on(trials: Trials) -> bool:
    """Whether no trial has the number of another in its series, or none has a number."""
    if "trial" not in trials.places:
        return True
    numbers = trials.columns[trials.places["trial"]]
    pairs = list(zip(trials.series.tolist(), numbers, strict=True))
    return len(set(pairs)) == len(pairs)


def _is_once(*keys: np.ndarray) -> bool:
    """Whether no two rows have the same keys."""
    return np.unique(np.stack(keys), axis=1).shape[1] == len(keys[0])

"""Sessions that are not named as such must not run together."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from pcmodel.behaviour.dataset.exclusions.practice_words import folded
from pcmodel.behaviour.dataset.naming import plain, words
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.violations import Violations

SESSION = {"sess", "ses"}
SURELY = re.compile(
    "(?<!sub)session|visit|sitzung|(?<!sub)seance|sesion|messzeitpunkt|erhebung(?!s?(?:ort|leiter|datum))"
    r"|sessie|seduta|sedute|sessao|sesja|^mzp|meetmoment|tempsdemesure"
)
NUMBER = re.compile("(?:no|nr|num|number|id|index)$")
# Columns of these may also count trials, or tell what is shown in them.
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


def check_sessions(
    raw: RawTable,
    places: Mapping[str, str],
    series: np.ndarray,
    used: set[str],
    given: Mapping[str, str],
    problems: Violations,
) -> None:
    """No column that seems to name sessions splits the rows of one series.

    It does not, where its level comes back or changes with every trial; unless the
    numbers of the trials begin anew with it.
    """
    session = places.get("session")
    if session and "session" not in given and _each_once(series):
        problems.add(
            "changes with every trial, so that no session has a second one; if it counts "
            f"the trials, say so ({pasted('columns', f'trial={listed(session)}')})",
            file=raw.file[0],
            column=session,
        )
    taken = used | {place for name, place in places.items() if name != "block"}
    taken |= {given[name] for name in ("block",) if name in given}
    for name, cells in raw.columns.items():
        if name in taken or not (sure := _names_sessions(name, cells)):
            continue
        rows = split_rows(cells, series)
        if not len(rows):
            continue
        if sure == "counted on" and not _counted_on(raw, places, series):
            continue  # trials that stand twice are asked about as such
        if sure != "surely" and not is_in_turn(raw, places, cells, series, rows):
            continue
        whose, option = "a person", pasted("columns", f"session={listed(name)}")
        if session:
            whose, option = "one session", pasted("series", listed(name))
        problems.add(
            f"seems to name sessions, and {whose} has several; say so if the belief "
            f"starts afresh with it ({option}) or is carried on over it "
            f"({pasted('columns', f'block={listed(name)}')}), or leave the column out",
            file=raw.at(0, name)["file"],
            column=name,
        )


def _each_once(series: np.ndarray) -> bool:
    return len(series) > 3 and len(np.unique(series)) == len(series)


def _names_sessions(name: str, cells: Sequence[str]) -> str:
    """`surely`, `maybe`, so if trials are `counted on` over it, or nothing."""
    said = set(map(folded, words(name)))
    if said & SESSION or SURELY.search(folded(plain(name))):
        return "surely"
    if said & OCCASION or NUMBER.sub("", folded(plain(name))) in OCCASION:
        return "maybe"
    levels = {cell.strip() for cell in set(cells) if not is_missing(cell)}
    # A word may be the phase of a reversal; the first and the second may be two visits.
    if plain(name) in ("t", "phase") and levels in ({"1", "2"}, {"0", "1"}):
        return "counted on"
    if said & STAGES or len(levels) < 2:
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
    place: dict[str, int] = {}
    stripped = [cell.strip() for cell in cells]
    return np.asarray(
        [-1 if is_missing(c) else place.setdefault(c, len(place)) for c in stripped]
    )


def is_in_turn(
    raw: RawTable,
    places: Mapping[str, str],
    cells: Sequence[str],
    series: np.ndarray,
    rows: np.ndarray,
) -> bool:
    """Whether no level comes back once it has passed, or trials are counted anew in each."""
    level, own = _as_numbers(cells)[rows], series[rows]
    order = np.arange(len(rows))
    if "trial" in places:
        numbers = [to_number(raw.columns[places["trial"]][i]) for i in rows]
        trial = np.asarray([np.nan if n is None else n for n in numbers], dtype=float)
        if not _is_once(own, trial):
            return _is_once(own, trial, level)
        order = np.argsort(trial, kind="stable")
    order = order[np.argsort(own[order], kind="stable")]
    changes = np.diff(np.stack([own, level])[:, order]).any(axis=0).sum() + 1
    return bool(changes == np.unique(np.stack([own, level]), axis=1).shape[1])


def _counted_on(raw: RawTable, places: Mapping[str, str], series: np.ndarray) -> bool:
    """Whether no number of a trial comes twice in its series, or there are none."""
    if "trial" not in places:
        return True
    pairs = list(zip(series.tolist(), raw.columns[places["trial"]], strict=True))
    return len(set(pairs)) == len(pairs)


def _is_once(*keys: np.ndarray) -> bool:
    return np.unique(np.stack(keys), axis=1).shape[1] == len(keys[0])

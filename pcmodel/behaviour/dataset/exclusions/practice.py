"""Rows that are no trials of the task: practice, cues, instructions, and exclusions."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from pcmodel.behaviour.dataset.exclusions.broken_off import check_broken_off
from pcmodel.behaviour.dataset.exclusions.practice_words import (
    EXCLUDED,
    INCLUDED,
    INCLUDED_ROWS,
    NO_PRACTICE,
    PREPARING,
    TRIAL_OR_TEST,
    TRIED,
    TRIED_LEVEL,
    folded,
    is_practice,
    names_practice,
    says,
)
from pcmodel.behaviour.dataset.exclusions.rehearsed import rehearsed
from pcmodel.behaviour.dataset.naming import called, plain, words
from pcmodel.behaviour.dataset.schema import PHASE_NAMES, Task
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_flag, to_number
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import choice, named, option
from pcmodel.behaviour.dataset.violations import Violations

# Words of rows that are shown or done, but are no trials of the task.
NO_TRIAL = re.compile(
    rf"{PREPARING.pattern}|fixation|\bcue\b|\bbreak\b|\bdemo\b|pause|example|\binstr\b"
    r"|\biti\b|\brest\b|welcome|consent|debrief|attention[ _-]?check",
    re.IGNORECASE,
)
FLAGS = ("practice", "ispractice", "training")
OF_LOOPS = ("thisn", "thistrialn", "thisrepn", "thisindex", "order")  # of PsychoPy
LEFT_OUT = re.compile(r"excluded?|outliers?|discarded|to be excluded", re.IGNORECASE)
ROWS = {"is", "trial", "trials", "row", "rows", "subject", "participant"}
ROWS |= {"test", "run", "session", "person", "data", "attention", "check", "checks"}
OF_ROWS = ROWS | {"rt", "flag", "to", "reason", "grund", "motif", "criteria", "mode"}
CHECKED = {"attention", "check"}
FINE = {"ok", "none", "good", "fine", "keep", "kept", "included", "valid"}
SHARE = 0.3  # of the rows, of which nobody misses so many
MANY = 10  # rows
MOST_LEVELS = 40  # of a column that tells kinds of rows apart


def check_rows(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    values: Mapping[str, np.ndarray],
    who: Sequence[str],
    used: set[str],
    problems: Violations,
) -> None:
    """Cues, practice and instructions are no trials, and are to be left out.

    Rows are refused that a column of phases or types calls so, and all rows of a type in
    which nothing is ever seen or done, unless `where` or a formula speaks of the column.
    """
    groups = ("block", "session")  # they, too, may be of practice
    taken = {place for name, place in places.items() if name not in groups} | used
    done = [places[name] for name in ("outcome", task.response) if name in places]
    empty = np.all([_is_blank(raw.columns[place]) for place in done], axis=0)
    phases = set(called(raw.columns, PHASE_NAMES))
    free = {name: cells for name, cells in raw.columns.items() if name not in taken}
    _check_loops(raw, free, who, ~empty, problems)
    check_broken_off(raw, free, np.isfinite(values[task.response]), problems)
    if _check_practice(raw, free, who, problems):
        free = {n: c for n, c in free.items() if not names_practice(n)}
    named = np.zeros(raw.num_rows, dtype=bool)  # rows of which something is said
    kinds = [(name, level) for name in free for level in _levels(free[name])]
    for name in dict(kinds):
        varies = len(set(zip(who, free[name], strict=True))) > len(set(who))
        spares = any(map(_is_spared, set(free[name])))
        is_phase = name in phases
        before = rehearsed(name, free[name], who)
        for level in _levels(free[name]):
            why = _no_trial(name, level, is_phase=is_phase, varies=varies)
            few = np.mean([c.strip() == level for c in free[name]]) <= SHARE
            if _leaves_out(name, level, varies=varies, spares=spares, few=bool(few)):
                why = why or "is to be left out"
            if level in before:
                why = "is no trial of the task"
            if varies and folded(level) in TRIAL_OR_TEST and not _all_tests(free[name]):
                why = "is no trial of the task"
            if why:
                _refuse(raw, name, level, why, named, problems)
    for name, level in kinds:
        here = np.asarray([cell.strip() == level for cell in free[name]])
        tells = name in phases or NO_TRIAL.search(level) or here.mean() >= SHARE
        if tells and empty[here].all() and not named[here].all():
            why = "has neither outcome nor response and is no trial"
            _refuse(raw, name, level, why, named, problems)
    thought_of = [raw.columns[name] for name in used & set(raw.columns)]
    is_told = any(_is_empty_level(cells, empty) for cells in thought_of)
    if not is_told and len(empty) >= MANY and (empty & ~named).mean() >= SHARE:
        _refuse_empty(raw, done, empty, problems)


def _is_empty_level(cells: Sequence[str], empty: np.ndarray) -> bool:
    """Whether all rows of one level of a column are empty, and not all rows."""
    filled = {cells[i] for i in np.flatnonzero(~empty).tolist()}
    return bool(set(cells) - filled)


def _is_blank(cells: Sequence[str]) -> np.ndarray:
    """Whether cells hold nothing; a word that cannot be read yet is something."""
    numbers = {cell: to_number(cell) for cell in set(cells)}
    return np.asarray([n is not None and n != n for n in map(numbers.get, cells)])


def _refuse_empty(
    raw: RawTable, done: Sequence[str], empty: np.ndarray, problems: Violations
) -> None:
    """Rows of which no column says what they are, and too many for trials that were missed."""
    outcome = done[0]
    filled = option(" or ".join(f"{named(place)} != n/a" for place in done))
    every = option(f"{named(outcome)} == n/a or {named(outcome)} != n/a")
    for i in np.flatnonzero(empty).tolist():
        problems.add(
            f"has neither outcome nor response, as {empty.sum()} of {len(empty)} rows, and "
            f"is no trial, it seems; leave them out ({filled}), or keep all ({every})",
            **raw.at(i, outcome),
        )


def _all_tests(cells: Sequence[str]) -> bool:
    """Whether all levels begin as one does: `prova`, `prova 2`."""
    levels = {folded(cell) for cell in set(cells) if not is_missing(cell)}
    return all(level.startswith("prov") for level in levels)


def _is_spared(cell: str) -> bool:
    return is_missing(cell) or says(cell) == 0.0 or cell.strip().lower() in FINE


def _levels(cells: Sequence[str]) -> list[str]:
    """The levels of a column that may tell kinds of rows apart."""
    levels = {cell.strip() for cell in cells}
    found = [level for level in sorted(levels) if not is_missing(level)]
    return found if 2 <= len(levels) <= MOST_LEVELS else []


def _refuse(
    raw: RawTable,
    name: str,
    level: str,
    why: str,
    named: np.ndarray,
    problems: Violations,
) -> None:
    for i, cell in enumerate(raw.columns[name]):
        if cell.strip() == level:
            named[i] = True
            problems.add(
                f"{why}, it seems; {choice(name, level)}",
                **raw.at(i, name),
                value=level,
            )


def _no_trial(name: str, level: str, *, is_phase: bool, varies: bool) -> str:
    """Why rows of this level are no trials, by the words alone; empty if nothing says so.

    What is one and the same in all rows of a person may tell a group that was trained.
    """
    flag = says(level)
    practice = plain(name) in FLAGS or (varies and names_practice(name))
    if practice and flag == 1.0:
        return "is no trial of the task"
    if LEFT_OUT.fullmatch(level) or TRIED_LEVEL.fullmatch(folded(level)):
        return "is to be left out"
    if not (varies or is_phase) or NO_PRACTICE.search(folded(level)):
        return ""
    if is_practice(level) or (is_phase and NO_TRIAL.search(level)):
        return "is no trial of the task"
    return ""


def _leaves_out(
    name: str, level: str, *, varies: bool, spares: bool, few: bool
) -> bool:
    """Whether a column that says which rows, or people, are used, leaves this level out.

    A word is the reason of an exclusion where the column spares other rows. What is valid
    on some trials only may be a cue, and what is kept on half of them an option.
    """
    bare, flag = {folded(word) for word in words(name)}, says(level)
    if bare & EXCLUDED and bare <= EXCLUDED | OF_ROWS:
        reason = flag is None and spares and level.lower() not in FINE
        return flag == 1.0 or (reason and to_number(level) is None)
    if bare & TRIED or plain(name) in TRIED:
        return bare <= TRIED | OF_ROWS and flag == 1.0
    rows = bare & ROWS or not varies or (few and bare <= {"keep", "kept", "use"})
    kept = bare & INCLUDED or (bare & INCLUDED_ROWS and rows)
    if (kept and bare <= INCLUDED | INCLUDED_ROWS | OF_ROWS) or bare == CHECKED:
        return flag == 0.0 or folded(level) in ("fail", "failed")
    return False


def _check_loops(
    raw: RawTable,
    free: Mapping[str, Sequence[str]],
    who: Sequence[str],
    filled: np.ndarray,
    problems: Violations,
) -> None:
    """Two loops of PsychoPy, one after the other, may be practice and task, or blocks."""
    rows: dict[str, np.ndarray] = {}
    for name, cells in free.items():
        if plain(name).endswith("thisn") and not names_practice(name):
            rows[name] = filled & ~np.asarray([is_missing(cell) for cell in cells])
    loops = sorted(
        (name for name in rows if rows[name].any()), key=lambda n: rows[n].sum()
    )
    if len(loops) < 2 or np.any(np.sum([rows[name] for name in loops], axis=0) > 1):
        return  # one loop, or loops within others
    done = {
        (who[i], name) for name in loops for i in np.flatnonzero(rows[name]).tolist()
    }
    if len(done) == len({person for person, _ in done}):
        return  # each person did one
    for name in loops[:-1]:
        problems.add(
            f"counts the trials of another loop than {loops[-1]!r}; leave them out "
            f"({option(f'{named(name)} == n/a')}), or keep all "
            f"({option(f'{named(name)} == n/a or {named(name)} != n/a')})",
            **raw.at(int(np.argmax(rows[name])), name),
        )


def _check_practice(
    raw: RawTable,
    free: Mapping[str, Sequence[str]],
    who: Sequence[str],
    problems: Violations,
) -> bool:
    """Columns of practice that are filled in some rows of a person are so in practice."""
    for name, cells in free.items():
        if not names_practice(name):
            continue
        filled = [not is_missing(cell) for cell in cells]
        kinds = {cell for cell in set(cells) if not is_missing(cell)}
        flags = all(to_flag(cell) is not None for cell in kinds)
        if flags and not plain(name).endswith(OF_LOOPS):
            continue
        if len(set(zip(who, filled, strict=True))) == len(set(who)):
            continue
        for i in np.flatnonzero(filled).tolist():
            problems.add(
                "is filled in where a trial was practised, it seems; leave them out "
                f"({option(f'{named(name)} == n/a')}), or keep all "
                f"({option(f'{named(name)} == n/a or {named(name)} != n/a')})",
                **raw.at(i, name),
                value=cells[i].strip(),
            )
        return True
    return False

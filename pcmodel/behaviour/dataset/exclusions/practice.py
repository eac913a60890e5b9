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
    yes_or_no,
)
from pcmodel.behaviour.dataset.exclusions.rehearsed import rehearsed
from pcmodel.behaviour.dataset.naming import called, plain, words
from pcmodel.behaviour.dataset.schema import PHASE_NAMES
from pcmodel.behaviour.dataset.tables.cells import (
    is_blank,
    is_missing,
    to_flag,
    to_number,
)
from pcmodel.behaviour.dataset.tables.pasted import (
    choice,
    choice_of_filled,
    in_expression,
    option,
)
from pcmodel.behaviour.dataset.task_table import TaskTable

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
    table: TaskTable,
    values: Mapping[str, np.ndarray],
    who: Sequence[str],
    considered: set[str],
) -> None:
    """Refuse rows of cues, practice and instructions, and rows that are to be left out.

    These are the rows that a column of phases or types calls so, and all rows of a type in
    which there is never an outcome or a response, unless the column is among those that
    were `considered`: `where` or a formula names it.
    """
    groups = ("block", "session")  # they, too, may be of practice
    own = {place for name, place in table.places.items() if name not in groups}
    done = [
        table.places[name]
        for name in (table.task.event, table.task.response)
        if name in table.places
    ]
    empty = np.all([[*map(is_blank, table.columns[name])] for name in done], axis=0)
    free = {n: c for n, c in table.columns.items() if n not in own | considered}
    _check_loops(table, free, who, ~empty)
    check_broken_off(table, free, np.isfinite(values[table.task.response]))
    if _check_practice(table, free, who):
        free = {n: c for n, c in free.items() if not names_practice(n)}
    phases = set(called(table.columns, PHASE_NAMES))
    refused = np.zeros(table.raw.num_rows, dtype=bool)
    for name in free:
        for level, why in _by_words(name, free[name], who, name in phases).items():
            refused |= _refuse(table, name, level, why)
    for name in free:
        for level in _levels(free[name]):
            here = np.asarray([cell.strip() == level for cell in free[name]])
            tells = name in phases or NO_TRIAL.search(level) or here.mean() >= SHARE
            if tells and empty[here].all() and not refused[here].all():
                why = "has neither outcome nor response and is no trial"
                refused |= _refuse(table, name, level, why)
    others = [table.columns[name] for name in considered & set(table.columns)]
    if any(_has_empty_level(cells, empty) for cells in others):
        return
    if len(empty) >= MANY and (empty & ~refused).mean() >= SHARE:
        _refuse_empty(table, done, empty)


def _by_words(
    name: str, cells: Sequence[str], who: Sequence[str], is_phase: bool
) -> dict[str, str]:
    """By level of a column why its rows are no trials, or are to be left out, by its words."""
    levels = _levels(cells)
    if not levels:
        return {}
    varies = len(set(zip(who, cells, strict=True))) > len(set(who))
    spares = any(map(_is_spared, set(cells)))
    before, found = rehearsed(name, cells, who), {}
    for level in levels:
        why = _no_trial(name, level, is_phase=is_phase, varies=varies)
        few = bool(np.mean([cell.strip() == level for cell in cells]) <= SHARE)
        if _leaves_out(name, level, varies=varies, spares=spares, few=few):
            why = why or "is to be left out"
        is_test = varies and folded(level) in TRIAL_OR_TEST and not _all_tests(cells)
        if level in before or is_test:
            why = "is no trial of the task"
        if why:
            found[level] = why
    return found


def _refuse(table: TaskTable, name: str, level: str, why: str) -> np.ndarray:
    """Refuse the rows of a level; true for these rows."""
    here = np.asarray([cell == level for cell in table.cells(name)])
    for i in np.flatnonzero(here):
        table.cell(name, i).refuse(f"{why}, it seems; {choice(name, level)}")
    return here


def _has_empty_level(cells: Sequence[str], empty: np.ndarray) -> bool:
    """Whether all rows of some level of a column are empty, and not all rows."""
    filled = {cells[i] for i in np.flatnonzero(~empty).tolist()}
    return bool(set(cells) - filled)


def _refuse_empty(table: TaskTable, done: Sequence[str], empty: np.ndarray) -> None:
    """Refuse empty rows that no column explains and that are too many for missed trials."""
    outcome = in_expression(done[0])
    filled = option(" or ".join(f"{in_expression(place)} != n/a" for place in done))
    every = option(f"{outcome} == n/a or {outcome} != n/a")
    for i in np.flatnonzero(empty).tolist():
        table.row(done[0], i).refuse(
            f"has neither outcome nor response, as {empty.sum()} of {len(empty)} rows, and "
            f"is no trial, it seems; leave them out ({filled}), or keep all ({every})"
        )


def _all_tests(cells: Sequence[str]) -> bool:
    """Whether all levels are `prova` or begin so: `prova 2`."""
    levels = {folded(cell) for cell in set(cells) if not is_missing(cell)}
    return all(level.startswith("prov") for level in levels)


def _is_spared(cell: str) -> bool:
    return is_missing(cell) or yes_or_no(cell) == 0.0 or cell.strip().lower() in FINE


def _levels(cells: Sequence[str]) -> list[str]:
    """The levels of a column that may tell kinds of rows apart."""
    levels = {cell.strip() for cell in cells}
    found = [level for level in sorted(levels) if not is_missing(level)]
    return found if 2 <= len(levels) <= MOST_LEVELS else []


def _no_trial(name: str, level: str, *, is_phase: bool, varies: bool) -> str:
    """Why rows of this level are no trials, by the words alone; "" if nothing says so.

    A level that is the same in all rows of a person may be that of a group that was trained.
    """
    flag = yes_or_no(level)
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
    """Whether a column that says which rows or people are used leaves this level out.

    A word is the reason for an exclusion where the column `spares` other rows. What is
    valid on some trials only may be a cue, and what is kept on half of them an option.
    """
    bare, flag = {folded(word) for word in words(name)}, yes_or_no(level)
    if bare & EXCLUDED and bare <= EXCLUDED | OF_ROWS:
        reason = flag is None and spares and level.lower() not in FINE
        return flag == 1.0 or (reason and to_number(level) is None)
    if bare & TRIED or plain(name) in TRIED:
        return bare <= TRIED | OF_ROWS and flag == 1.0
    rows = bare & ROWS or not varies or (few and bare <= {"keep", "kept", "use"})
    includes = bare & INCLUDED or (bare & INCLUDED_ROWS and rows)
    if (includes and bare <= INCLUDED | INCLUDED_ROWS | OF_ROWS) or bare == CHECKED:
        return flag == 0.0 or folded(level) in ("fail", "failed")
    return False


def _check_loops(
    table: TaskTable,
    free: Mapping[str, Sequence[str]],
    who: Sequence[str],
    filled: np.ndarray,
) -> None:
    """Refuse rows of a second loop of PsychoPy, which may be practice, or a block."""
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
        table.row(name, int(np.argmax(rows[name]))).refuse(
            f"counts the trials of another loop than {loops[-1]!r}; "
            f"{choice_of_filled(name)}"
        )


def _check_practice(
    table: TaskTable, free: Mapping[str, Sequence[str]], who: Sequence[str]
) -> bool:
    """Refuse rows in which a column of practice is filled in; true if there are such."""
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
            table.cell(name, i).refuse(
                "is filled in where a trial was practised, it seems; "
                f"{choice_of_filled(name)}"
            )
        return True
    return False

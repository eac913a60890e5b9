"""Rows of bots, of trials that were broken off, and of responses that came too late.

A response in such a row would count as one, and is refused. A row without a response is
read as a trial without one.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from pcmodel.behaviour.dataset.exclusions.practice_words import YES, folded
from pcmodel.behaviour.dataset.naming import plain, words
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_flag
from pcmodel.behaviour.dataset.tables.pasted import choice
from pcmodel.behaviour.dataset.task_table import TaskTable

# Names of columns that are 1 or true in such rows.
FLAGGED = re.compile(
    r"(?:is|was|trial|participant|subject|flag|has|response|resp|rt)*(?:"
    r"(?:suspected|likely)?(?:bot|robot)|abort|aborted|terminated|cancell?ed|interrupted"
    r"|crashed|brokefixation|fixationbreak|fixbreak|time[sd]?outs?|toolate|tooslow"
    r"|missed|skipped|noresponse)(?:trials?|response|flag)*"
)
FINISHED = re.compile(r"(?:is|was|trial)*(?:complete|completed|finished)(?:trial)?")
# Columns whose cells are words for how a row came about.
TELLING = {
    *("status", "state", "completion", "validity", "quality", "flag", "flags"),
    *("remark", "remarks", "note", "notes", "comment", "comments", "reason"),
    *("ended", "statut", "estado", "stato", "opmerking", "bemerkung"),
}
BROKEN = re.compile(
    r"(?:(?:is|was|trial)[\W_]*)?(?:abort(?:ed)?|terminated|cancell?ed|interrupted|invalid"
    r"|incomplete|unfinished|rejected|returned|crash(?:ed)?|(?:ro)?bot|withdrew"
    r"|withdrawn|(?:broke|broken)[\W_]*fixation|fixation[\W_]*break|screened[\W_]*out"
    r"|time[sd]?[\W_]*outs?|too[\W_]*(?:slow|late|fast|early)|no[\W_]*response|expired"
    r"|abgebrochen|ungultig|zu (?:spat|langsam)|annule|abandonne|trop (?:tard|lent)"
    r"|abortado|abortad[oa]|invalid[oe]|cancelado|interrotto|afgebroken|ongeldig)"
    r"(?:[\W_]*(?:trial|response))?"
)
UNFINISHED = {"live", "in progress", "timed out", "rejected"}
MOST_LEVELS = 40


def check_broken_off(
    table: TaskTable, free: Iterable[str], responded: np.ndarray
) -> None:
    """Refuse responses in rows that a column calls a bot's, broken off or too late.

    free: the columns that are not in use.
    responded: whether each row has a response.
    """
    for name in free:
        cells = table.cells(name)
        levels = sorted(set(cells))
        if not 2 <= len(levels) <= MOST_LEVELS:
            continue
        for level in levels:
            if is_missing(level) or not _is_broken(name, level, levels):
                continue
            for i in np.flatnonzero(responded):
                if cells[i] == level:
                    table.cell(name, i).refuse(
                        "is of a bot, or of a trial that was broken off or too late, and "
                        f"has a response, it seems; {choice(name, level)}"
                    )


def _is_broken(name: str, level: str, levels: Sequence[str]) -> bool:
    flags = {x: to_flag(x) for x in levels}
    if None not in flags.values():
        if FLAGGED.fullmatch(plain(name)):
            return flags[level] == 1.0
        return bool(FINISHED.fullmatch(plain(name))) and flags[level] == 0.0
    if FLAGGED.fullmatch(plain(name)) and folded(level) in YES:
        return True
    if {"participant", "status"} <= set(words(name)) and folded(level) in UNFINISHED:
        return True  # of Gorilla
    return bool(TELLING & set(words(name)) and BROKEN.fullmatch(folded(level)))

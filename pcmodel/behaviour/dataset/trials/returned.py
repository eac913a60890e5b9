"""People who came back under another id: a second column that names fewer people."""

import re
from collections.abc import Mapping, Sequence

from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.schema import PARTICIPANT, PARTICIPANT_NAMES
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.pasted import all_rows, listed, pasted
from pcmodel.behaviour.dataset.task_table import TaskTable

# Names of people that software, recruiters and clinics give.
NAMING = re.compile(
    r"(?:participant)?(?:public|private|external|global|unique)(?:participant|subject)?id"
    r"|(?:prolific|mturk|sona|worker|patient|client|proband|panel|recruit|user|person"
    r"|student|respondent|medical|record|case)(?:en|in)?(?:id|code|nr|no|number|name|pid)"
    r"|(?:participant|subject)(?:label|code|name|key)|e?mail(?:address)?|mrn|initials"
    r"|(?:vp|proband(?:en)?|sujet|sujeto|versuchsperson(?:en)?|pat)(?:id|code|nr|kennung)?"
    r"|kennung|kurzel|pseudonym|nickname|username"
)
LOOSE = {"initials", "kurzel", "kennung", "record", "nickname"}  # two may share them
MANY = 0.5  # least share of the values of such a column that have several ids


def check_returned(table: TaskTable, who: Sequence[str], used: set[str]) -> None:
    """Refuse a column that names people and has one name for several of the ids in use.

    The usual names of participants are not refused where the user gave one of them.
    """
    own, given = table.places[PARTICIPANT], PARTICIPANT in table.given
    chosen = called(table.columns, PARTICIPANT_NAMES) if given else ()
    for name, cells in table.columns.items():
        if name in used or name in chosen or not _names_people(name):
            continue
        ids = _ids_of(cells, who)
        several = [value for value, held in ids.items() if len(held) > 1]
        if len(ids) < 2 or not several or not _is_coarser(ids):
            continue
        if plain(name) in LOOSE and len(several) < MANY * len(ids):
            continue
        pair = f"{PARTICIPANT}={listed(name)}"
        if _needs_session(table, cells):
            pair += f",session={listed(own)}"
        table.column(name).refuse(
            f"names {len(ids)} people, and {own!r} {len(set(who))}: if it names them and "
            f"some came several times, say so ({pasted('columns', pair)}); else say that "
            f"it does not ({all_rows(name, several[0])})"
        )


def _names_people(name: str) -> bool:
    return bool(called([name], PARTICIPANT_NAMES) or NAMING.fullmatch(plain(name)))


def _ids_of(cells: Sequence[str], who: Sequence[str]) -> dict[str, set[str]]:
    """By value of a column the ids of the rows that have it."""
    ids: dict[str, set[str]] = {}
    for cell, person in zip(cells, who, strict=True):
        if not is_missing(cell):
            ids.setdefault(cell.strip(), set()).add(person)
    return ids


def _is_coarser(ids: Mapping[str, set[str]]) -> bool:
    """Whether each id has one of the values."""
    return sum(map(len, ids.values())) == len(set().union(*ids.values()))


def _needs_session(table: TaskTable, cells: Sequence[str]) -> bool:
    """Whether only the id distinguishes the occasions on which one person came."""
    if "session" not in table.places:
        return True
    ids = table.columns[table.places[PARTICIPANT]]
    sessions = table.columns[table.places["session"]]
    came = set(zip(cells, ids, strict=True))
    parted = set(zip(cells, sessions, strict=True))
    return len(parted) < len(came)

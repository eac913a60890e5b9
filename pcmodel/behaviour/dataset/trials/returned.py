"""People who came back under another id: a second column that names fewer people."""

import re
from collections.abc import Mapping, Sequence

from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.schema import PARTICIPANT, PARTICIPANT_NAMES
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import every
from pcmodel.behaviour.dataset.violations import Violations

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
MANY = 0.5  # of the values of such a column name several ids, if they name people


def check_returned(
    raw: RawTable,
    places: Mapping[str, str],
    who: Sequence[str],
    used: set[str],
    given: Mapping[str, str],
    problems: Violations,
) -> None:
    """No column that names people has one name for several of the ids in use.

    The usual names of participants were asked about where one was to be `given`.
    """
    file = raw.file[0]
    chosen = called(raw.columns, PARTICIPANT_NAMES) if PARTICIPANT in given else ()
    for name, cells in raw.columns.items():
        if name in used or name in chosen or not _names_people(name):
            continue
        ids = _ids_of(cells, who)
        several = [value for value, own in ids.items() if len(own) > 1]
        if len(ids) < 2 or not several or not _is_coarser(ids):
            continue
        if plain(name) in LOOSE and len(several) < MANY * len(ids):
            continue
        own = places[PARTICIPANT]
        said = f"{PARTICIPANT}={listed(name)}"
        if _needs_session(raw, places, cells):
            said += f",session={listed(own)}"
        problems.add(
            f"names {len(ids)} people, and {own!r} {len(set(who))}: if it names them and "
            f"some came several times, say so ({pasted('columns', said)}); else say that "
            f"it does not ({every(name, several[0])})",
            file=file,
            column=name,
        )


def _names_people(name: str) -> bool:
    return bool(called([name], PARTICIPANT_NAMES) or NAMING.fullmatch(plain(name)))


def _ids_of(cells: Sequence[str], who: Sequence[str]) -> dict[str, set[str]]:
    """By each value of a column the ids beside which it stands."""
    ids: dict[str, set[str]] = {}
    for cell, person in zip(cells, who, strict=True):
        if not is_missing(cell):
            ids.setdefault(cell.strip(), set()).add(person)
    return ids


def _is_coarser(ids: Mapping[str, set[str]]) -> bool:
    """Whether no id stands beside two of the values."""
    return sum(map(len, ids.values())) == len(set().union(*ids.values()))


def _needs_session(
    raw: RawTable, places: Mapping[str, str], cells: Sequence[str]
) -> bool:
    """Whether nothing but the id parts the times that one person came."""
    if "session" not in places:
        return True
    ids, sessions = raw.columns[places[PARTICIPANT]], raw.columns[places["session"]]
    came = set(zip(cells, ids, strict=True))
    parted = set(zip(cells, sessions, strict=True))
    return len(parted) < len(came)

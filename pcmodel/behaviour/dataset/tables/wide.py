"""Tables in which a row is a person and each trial has columns of its own.

They are recognised by numbers in the columns' names. `stimulus_1` and `stimulus_2` of a table
in which a person has many rows are two stimuli of one trial.
"""

import re
from collections.abc import Sequence

from pcmodel.behaviour.dataset.naming import called, plain, words
from pcmodel.behaviour.dataset.schema import PARTICIPANT_NAMES
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.violations import Place, Violations

# oTree: `bandit.12.player.choice`, all apps of a session in one table.
OTREE = re.compile(r"(?P<app>\w+)\.(?P<round>\d+)\.(?:player|group|subsession)\.\w+")
OF_TRIALS = {"t", "trial", "trials", "round", "r", "tr", "item", "block", "run", "b"}
MANY = 3  # columns of one name that are trials, where no column names people


def check_wide(raw: RawTable, problems: Violations) -> bool:
    """Refuse oTree's table of all apps; true where it is one."""
    found = [m for name in raw.columns if (m := OTREE.fullmatch(name))]
    if len({match["round"] for match in found}) < 2:
        return False
    one, app = found[0].group(), found[0]["app"]
    Place(problems, raw.file[0], row=1).refuse(
        f"is oTree's table of all apps, in which a row is a person and {one!r} a cell of "
        f"one round; export the table of the app {app!r} alone (per-app data, one row for "
        "each round)"
    )
    return True


def trials_in_columns(raw: RawTable, names: Sequence[str]) -> list[str]:
    """The columns that hold one of `names` for each trial; [] where rows are trials."""
    known = {plain(name) for name in names}
    found = [name for name in raw.columns if _without_number(name) in known]
    people = called(raw.columns, PARTICIPANT_NAMES)
    if people:
        who = raw.columns[people[0]]
        return found if len(found) > 1 and len(set(who)) == len(who) else []
    return found if len(found) >= MANY else []


def to_long(found: Sequence[str]) -> str:
    """Advice on how to make a wide table long."""
    stem = re.sub(r"\d+", "", found[0]).strip("_. ")
    return (
        f"one row is one trial: put {found[0]!r}, {found[1]!r} and so on below each other, "
        f"in one column {stem!r} beside one that counts the trials (R: tidyr::pivot_longer, "
        "Python: pandas.wide_to_long)"
    )


def _without_number(name: str) -> str:
    """The name without a number and words for a trial; empty if there is no number."""
    parts = words(re.sub(r"(?<=\D)(?=\d)|(?<=\d)(?=\D)", " ", name))
    if not any(word.isdecimal() for word in parts):
        return ""
    return "".join(w for w in parts if not w.isdecimal() and w not in OF_TRIALS)

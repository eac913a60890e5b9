"""Where trials stand in the user's table: names and rows, kept for the tables that come out of a fit.

They are kept apart from the numbers, are in no message, and are not shown when printed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from pcmodel.behaviour.dataset.task_table import TaskTable


@dataclass(frozen=True, repr=False)
class Origin:
    """The cells by which a user knows a trial again.

    Attributes:
        people: the name of each participant, as it is in the table.
        columns: by the table's name the cells of each column that was read, as they were written,
            (series, trials) of text; "" under the padding.
        telling: those columns that say whose trial it is and under which condition.
        row: the place of each trial among the rows that were used, from 0; -1 under the padding.
    """

    people: tuple[str, ...]
    columns: Mapping[str, np.ndarray]
    telling: tuple[str, ...]
    row: Int[np.ndarray, "series trials"]

    def __repr__(self) -> str:
        return f"Origin({len(self.people)} people, {int((self.row >= 0).sum())} rows)"

    @property
    def present(self) -> Bool[np.ndarray, "series trials"]:
        """True for trials, false under the padding."""
        return self.row >= 0

    def of_series(self) -> dict[str, np.ndarray]:
        """By name the telling columns that are the same in all trials of each series, one cell a series."""
        found = {}
        for name in self.telling:
            cells = self.columns[name]
            first = cells[:, 0]
            if np.all((cells == first[:, None]) | ~self.present):
                found[name] = first
        return found


def origin_of(
    table: TaskTable,
    telling: Sequence[str],
    others: Sequence[str],
    who: Int[np.ndarray, " rows"],
    labels: Sequence[str],
    place: tuple[np.ndarray, np.ndarray],
    order: Int[np.ndarray, " rows"],
    shape: tuple[int, int],
) -> Origin:
    """The origin of trials that were put in `order`, row by row at `place`.

    telling: the file's columns that say whose trial it is and under which condition, in order.
    others: the file's other columns that were read.
    who: the participant of each row, from 0.
    labels: the participant's name in each row.
    """
    people = dict(zip(who.tolist(), labels, strict=True))
    row = np.full(shape, -1)
    row[place] = order
    columns = {}
    for name in dict.fromkeys((*telling, *others)):
        if name in table.columns:
            cells = np.full(shape, "", dtype=object)
            cells[place] = np.asarray(table.cells(name), dtype=object)[order]
            columns[name] = cells
    names = tuple(people[i] for i in range(len(people)))
    return Origin(names, columns, tuple(n for n in columns if n in telling), row)


def numbered(
    participant: Int[np.ndarray, " series"], present: Bool[np.ndarray, "series trials"]
) -> Origin:
    """The origin of trials that came from no table: people are numbered from 1, and rows go series by series."""
    people = tuple(str(i + 1) for i in range(int(participant.max(initial=-1)) + 1))
    row = np.full(present.shape, -1)
    row[present] = np.arange(int(present.sum()))
    own = np.asarray([people[i] for i in participant], dtype=object)
    cells = np.where(present, own[:, None], "")
    trial = np.where(present, np.arange(1, present.shape[1] + 1)[None], 0)
    text = np.where(present, trial.astype(str).astype(object), "")
    several = np.bincount(participant).max(initial=0) > 1
    columns = {"participant": cells}
    if several:
        seen: Counter[int] = Counter()
        count = []
        for person in participant.tolist():
            seen[person] += 1
            count.append(str(seen[person]))
        columns["series"] = np.where(present, np.asarray(count, object)[:, None], "")
    return Origin(people, columns | {"trial": text}, tuple(columns), row)

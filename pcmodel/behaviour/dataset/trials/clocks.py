"""Columns that count or time the trials, and whether rows stand in their order.

They are recognised by the words of their names (`trial_onset`, `round number`), or by cells
that are dates and times of day.
"""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, time
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pcmodel.behaviour.dataset.exclusions.practice_words import folded
from pcmodel.behaviour.dataset.naming import plain, words
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_numbers
from pcmodel.behaviour.dataset.task_table import TaskTable

COUNTS = {
    *("nr", "no", "number", "num", "n", "t", "order", "index", "count", "time"),
    *("position", "sequence", "seq", "row", "round", "times", "rounds", "clock"),
    *("step", "steps", "iteration", "start", "begin", "obs", "observation"),
    *("rownames", "rowname", "rownum", "rowid", "lfd", "lfdnr", "lfnr", "idx"),
    *("durchgang", "durchgange", "runde", "zeit", "startzeit", "reihenfolge", "zeile"),
    *("essai", "tour", "temps", "heure", "ordre", "ensayo", "ronda", "tiempo", "hora"),
    *("orden", "beurt", "tijd", "volgorde", "turno", "tempo", "ordine", "tentativa"),
    *("prova", "rodada"),
}
TIMES = {
    *("onset", "onsets", "timestamp", "timestamps", "elapsed", "started", "starttime"),
}
# Beside a word that counts or times, these leave its meaning as it is.
BESIDE = {
    *("ms", "msec", "s", "sec", "secs", "seconds", "us", "this"),
    *("abs", "absolute", "global", "system", "unix", "epoch", "utc", "local"),
    *("of", "the", "presentation", "running", "event", "subsession", "game"),
    "decision",
}
# Names in small letters without a mark between their words: `roundnumber`.
TIMED = re.compile("onset|timestamp|elapsed")
# Names that software gives to row names which have none: of R, readr and pandas.
NAMELESS = re.compile(r"|x|x1|unnamed\d+|1|v1|column1|rownames")
TOGETHER = re.compile(f"(?:{'|'.join(sorted(w for w in COUNTS if len(w) > 1))})+")
# An onset's delay, or the time from one onset to the next, is no time of the day.
SPANS = {
    *("delay", "to", "error", "duration", "dur", "jitter", "interval", "iti", "isi"),
    *("soa", "rt", "reaction", "response", "latency", "since", "from", "diff", "lag"),
    *("left", "remaining", "until"),
}
# PsychoPy numbers conditions (thisIndex), repetitions, and trials in a repetition so.
NO_COUNTS = ("thisindex", "thisrepn", "thistrialn")
ANEW = {"in", "within", "per", "of", "block", "run", "rep", "miniblock", "cycle", "sub"}
ROW_NUMBERS = {"nr", "no", "number", "num", "n", "index", "count", "row", "obs"}
ROW_NUMBERS |= {"rowname", "rownum", "rowid", "idx", "lfd", "lfdnr", "lfnr", "zeile"}
DIFFERENT = 0.9  # of the values of what counts trials
FILLED = 0.5  # of the rows, at least
MOST_ROWS = 2.0  # numbers for each row that is left of a table
DAY = 86400.0
FORMATS = (
    *("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"),
    *("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%I:%M:%S %p"),
    "%Y-%m-%d_%Hh%M.%S.%f",
)
LOOKS_LIKE_A_TIME = re.compile(r"\d{1,4}[-/.:]\d|\d{8}T\d")


class Clock(NamedTuple):
    """A column that may count or time the trials.

    name: of the column.
    values: counts, or times in s; NaN where missing.
    is_time: whether it times trials, by its cells or by a word that means nothing else.
    is_number: whether its cells are numbers.
    period: after which times begin anew, in s: a day for times of day.
    """

    name: str
    values: Float[np.ndarray, " rows"]
    is_time: bool
    is_number: bool
    period: float = np.inf

    def falls(self, rows: Int[np.ndarray, " sorted"], part: np.ndarray) -> np.ndarray:
        """The rows, in this order, that are earlier than the one above in their part."""
        rows = rows[np.isfinite(self.values[rows])]
        step = np.diff(self.values[rows])
        fallen = (step < 0.0) & (step > -self.period / 2) & (np.diff(part[rows]) == 0)
        return rows[1:][fallen]


def find_clocks(
    table: TaskTable, part: np.ndarray, used: Collection[str], *, anew: bool = False
) -> list[Clock]:
    """The columns that count or time the trials of each part, but for those in `used`.

    With `anew`, instead, those that count from the same number again and again.
    """
    found: list[Clock] = []
    for name, cells in table.columns.items():
        if name in used:
            continue
        values = to_numbers(cells)
        if values is not None and np.isfinite(values).mean() < FILLED:
            values = None
        counting = counts(name) or (values is not None and are_row_names(name, values))
        if values is not None and (counting or _are_since_1970(values)):
            certain = _are_since_1970(values) or _times_surely(name)
            clock = Clock(name, values, certain, True)
            if _is_different(values, part) != anew:
                found.append(clock)
        elif not anew and (clock := _times(name, cells, part)) is not None:
            found.append(clock)
    return found


def counts(name: str) -> bool:
    """Whether the words of a column's name say that it counts or times trials.

    >>> counts("round_number"), counts("Stim.OnsetTime"), counts("item_number")
    (True, True, False)
    """
    parts, whole = set(map(folded, words(name))), folded(plain(name))
    if whole.endswith(NO_COUNTS) or parts & SPANS:
        return False
    if "trial" in whole or _times_surely(name):
        return True
    if TOGETHER.fullmatch(whole):
        return True
    return bool(parts & COUNTS) and parts <= COUNTS | BESIDE


def counts_anew(name: str) -> bool:
    """Whether a column's name says that counts begin anew: `trial_in_block`."""
    return bool(ANEW & set(words(name)))


def _times_surely(name: str) -> bool:
    return bool(TIMES & set(words(name)) or TIMED.search(plain(name)))


def numbers_rows(name: str) -> bool:
    """Whether a column of this name may number the rows of the table: `index`."""
    if NAMELESS.fullmatch(plain(name)):
        return True
    return "trial" not in plain(name) and bool(ROW_NUMBERS & set(words(name)))


def are_row_names(name: str, values: Float[np.ndarray, " rows"]) -> bool:
    """Whether a column without a proper name numbers the rows of the table."""
    if not NAMELESS.fullmatch(plain(name)) or not np.all(values == np.round(values)):
        return False
    width = values.max() - values.min() + 1
    return bool(
        len(np.unique(values)) == len(values) and width <= MOST_ROWS * len(values)
    )


def _are_since_1970(values: np.ndarray) -> bool:
    """Whether all may be seconds or milliseconds since 1970, of the years 2001 to 2033."""
    seen = values[np.isfinite(values)]
    return any(bool(((seen > k * 1e9) & (seen < k * 2e9)).all()) for k in (1, 1000))


def _is_different(values: np.ndarray, part: np.ndarray) -> bool:
    """Whether nearly all numbers of each part differ, as those that count trials do."""
    here = np.isfinite(values)
    pairs = np.unique(np.stack([part[here], values[here]]), axis=1)
    return bool(pairs.shape[1] >= DIFFERENT * here.sum())


def _times(name: str, cells: Sequence[str], part: np.ndarray) -> Clock | None:
    """The clock in cells that are dates with times, or times of day; None for others.

    Days may be written before months or after: the reading is taken that fits the order of
    the rows best.
    """
    texts = {cell: cell.strip() for cell in set(cells) if not is_missing(cell)}
    filled = sum(cell in texts for cell in cells)
    looks = all(map(LOOKS_LIKE_A_TIME.match, texts.values()))
    if (
        SPANS & set(words(name))
        or len(texts) < 2
        or not looks
        or filled < FILLED * len(cells)
    ):
        return None
    rows, found = np.argsort(part, kind="stable"), []
    for read in _READERS:
        try:
            seconds = {cell: read(text) for cell, text in texts.items()}
        except ValueError:
            continue
        values = np.asarray([seconds.get(cell, np.nan) for cell in cells])
        period = DAY if max(seconds.values()) < DAY else np.inf
        found.append(Clock(name, values, True, False, period))
    return min(found, key=lambda clock: len(clock.falls(rows, part)), default=None)


def _since_1970(moment: datetime) -> float:
    """Seconds since 1970; a time without a zone counts as UTC, since only order matters."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _of_day(text: str) -> float:
    moment = time.fromisoformat(text)
    whole = 3600 * moment.hour + 60 * moment.minute + moment.second
    return whole + 1e-6 * moment.microsecond


def _by(pattern: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        moment = datetime.strptime(text, pattern)
        since = _since_1970(moment)
        return since % DAY if moment.year == 1900 else since

    return read


_READERS: tuple[Callable[[str], float], ...] = (
    _of_day,
    lambda text: _since_1970(datetime.fromisoformat(text)),
    *map(_by, FORMATS),
)

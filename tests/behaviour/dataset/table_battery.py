"""Tables in many dialects must read back exactly; damaged ones are refused by place.

The tables are made here and written by code of its own, so that what is read can be
compared cell by cell. `python -m tests.behaviour.dataset.table_battery` prints counts.
"""

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pcmodel.behaviour.dataset import find_task, load_series, with_judgements
from pcmodel.errors import UserError

NAMES = {
    "participant": ("participant", "Subject", "subj_id", "participant_id", "PID"),
    "session": ("session", "Session", "ses", "session_id", "Session Number"),
    "trial": ("trial", "Trial", "trial_num", "TrialNumber", "trial.index", "Trial No"),
    "outcome": ("outcome", "Outcome", "stimulus", "u"),
    "response": ("response", "Response", "choice", "y"),
    "rt": ("rt", "RT", "reaction_time", "Reaction Time", "response_time"),
}
PEOPLE = (
    lambda i: f"P{i + 1:02d}",
    lambda i: f"{i + 1}",
    lambda i: f"sub-{chr(97 + i)}{i}",
    lambda i: f"x {i + 1}, Müller",
)
MISSING = ("", "n/a", "NA", "NaN", "null", "<NA>", "None")
TASK = with_judgements(find_task("binary"), ("reaction_time",))


class Row(NamedTuple):
    """One trial as it is meant."""

    participant: str
    session: str
    trial: int
    outcome: float
    response: float
    rt: float
    drug: str


class Dialect(NamedTuple):
    """How a table is written."""

    separator: str
    end: str
    quote: str  # none, needed, all
    encoding: str
    comma: bool
    names: dict[str, str]
    missing: str
    index: bool
    trailing: bool
    directive: bool
    shuffled: bool
    words: tuple[str, str]  # 0 and 1
    milliseconds: bool
    extra: bool
    clock: str = ""  # a column that says when each trial was, beside its number


def truth(rng: random.Random) -> list[Row]:
    """Trials of a few people in a session or two."""
    name, sessions = rng.choice(PEOPLE), rng.choice((1, 2, 3))
    rows = []
    for person in range(rng.randint(2, 6)):
        for session in range(sessions):
            drug = ("placebo", "LSD, low", "LSD; high")[(person + session) % 3]
            for trial in range(1, rng.randint(8, 20)):
                missed = rng.random() < 0.1 and trial > 4
                rows.append(
                    Row(
                        name(person),
                        f"{session + 1}",
                        trial,
                        float(trial % 2 if trial < 3 else rng.random() < 0.6),
                        np.nan if missed else float(rng.random() < 0.5 or trial < 2),
                        np.nan if missed else round(rng.uniform(0.25, 1.9), 3),
                        drug,
                    )
                )
    rows[1] = rows[1]._replace(response=0.0)
    return rows


def dialect(rng: random.Random) -> Dialect:
    """A way to write a table."""
    separator = rng.choice((",", ",", ";", "\t", "\t", "|"))
    quote = rng.choice(("needed", "all"))
    plain = rng.random() < 0.4
    return Dialect(
        separator,
        rng.choice(("\n", "\n", "\r\n", "\r")),
        quote,
        "utf-8" if plain else rng.choice(("utf-8", "utf-8-sig", "utf-16")),
        separator not in ",|" and rng.random() < 0.4,
        {k: v[0] if plain else rng.choice(v) for k, v in NAMES.items()},
        rng.choice(MISSING),
        not plain and rng.random() < 0.2,
        not plain and rng.random() < 0.2,
        not plain and rng.random() < 0.2,
        rng.random() < 0.5,
        ("0", "1")
        if plain
        else rng.choice((("0", "1"), ("1", "2"), ("False", "True"), ("no", "yes"))),
        not plain and rng.random() < 0.3,
        rng.random() < 0.5,
        rng.choice(("", "", "Stim.OnsetTime", "timestamp", "date", "day_time")),
    )


def cells_of(row: Row, way: Dialect) -> list[str]:
    """The cells of a row."""

    def number(value: float) -> str:
        if np.isnan(value):
            return way.missing
        if way.milliseconds:
            return f"{round(1000 * value)}"
        return f"{value:.3f}".replace(".", "," if way.comma else ".")

    def word(value: float) -> str:
        return way.missing if np.isnan(value) else way.words[int(value)]

    extra = ['said "no", twice'] if way.extra else []
    minute, day = f"10:{row.trial:02d}", f"2021-03-0{row.session}"
    times = {
        "Stim.OnsetTime": number(2.5 * row.trial),
        "timestamp": f"{day}T{minute}:30Z",
        "date": day,
        "day_time": f"{minute}:30",
    }
    extra += [times[way.clock]] if way.clock else []
    return [
        row.participant,
        row.session,
        str(row.trial),
        word(row.outcome),
        word(row.response),
        number(row.rt),
        row.drug,
        *extra,
    ]


def written(rows: Sequence[Row], way: Dialect) -> list[str]:
    """The lines of a table, the header first."""
    extra = ["remark, if any"] if way.extra else []
    extra += [way.clock] if way.clock else []
    table = [[*way.names.values(), "drug", *extra]]
    table += [cells_of(row, way) for row in rows]
    if way.index:
        table = [["" if i == 0 else str(i - 1), *c] for i, c in enumerate(table)]
    lines = [_line(cells, way) for cells in table]
    return [f"sep={way.separator}", *lines] if way.directive else lines


def _line(cells: Sequence[str], way: Dialect) -> str:
    def quoted(cell: str) -> str:
        needs = way.separator in cell or '"' in cell
        if way.quote == "all" or needs:
            return '"' + cell.replace('"', '""') + '"'
        return cell

    line = way.separator.join(map(quoted, cells))
    return line + way.separator if way.trailing else line


def meant(rows: Sequence[Row]) -> list[tuple]:
    """Series as they are meant, in any order."""
    keys = dict.fromkeys((r.participant, r.session) for r in rows)
    people = list(dict.fromkeys(r.participant for r in rows))
    found = []
    for who, session in keys:
        own = [r for r in rows if (r.participant, r.session) == (who, session)]
        own.sort(key=lambda r: r.trial)
        numbers = [[r.outcome, r.response, r.rt] for r in own]
        found.append((people.index(who), own[0].drug, numbers))
    return found


def is_right(series: Any, rows: Sequence[Row]) -> bool:
    """Whether what was read is what was meant (people up to their order)."""
    wanted = meant(rows)
    if len(series.participant) != len(wanted):
        return False
    names = ("outcome", "response", "reaction_time")
    for i, (who, drug, numbers) in enumerate(wanted):
        held = series.present[i]
        got = np.stack([series.values[n][i][held] for n in names], axis=-1)
        same = got.shape == (len(numbers), 3) and np.allclose(
            got, numbers, equal_nan=True, rtol=0, atol=1e-9
        )
        if not same or series.participant[i] != who:
            return False
        if str(series.covariates["drug"][i]) != drug:
            return False
    return True


def verdict(
    path: Path, rows: Sequence[Row], places: Sequence[str] = ()
) -> tuple[str, str]:
    """right, wrong, refused, refused (place not named) or raw, and what was said."""
    try:
        series = load_series(path, TASK, covariates=("drug",))
    except UserError as error:
        said = str(error)
        clear = all(place in said for place in places)
        return ("refused" if clear else "refused, place not named"), said
    except Exception as error:
        return "raw", repr(error)
    return ("right" if is_right(series, rows) else "wrong"), ""


def one_table(seed: int, folder: Path) -> tuple[str, str]:
    """A sound table in some dialect."""
    rng = random.Random(seed)
    rows, way = truth(rng), dialect(rng)
    if way.shuffled:
        rng.shuffle(rows)
    path = folder / "data.csv"
    text = way.end.join(written(rows, way)) + way.end * rng.choice((0, 1, 2))
    path.write_bytes(text.encode(way.encoding))
    said = verdict(path, rows)
    return said[0], f"{said[1]} {way}"


# A damage: the lines (header first), the place of the line, random numbers; the lines
# and the numbers of the rows of which one or more must be named.
Lines = list[str]
Damage = Callable[[Lines, int, random.Random], Lines]


def _edit(change: Callable[[list[str], random.Random], list[str]]) -> Damage:
    def damage(lines: Lines, i: int, rng: random.Random) -> Lines:
        cells = change(lines[i].split(","), rng)
        return [*lines[:i], ",".join(cells), *lines[i + 1 :]]

    return damage


def _put(column: int, text: str) -> Damage:
    return _edit(lambda c, rng: [*c[:column], text, *c[column + 1 :]])


def _turn(column: int, change: Callable[[str], str]) -> Damage:
    return _edit(lambda c, rng: [*c[:column], change(c[column]), *c[column + 1 :]])


DAMAGES: dict[str, Damage] = {
    "quotation mark left open at a cell's beginning": _turn(1, lambda c: '"' + c),
    "quotation mark at a cell's end": _turn(0, lambda c: c + '"'),
    "quotation mark at the line's beginning": _turn(0, lambda c: '"' + c),
    "one cell more": _edit(lambda c, rng: [*c, "1"]),
    "one cell less": _edit(lambda c, rng: c[:-1]),
    "line cut off": _edit(lambda c, rng: c[:3]),
    "word for a number": _put(5, "fast"),
    "word for a response": _put(4, "left"),
    "code 999 for a time": _put(5, "999"),
    "code 9999 for a time": _put(5, "9999"),
    "code -9 for a time": _put(5, "-9"),
    "code 9 for a response": _put(4, "9"),
    "id in lower case": _turn(0, str.lower),
    "id with another zero": _turn(0, lambda c: c.replace("P", "P0")),
    "id with a space": _turn(0, lambda c: c.replace("P", "P ")),
    "id missing": _put(0, ""),
    "session as 01": _turn(1, lambda c: "0" + c),
    "drug in capitals": _turn(6, str.capitalize),
    "trial missing": _put(2, "n/a"),
    "row twice": lambda lines, i, rng: [*lines[:i], lines[i - 1], *lines[i:]],
    "header twice": lambda lines, i, rng: [*lines[:i], lines[0], *lines[i:]],
    "decimal comma in quotation marks": _turn(
        5, lambda c: '"' + (c or "0.5").replace(".", ",") + '"'
    ),
    "two numbers in a cell": _put(5, "0.5 0.6"),
    "zero byte": _put(5, "0.\x005"),
    "infinity": _put(5, "inf"),
}


def one_damage(seed: int, kind: str, folder: Path) -> tuple[str, str]:
    """A table damaged in one line."""
    rng = random.Random(f"{seed} {kind}")
    rows = [
        r._replace(drug="placebo" if r.drug[0] == "p" else "drug") for r in truth(rng)
    ]
    place = {
        w: f"P{i + 1}" for i, w in enumerate(dict.fromkeys(r.participant for r in rows))
    }
    rows = [r._replace(participant=place[r.participant]) for r in rows]
    names = {k: v[0] for k, v in NAMES.items()}
    way = Dialect(
        *(",", "\n", "needed", "utf-8", False, names, "n/a"),
        *(False, False, False, False, ("0", "1"), False, False),
    )
    lines = written(rows, way)
    i = rng.randrange(3, len(lines) - 1)
    damaged = DAMAGES[kind](lines, i, rng)
    path = folder / "data.csv"
    path.write_bytes("\n".join(damaged).encode("utf-8"))
    return verdict(path, rows, (path.name, f"{i + 1}"))


def two_marks(seed: int, folder: Path) -> tuple[str, str]:
    """A pair of stray quotation marks, some rows apart."""
    rng = random.Random(f"{seed} pair")
    lines = ["subject,trial,outcome,response,rt,drug"]
    lines += [
        f"P{1 + i // 20},{i % 20},{i % 2},{i // 2 % 2},0.5,{'ab'[i // 20 % 2]}"
        for i in range(80)
    ]
    i, gap = rng.randrange(1, 30), rng.randrange(2, 40)
    lines[i] = '"' + lines[i]
    lines[i + gap] = (
        lines[i + gap] + '"'
        if rng.random() < 0.5
        else lines[i + gap].replace(",", '",', 1)
    )
    path = folder / "data.csv"
    path.write_text("\n".join(lines))
    return verdict(path, (), (path.name, f"row {i + 1} "))


def count(tables: int, each: int) -> tuple[Counter, Counter, list[str]]:
    """Verdicts of sound and of damaged tables, and what was not right."""
    sound, damaged, odd = Counter(), Counter(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(tables):
            kind, said = one_table(seed, folder)
            sound[kind] += 1
            if kind != "right":
                odd.append(f"table {seed}: {kind}: {said}")
        for kind in DAMAGES:
            for seed in range(each):
                found, said = one_damage(seed, kind, folder)
                damaged[found] += 1
                if found not in ("right", "refused"):
                    odd.append(f"{kind} {seed}: {found}: {said}")
        for seed in range(each):
            found, said = two_marks(seed, folder)
            damaged[found] += 1
            if found != "refused":
                odd.append(f"two marks {seed}: {found}: {said}")
    return sound, damaged, odd


if __name__ == "__main__":
    tables, each = (int(word) for word in (*sys.argv[1:], 1000, 40)[:2])
    sound, damaged, odd = count(tables, each)
    print("sound tables:", dict(sound))
    print("damaged tables:", dict(damaged))
    if len(sys.argv) > 3:
        print("\n".join(line[:700] for line in odd))

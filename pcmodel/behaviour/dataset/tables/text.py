"""Delimited text, read line by line: one line is one row, and no cell spans two.

Quotation marks may enclose a cell (a mark inside it is written twice) but never a line
break, so that a mark left open cannot take in the trials below it; it is refused in its
row. A row's number is that of its line in the file.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pcmodel.behaviour.dataset.tables.cells import (
    COMMA_NUMBER,
    THOUSANDS,
    is_missing,
    to_number,
)
from pcmodel.behaviour.dataset.violations import Place, Violations
from pcmodel.errors import UserError

SEPARATORS = ("\t", ";", ",", "|")  # in this order where several would do
BLANK = re.compile(r"[\s;,|\"']+")  # all that a row without any cell has
LINE_END = re.compile("\r\n|\r|\n")
DIRECTIVE = re.compile(r'"?sep=(.)"?[;,\t]*', re.IGNORECASE)  # of spreadsheets
WORD = re.compile(r'(?:"((?:[^"]|"")*)"|([^" ]+))(?: +|$)')
LAST_LINE = re.compile(r"end of (?:file|data|experiment|log)|eof", re.IGNORECASE)
UNNAMED = "Unnamed: 0"  # as pandas calls it
PARTS = "participant, trial, outcome and response"  # of a table
ENOUGH = 200  # lines that show where the header is
QUESTIONS = '{"ImportId"'
LOG = "*** Header Start ***"  # of E-Prime, beside its tables
# The path that E-Merge and E-DataAid write above the header.
PATH = re.compile(r'"?[^\t"]*[\\/][^\t"]*\.e(?:mrg|dat)\d?"?[\t,; ]*', re.IGNORECASE)
INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f\u2060"))


class Rows(NamedTuple):
    """A header and rows of as many cells.

    header: the names of the columns.
    body: the cells of each row.
    numbers: of the line of each row in the file, from 1.
    has_commas: whether some numbers had decimal commas, which are now points.
    """

    header: list[str]
    body: list[list[str]]
    numbers: list[int]
    has_commas: bool = False


def read_rows(path: Path) -> Rows:
    """The rows of a table in text; UserError that names every line which is no row."""
    lines = list(enumerate(LINE_END.split(_decode(path)), 1))
    directive = DIRECTIVE.fullmatch(lines[0][1].strip(" "))
    if directive:
        lines = lines[1:]
    lines = [(number, line) for number, line in lines if BLANK.sub("", line)]
    if len(lines) > 2 and PATH.fullmatch(lines[0][1]):
        lines = lines[1:]
    if len(lines) < 2:
        raise UserError("has no rows", where=path.name, expected="a header and data")
    _check_first_lines(lines, path.name)
    texts = [line for _, line in lines]
    separator = directive.group(1) if directive else _separator(texts)
    problems, rows = Violations(), []
    for number, line in lines:
        cells, fault = split(line, separator)
        rows.append(cells)
        if fault:
            Place(problems, path.name, row=number, value=_short(line)).refuse(
                f"cannot be read as a table: a quotation mark in cell {len(cells) + 1} "
                "is not closed on its line, or stands inside the cell; remove it (and any "
                "line break inside a cell: a cell is one line), or enclose the whole cell "
                'in quotation marks and write the inner ones twice ("")'
            )
    problems.raise_if_any()
    found = _named(rows, [number for number, _ in lines], path.name)
    return _with_points(found, separator)


def _check_first_lines(lines: Sequence[tuple[int, str]], file: str) -> None:
    """UserError where a path or a remark of the software stands above the header.

    Lines above the header have few cells, where most lines have as many as the first one
    that holds names only.
    """
    if lines[0][1].startswith(LOG):
        raise UserError(
            "is a log of E-Prime, and no table",
            where=file,
            expected="the table that E-DataAid or E-Merge exports",
        )
    for separator in SEPARATORS:
        rows = [split(line, separator)[0] for _, line in lines[:ENOUGH]]
        width, most = Counter(map(len, rows)).most_common(1)[0]
        if width < 3 or 2 * most < len(rows):
            continue
        named = [i for i, row in enumerate(rows) if _is_header(row, width)]
        above = rows[: named[0]] if named else []
        if above and all(2 * sum(map(bool, map(str.strip, r))) < width for r in above):
            raise UserError(
                f"has a path or a remark above the header, which is row {lines[named[0]][0]}, "
                "it seems",
                where=f"{file}, row {lines[0][0]}",
                expected="the names of the columns in the first row; remove what is above",
            )
        return


def _is_header(row: Sequence[str], width: int) -> bool:
    names = {cell.strip() for cell in row}
    return len(row) == width == len(names) and not any(
        is_missing(name) or to_number(name) is not None for name in names
    )


def _short(line: str) -> str:
    return line if len(line) <= 40 else line[:37] + "..."


def _decode(path: Path) -> str:
    content = path.read_bytes()
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")  # "Unicode text" of spreadsheets
    try:
        text = content.decode("utf-16" if wide else "utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(
            f"is not UTF-8 text (row {line}, byte {error.start})",
            where=path.name,
            expected="a table saved as CSV or TSV in UTF-8",
        ) from None
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise UserError(
            f"holds a zero byte in row {row} and is no text",
            where=path.name,
            expected="a table saved as CSV or TSV in UTF-8",
        )
    return unicodedata.normalize("NFC", text.translate(INVISIBLE))


def _separator(lines: Sequence[str]) -> str:
    """The separator of the header; of several, the one by which all rows have one width."""
    header = lines[0]
    candidates = [s for s in SEPARATORS if len(split(header, s)[0]) > 1]
    if not candidates:
        return " " if " " in header.strip() else ","
    if len(candidates) == 1:
        return candidates[0]
    alike = [s for s in candidates if len({len(split(x, s)[0]) for x in lines}) == 1]
    return max(alike or candidates, key=lambda s: len(split(header, s)[0]))


def split(line: str, separator: str) -> tuple[list[str], bool]:
    """The cells of a line, and whether a quotation mark stopped the reading."""
    if separator == " ":
        return _words(line)
    if '"' not in line:
        return line.split(separator), False
    cell = _cell(separator)
    cells, place = [], 0
    while True:
        found = cell.match(line, place)
        if not found:
            return cells, True
        quoted, bare = found.groups()
        cells.append(bare if quoted is None else quoted.replace('""', '"'))
        if found.end() == len(line):
            return cells, False
        place = found.end() + 1


@cache
def _cell(separator: str) -> re.Pattern[str]:
    """A pattern of one cell, in quotation marks or without, up to the separator or the end."""
    end = re.escape(separator)
    return re.compile(rf' *"((?:[^"]|"")*)" *(?={end}|$)|([^"{end}]*)(?={end}|$)')


def _words(line: str) -> tuple[list[str], bool]:
    """Cells separated by any number of spaces."""
    cells, place, line = [], 0, line.strip()
    while place < len(line):
        found = WORD.match(line, place)
        if not found:
            return cells, True
        quoted, bare = found.groups()
        cells.append(bare if quoted is None else quoted.replace('""', '"'))
        place = found.end()
    return cells, False


def _named(rows: list[list[str]], numbers: list[int], file: str) -> Rows:
    """The rows of a table whose columns all have a name."""
    header, body = _without_ends([name.strip() for name in rows[0]], rows[1:])
    width = len(header)
    _check_is_header(header, body, file, numbers[0])
    problems = Violations()
    head = Place(problems, file, row=numbers[0])
    _check_widths(header, body, head)
    problems.raise_if_any()
    for number, row in zip(numbers[1:], body, strict=True):
        _check_row(row, header, Place(problems, file, row=number), head)
    problems.raise_if_any()
    if not header[0] and _is_other_order(body):
        header = [UNNAMED, *header[1:]]
    kept = [i for i, name in enumerate(header) if name or not _is_idle(i, body)]
    header = [header[i] for i in kept]
    if len(kept) < width:
        body = [[row[i] for i in kept] for row in body]
    _check_header(header, head)
    for column in [i for i, name in enumerate(header) if not name]:
        i = next(i for i, row in enumerate(body) if row[column].strip())
        value = body[i][column].strip()
        Place(problems, file, row=numbers[1:][i], value=value).refuse(
            f"column {column + 1} has no name; give it one, or empty it (of this row, too)"
        )
    problems.raise_if_any()
    return Rows(header, body, numbers[1:])


def _check_widths(
    header: Sequence[str], body: Sequence[Sequence[str]], head: Place
) -> None:
    """Refuse a header whose width is not that which all rows have."""
    widths = {len(row) for row in body}
    if len(body) > 1 and len(widths) == 1 and len(header) not in widths:
        head.refuse(
            f"has {len(header)} names, and every row has {widths.pop()} cells; name every "
            "column, enclose a name that holds the separator in quotation marks, and "
            "remove remarks above the header (R: row.names = FALSE leaves out the names "
            "of rows)"
        )


def _check_row(
    row: Sequence[str], header: Sequence[str], place: Place, head: Place
) -> None:
    """Refuse a row that is none of the table: another width, a header, a last line."""
    filled = [cell for cell in map(str.strip, row) if cell]
    if len(filled) == 1 and LAST_LINE.fullmatch(filled[0]):
        place._replace(value=filled[0]).refuse(
            "marks the end of the file, and is no trial; remove the row"
        )
    elif any(cell.startswith(QUESTIONS) for cell in filled):
        place.refuse(
            "is a row of Qualtrics about the questions, and no trial; remove it and "
            "the row of questions above"
        )
    elif len(row) != len(header):
        problem = _other_width(row, len(header))
        place._replace(value=f"{len(row)} cells").refuse(problem)
    elif len(header) > 1 and [cell.strip() for cell in row] == header:
        place.refuse(
            f"is the header once more; remove it, or, if row {head.row} is a trial "
            "itself, write the names of the columns above it"
        )


def _check_is_header(
    header: Sequence[str], body: Sequence[Sequence[str]], file: str, row: int
) -> None:
    """UserError where the first row holds numbers, as the first trial of a matrix does."""
    named = [name for name in header if name]
    numbers = [name for name in named if _is_number(name)]
    again = any([cell.strip() for cell in cells] == list(header) for cells in body)
    if 2 * len(numbers) > len(named) or (numbers and again):
        raise UserError(
            f"must hold the names of the columns, and holds numbers: "
            f"{_short(', '.join(header))!r}; there is no header, it seems",
            where=f"{file}, row {row}",
            expected=f"a row above it of {len(header)} names, such as {PARTS} (or in its "
            "place, if its numbers count the columns)",
        )


def _is_number(cell: str) -> bool:
    if is_missing(cell):
        return False
    return to_number(cell.replace(",", ".")) is not None and cell.lower() != "none"


def _without_ends(
    header: list[str], body: list[list[str]]
) -> tuple[list[str], list[list[str]]]:
    """The header and rows without empty cells at the end that the others do not have."""
    widths = {len(row) for row in body}
    if len(widths) != 1:
        return header, body
    width = widths.pop()
    if not any(header[width:]):
        header = header[:width]
    if not any(cell.strip() for row in body for cell in row[len(header) :]):
        body = [row[: len(header)] for row in body]
    return header, body


def _other_width(row: Sequence[str], width: int) -> str:
    """The complaint about a row of another number of cells, with its likely reason."""
    problem = f"has another number of cells than the header's {width}"
    if len(row) < width:
        return f"{problem}; write n/a where nothing is known, or remove the row"
    if not any(cell.strip() for cell in row[width:]):
        return f"{problem}; remove the separators at its end"
    return f"{problem}; enclose a cell that holds the separator in quotation marks"


def _is_other_order(body: Sequence[Sequence[str]]) -> bool:
    """Whether a first column that numbers the rows shows that they were reordered."""
    numbers = [int(row[0]) for row in body if _is_count(row[0].strip())]
    return _is_idle(0, body) and numbers != sorted(numbers)


def _is_idle(column: int, body: Sequence[Sequence[str]]) -> bool:
    """Whether a column without a name is empty, or is the first and numbers the rows."""
    cells = [row[column].strip() for row in body]
    if not any(cells):
        return True
    return column == 0 and len(set(cells)) == len(cells) and all(map(_is_count, cells))


def _is_count(cell: str) -> bool:
    return cell.isascii() and cell.isdecimal()


def _check_header(header: Sequence[str], head: Place) -> None:
    """Refuse a header that is one quoted line, and names that occur twice."""
    if len(header) == 1 and re.search(r"[,;\t|]", header[0]):
        head._replace(value=_short(header[0])).refuse(
            "is one cell; remove the quotation marks around whole lines"
        )
    for i, name in enumerate(header):
        if name and name in header[:i]:
            head._replace(column=name).refuse("the name stands twice")


def _with_points(rows: Rows, separator: str) -> Rows:
    """Decimal commas as points, in columns whose cells with digits are all written so.

    Words among them (`k.A.`, `#NV`) stay, and are refused as they are beside points. A
    column of 1,234 may be of thousands; its cells stay, and are refused where they are read
    as numbers.
    """
    if separator == ",":
        return rows
    body, has_commas = rows.body, False
    for i in range(len(rows.header)):
        cells = {row[i].strip() for row in body}
        written = {cell for cell in cells if COMMA_NUMBER.fullmatch(cell)}
        if not written or all(map(THOUSANDS.fullmatch, written)):
            continue
        others = cells - written
        if any(re.search(r"\d", c) and not _is_count(c.lstrip("+-")) for c in others):
            continue
        has_commas = True
        for row in body:
            if row[i].strip() in written:
                row[i] = row[i].replace(",", ".")
    return rows._replace(body=body, has_commas=has_commas)

"""Which rows of a table are used: `phase == test and (rt < 5 or session in (1, 2))`.

A column (in backticks if its name has spaces), a comparison, a value (in quotation marks if
it has spaces); `and` binds closer than `or`. Numbers are compared as numbers, all else
as it is written. A value that the column does not hold is refused, since it is most often
a misspelling. Where the table is in several files, the column `file` holds their names.
"""

import re
from collections.abc import Callable, Collection, Mapping
from math import nan
from types import MappingProxyType
from typing import NamedTuple, NoReturn

from pcmodel.behaviour.dataset.reading import same
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import KEYWORDS, in_expression, option
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.thousands import both_ways, may_be_thousands
from pcmodel.errors import UserError, unknown_name

TOKEN = re.compile(
    r"\s*(?:`(?P<column>[^`]+)`|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'"
    r"|(?P<sign>==|!=|<=|>=|<|>|\(|\)|,)|(?P<word>[^\s=!<>(),`\"']+))"
)
ORDERED: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
NO_CELLS: Mapping[str, Collection[str]] = MappingProxyType({})
GRAMMAR = (
    "COLUMN == VALUE (or !=, <, <=, >, >=, in (A, B), not in (A, B)), and, or; a name of "
    'several words in backticks (`A B`), a value of several in quotation marks ("A B")'
)


class Token(NamedTuple):
    """One word or sign of an expression.

    text: as written, without its quotation marks.
    kind: "sign", "word" (may be a keyword), "column" or "value" (were quoted).
    """

    text: str
    kind: str


Truth = bool | None  # None: not known yet
UNKNOWN = "\0"  # a cell of a file that was not read; no table holds a zero byte
Cells = Mapping[str, Collection[str]]  # by column some of its cells


def choose_rows(
    raw: RawTable, expression: str, coded: Cells = NO_CELLS, labels: Cells = NO_CELLS
) -> tuple[RawTable, set[str]]:
    """The rows for which the expression holds, and the columns that it names.

    To `n/a` and to a comparison by size, the cells in `coded` are missing; they keep their
    own text too. The cells in `labels` are not missing, even if they are written NA.
    UserError where the expression cannot be read or keeps no row.
    """
    parser = _Parser(raw, expression, coded=coded, labels=labels)
    kept = [i for i, keep in enumerate(parser.read()) if keep]
    if not kept:
        raise UserError("keeps no row", where=f"--where {expression!r}")
    return raw.take(kept), parser.columns


def may_hold(raw: RawTable, expression: str) -> list[bool]:
    """Whether the expression may keep a trial of each file, by the files' names alone.

    `raw` holds one row a file; its cells may be UNKNOWN, and so are all other columns.
    UserError where no file is kept.
    """
    kept = [truth is not False for truth in _Parser(raw, expression, True).read()]
    if not any(kept):
        raise UserError("keeps no file", where=f"--where {expression!r}")
    return kept


def _or(one: Truth, other: Truth) -> Truth:
    if one or other:
        return True
    return None if None in (one, other) else False


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _and(one: Truth, other: Truth) -> Truth:
    return _not(_or(_not(one), _not(other)))


class _Parser:
    """Recursive descent over the tokens, which yields a truth value for each row.

    is_partial: an unknown column is no error, since the files may hold it.
    """

    def __init__(
        self,
        raw: RawTable,
        expression: str,
        is_partial: bool = False,
        *,
        coded: Cells = NO_CELLS,
        labels: Cells = NO_CELLS,
    ) -> None:
        self.coded, self.labels = coded, labels
        self.raw, self.expression, self.place = raw, expression, 0
        self.is_partial, self.cells = is_partial, dict(raw.columns)
        if is_partial or len(set(raw.file)) > 1:
            self.cells.setdefault("file", raw.file)
        self.columns: set[str] = set()
        self.tokens = self._tokens()

    def read(self) -> list[Truth]:
        """The whole expression."""
        try:
            found = self._either()
        except RecursionError:
            self._fail("has too many brackets")
        if self.place < len(self.tokens):
            self._fail(f"cannot be read from {self.tokens[self.place].text!r} on")
        return found

    def _tokens(self) -> list[Token]:
        found, place, text = [], 0, self.expression.rstrip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if not match:
                self._fail(f"cannot be read from {text[place:]!r} on")
            kind = str(match.lastgroup)
            name = "value" if kind in ("double", "single") else kind
            found.append(Token(match.group(kind), name))
            place = match.end()
        return found

    def _fail(self, what: str) -> NoReturn:
        raise UserError(what, where=f"--where {self.expression!r}", expected=GRAMMAR)

    def _next(self) -> Token:
        if self.place == len(self.tokens):
            self._fail("ends too early")
        self.place += 1
        return self.tokens[self.place - 1]

    def _is(self, *words: str) -> bool:
        ahead = self.tokens[self.place : self.place + len(words)]
        plain = [t.text.lower() for t in ahead if t.kind in ("word", "sign")]
        if plain != list(words):
            return False
        self.place += len(words)
        return True

    def _either(self) -> list[Truth]:
        found = self._both()
        while self._is("or"):
            found = list(map(_or, found, self._both()))
        return found

    def _both(self) -> list[Truth]:
        found = self._one()
        while self._is("and"):
            found = list(map(_and, found, self._one()))
        return found

    def _one(self) -> list[Truth]:
        if self._is("("):
            found = self._either()
            if not self._is(")"):
                self._fail("has a parenthesis that is not closed")
            return found
        token = self._next()
        column = token.text
        self._check_marks(token)
        if self.is_partial:
            self.cells.setdefault(column, [UNKNOWN] * self.raw.num_rows)
        if column not in self.cells:
            raise unknown_name(
                "column",
                column,
                map(in_expression, self.cells),
                where=f"--where {self.expression!r}",
            )
        self.columns.add(column)
        if self._is("in"):
            return self._among(column)
        if self._is("not", "in"):
            return list(map(_not, self._among(column)))
        sign = self._next()
        if sign.kind != "sign" or sign.text not in (*ORDERED, "==", "!="):
            self._fail(f"has {sign.text!r} where a comparison belongs")
        value = self._value(column)
        if sign.text in ORDERED:
            return self._ordered(column, sign.text, value)
        held = self._equal(column, value)
        return held if sign.text == "==" else list(map(_not, held))

    def _value(self, column: str) -> str:
        token = self._next()
        if token.kind == "sign":
            self._fail(f"has {token.text!r} where a value belongs")
        more = self._words_ahead() if token.kind == "word" else []
        value, cells = " ".join((token.text, *more)), set(self.cells[column])
        if more and (UNKNOWN in cells or value in map(_single_spaced, cells)):
            self._advise(value, f'"{value}"', "value", column)
        return token.text

    def _words_ahead(self) -> list[str]:
        """The next words, up to a sign or a keyword."""
        found: list[str] = []
        for token in self.tokens[self.place :]:
            if token.kind != "word" or token.text.lower() in KEYWORDS:
                break
            found.append(token.text)
        return found

    def _check_marks(self, first: Token) -> None:
        """Refuse a column of several words that is not in backticks."""
        if first.kind != "word" or first.text in self.cells:
            return
        odd = [c for c in self.cells if in_expression(c) != c and c in self.expression]
        inside = [c for c in odd if c.startswith(first.text)]
        more = self._words_ahead()
        end = self.place + len(more)
        if inside:
            column = max(inside, key=len)
        elif more and end < len(self.tokens):
            column = " ".join((first.text, *more))
        else:
            return
        self._advise(column, f"`{column}`", "name")

    def _advise(self, text: str, marked: str, kind: str, column: str = "") -> NoReturn:
        """Refuse a name or value without its marks, and show the expression with them."""
        parts = re.split(r"(`[^`]*`|\"[^\"]*\"|'[^']*')", self.expression)
        loosely = r"\s+".join(map(re.escape, text.split()))
        alone = rf"(?<![\w.]){loosely}(?![\w.])"
        parts = [
            part if i % 2 else re.sub(alone, lambda _: marked, part)
            for i, part in enumerate(parts)
        ]
        marks = "backticks" if kind == "name" else "quotation marks"
        of = f" of column {column!r}" if column else ""
        self._fail(
            f"holds the {kind} {text!r}{of} without {marks}; write them ({option(''.join(parts))})"
        )

    def _among(self, column: str) -> list[Truth]:
        if not self._is("("):
            self._fail("has no list in parentheses after 'in'")
        held = self._equal(column, self._value(column))
        while self._is(","):
            more = self._equal(column, self._value(column))
            held = list(map(_or, held, more))
        if not self._is(")"):
            self._fail("has a list that is not closed")
        return held

    def _equal(self, column: str, value: str) -> list[Truth]:
        cells, labels = self.cells[column], self.labels.get(column, ())
        kinds = {cell: _is_equal(cell, value, labels) for cell in set(cells)}
        if is_missing(value) and value not in labels:
            kinds |= dict.fromkeys(self.coded.get(column, ()), True)
        gone = (
            _is_equal(cell, value, labels) for cell in self.raw.gone.get(column, ())
        )
        if not any(truth is not False for truth in (*kinds.values(), *gone)):
            shown = ", ".join(sorted(repr(cell.strip()) for cell in kinds)[:8])
            self._fail(
                f"compares column {column!r} with {value!r}, but it holds {shown}"
            )
        return [kinds[cell] for cell in cells]

    def _ordered(self, column: str, sign: str, value: str) -> list[Truth]:
        limit = to_number(value)
        if limit is None or limit != limit:
            self._fail(f"compares by size with {value!r}, which is no number")
        cells = self.cells[column]
        numbers = {cell: to_number(cell) for cell in set(cells) - {UNKNOWN}}
        numbers |= dict.fromkeys(self.coded.get(column, ()), nan)
        double = set() if self.is_partial else may_be_thousands(self.raw, column)
        for i, cell in enumerate(cells):
            if cell == UNKNOWN:
                continue
            if numbers[cell] is None:
                self._refuse_size(i, column, "is not a number")
            if cell.strip() in double:
                self._refuse_size(i, column, both_ways(cell))
        compare, truths = ORDERED[sign], dict[str, Truth]({UNKNOWN: None})
        truths |= {cell: compare(n, limit) for cell, n in numbers.items()}  # type: ignore[arg-type]
        return [truths[cell] for cell in cells]

    def _refuse_size(self, i: int, column: str, why: str) -> NoReturn:
        at = self.raw.at(i, column)
        raise UserError(
            f"{why}, and --where compares it by size: {self.cells[column][i]!r}",
            where=f"{at['file']}, column {column!r}, row {at['row']}",
        )


def _single_spaced(text: str) -> str:
    return " ".join(text.split())


def _is_equal(cell: str, value: str, labels: Collection[str]) -> Truth:
    if cell == UNKNOWN:
        return None
    if value in labels or not is_missing(value):
        return same(cell, value)
    return is_missing(cell) and cell.strip() not in labels

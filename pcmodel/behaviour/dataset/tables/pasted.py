"""Options of the command line and names of columns, quoted as a shell and a list need it."""

import re
from collections.abc import Iterable
from shlex import quote

KEYWORDS = ("and", "or", "in", "not")  # of expressions that choose rows
PLAIN = re.compile(r"[^\W\d_][\w.]*")  # what the formula library reads as one name


def pasted(name: str, value: str) -> str:
    """An option and its value; joined by `=` where the value would be taken for an option.

    >>> pasted("series", "age (years)"), pasted("missing", "-9")
    ("--series 'age (years)'", '--missing=-9')
    """
    joint = "=" if value.startswith("-") else " "
    return f"--{name}{joint}{quote(value)}"


def listed(name: str) -> str:
    """A column's name within a list or a pair; in backticks where it holds a comma or `=`.

    >>> listed("age"), listed("age, years")
    ('age', '`age, years`')
    """
    return f"`{name}`" if re.search(r"[,=]|^\s|\s$", name) else name


def as_column(role: str, column: str) -> str:
    """The option by which a column of the file is one of the task's: its trial, its block."""
    return pasted("columns", f"{role}={listed(column)}")


def as_series(column: str) -> str:
    """The option by which the belief starts afresh with each value of a column."""
    return pasted("series", listed(column))


def as_missing(name: str, *values: str) -> str:
    """The option by which these values of a column stand for a missing one."""
    return pasted("missing", ",".join(f"{listed(name)}={value}" for value in values))


def as_codes(name: str, labels: Iterable[str]) -> str:
    """The option that lists a column's labels in order: of two, the one that counts as 0 first."""
    return pasted("codes", f"{listed(name)}={','.join(labels)}")


def comparison(column: str, sign: str, value: str) -> str:
    """`column sign value` as an expression, quoted where it needs to be."""
    mark = "'" if '"' in value else '"'
    return f"{in_expression(column)} {sign} {mark}{value}{mark}"


def in_expression(column: str) -> str:
    """The column's name, in backticks where it needs them."""
    plain = re.fullmatch(r"[^\s=!<>(),`\"'&|]+", column)
    return column if plain and column.lower() not in KEYWORDS else f"`{column}`"


def option(expression: str) -> str:
    """The option of the command line, as it can be pasted into a shell."""
    return pasted("where", expression)


def rows_with(column: str, value: str) -> str:
    """The option that keeps the rows of one value only."""
    return option(comparison(column, "==", value))


def rows_without(column: str, value: str) -> str:
    """The option that leaves out the rows of one value."""
    return option(comparison(column, "!=", value))


def rows_not_in(column: str, values: Iterable[str]) -> str:
    """The option that leaves out the rows of several values, which hold no quotation mark."""
    listing = ", ".join(f'"{value}"' for value in values)
    return option(f"{in_expression(column)} not in ({listing})")


def all_rows(column: str, value: str) -> str:
    """The option that keeps all rows, by which the user says that the column was considered."""
    value = value.strip()
    without, only = (comparison(column, sign, value) for sign in ("!=", "=="))
    return option(f"{without} or {only}")


def choice(column: str, value: str) -> str:
    """Advice to leave out the rows of a value, or to keep all rows."""
    without = rows_without(column, value)
    return f"leave them out ({without}), or keep all ({all_rows(column, value)})"


def choice_of_filled(column: str) -> str:
    """Advice to leave out the rows in which a column is filled in, or to keep all rows."""
    name = in_expression(column)
    empty, every = option(f"{name} == n/a"), option(f"{name} == n/a or {name} != n/a")
    return f"leave them out ({empty}), or keep all ({every})"


def known_only(column: str) -> str:
    """The option that leaves out the rows in which a column is missing."""
    return option(f"{in_expression(column)} != n/a")


def must_be_known(column: str) -> str:
    """The complaint about a missing cell that is needed."""
    return (
        "is missing, and must be known; fill it in, or leave its rows out "
        f"({known_only(column)})"
    )


def unmarked(name: str) -> str:
    """A name without the backticks that `listed` gave it."""
    name = name.strip()
    inner = name[1:-1]
    return inner if name == f"`{inner}`" and "`" not in inner and inner else name


def entries(text: str) -> tuple[str, ...]:
    """The entries of a list, separated by commas outside of backticks.

    >>> entries("age, `a, b`=999")
    ('age', '`a, b`=999')
    """
    found = re.findall(r"(?:`[^`]*`|[^,`]|`)+", text)
    return tuple(word.strip() for word in found if word.strip())


def in_formula(name: str) -> str:
    """A column's name as a formula needs it.

    >>> in_formula("age"), in_formula("BDI-II")
    ('age', '`BDI-II`')
    """
    return name if PLAIN.fullmatch(name) else f"`{name}`"


def with_backticks(text: str, columns: Iterable[str]) -> tuple[str, list[str]]:
    """A formula with names that are not one word in backticks, and these names.

    Names are looked for outside of quotation marks and backticks, the longest first.

    >>> with_backticks("omega2 ~ BDI-II + age", ["age", "BDI-II"])
    ('omega2 ~ `BDI-II` + age', ['BDI-II'])
    """
    odd = sorted((n for n in columns if _is_odd(n)), key=len, reverse=True)
    left, tilde, right = text.partition("~")
    if not odd or not tilde:
        return text, []
    one_of = "|".join(rf"(?<![\w.'\"]){_loosely(n)}(?![\w.])" for n in odd)
    known = {_plain(name): name for name in odd}
    found: list[str] = []

    def marked(match: re.Match[str]) -> str:
        found.append(known[_plain(match[0])])
        return f"`{found[-1]}`"

    # A name may itself hold quotation marks: names first, outside of backticks.
    parts = re.split(r"(`[^`]*`)", right)
    parts = [p if i % 2 else re.sub(one_of, marked, p) for i, p in enumerate(parts)]
    return left + tilde + "".join(parts), found


def _is_odd(name: str) -> bool:
    return bool(name.strip()) and "`" not in name and not PLAIN.fullmatch(name)


def _loosely(name: str) -> str:
    """A pattern of the name, with any spaces between its words or none."""
    return r"\s*".join(map(re.escape, name.split()))


def _plain(name: str) -> str:
    return "".join(name.split())

"""Options of the command line and names of columns, written so that they are read as they are meant."""

import re
from collections.abc import Iterable
from shlex import quote

PLAIN = re.compile(r"[^\W\d_][\w.]*")  # what the formula library reads as one name


def pasted(name: str, value: str) -> str:
    """The option with its value; joined by `=` where the value would be taken for an option.

    >>> pasted("series", "age (years)"), pasted("missing", "-9")
    ("--series 'age (years)'", '--missing=-9')
    """
    joint = "=" if value.startswith("-") else " "
    return f"--{name}{joint}{quote(value)}"


def listed(name: str) -> str:
    """A name of a column within a list or a pair: in backticks where a sign of those stands in it.

    >>> listed("age"), listed("age, years")
    ('age', '`age, years`')
    """
    return f"`{name}`" if re.search(r"[,=]|^\s|\s$", name) else name


def unmarked(name: str) -> str:
    """A name as it is, without the backticks that `listed` gave it."""
    name = name.strip()
    inner = name[1:-1]
    return inner if name == f"`{inner}`" and "`" not in inner and inner else name


def entries(text: str) -> tuple[str, ...]:
    """The entries of a list, whose commas are those outside of backticks.

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
    """A formula in which names that are not one word stand in backticks, and those names.

    Only what stands outside of quotation marks and backticks is a name, the longest first.

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

    # A name may itself hold quotation marks: names first, where they stand outside of backticks.
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

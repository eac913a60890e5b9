"""Options of the command line, written so that they can be pasted into a shell as they stand."""

import re
from shlex import quote


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

"""Errors in a user's input, each reported in one sentence.

Everything a user can get wrong (a width, a file, an option) is checked where it
enters the package and raised as `UserError`. The command line prints its message
without a traceback and exits with code 2; in Python it is a `ValueError`.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

ENDLESS = re.compile(r"\S{300,}")
"""A word too long to print: the content of a file, or a number of a thousand digits."""


def one_line(sentence: str) -> str:
    """The sentence on one line; the lines of a list, which begin with two spaces, stay."""
    return ENDLESS.sub(_shortened, re.sub(r"\n(?!  )", " ", sentence))


def _shortened(word: re.Match[str]) -> str:
    return f"{word[0][:120]}...{word[0][-40:]}"


class UserError(ValueError):
    """Input the user can correct: what is wrong, where, and what was expected.

    >>> str(UserError("got 3 units", where="level 1", expected="10"))
    'level 1: got 3 units; expected 10'
    """

    def __init__(
        self, what: str, *, where: str | None = None, expected: str | None = None
    ):
        prefix = f"{where}: " if where else ""
        suffix = f"; expected {expected}" if expected else ""
        super().__init__(one_line(f"{prefix}{what}{suffix}"))


def unknown_name(
    kind: str, given: str, valid: Iterable[str], *, where: str | None = None
) -> UserError:
    """The error for a name that is not in a known list; close matches come first.

    >>> str(unknown_name("level", "tpo", ["data", "top"]))
    "no level is called 'tpo', did you mean 'top'?; expected one of: data, top"
    """
    names = [str(name) for name in valid]
    text = given if isinstance(given, str) else type(given).__name__
    close = get_close_matches(text[:100], names, n=2, cutoff=0.5)
    hint = f", did you mean {' or '.join(map(repr, close))}?" if close else ""
    return UserError(
        f"no {kind} is called {_described(given)}{hint}",
        where=where,
        expected=f"one of: {', '.join(names)}" if names else None,
    )


def _described(given: object) -> str:
    """A name, or the value given instead of one, in one short line."""
    text = repr(given) if isinstance(given, str) else f"a {type(given).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."

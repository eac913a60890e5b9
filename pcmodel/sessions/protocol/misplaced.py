"""Errors that name the place in a protocol, which a reader of files turns into a line."""

from pcmodel.errors import UserError

Path = tuple[str | int, ...]
"""Keys and places in lists that lead to a value: ("phases", 1, "sessions", 0, "day")."""


class Misplaced(UserError):
    """What is wrong in a protocol, where, and what was expected.

    >>> str(Misplaced(("phases", 1, "sessions"), "is empty"))
    'phases[1].sessions: is empty'
    """

    def __init__(self, path: Path, what: str, *, expected: str | None = None):
        self.path, self.what, self.expected = path, what, expected
        super().__init__(what, where=dotted(path) or None, expected=expected)

    def inside(self, *outer: str | int) -> "Misplaced":
        """The same error seen from further out."""
        return Misplaced((*outer, *self.path), self.what, expected=self.expected)


def dotted(path: Path) -> str:
    """A path in the usual notation.

    >>> dotted(("phases", 1, "sessions", 0, "day"))
    'phases[1].sessions[0].day'
    """
    words = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(words).removeprefix(".")

"""Placeholders in text: Python's format syntax over named values, with errors for authors."""

from string import Formatter
from typing import Any

from pcmodel.errors import UserError


class _Filler(Formatter):
    """A formatter whose errors say which placeholder could not be filled in, and why."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        try:
            return super().get_field(field_name, args, kwargs)
        except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
            raise UserError(
                f"there is no {{{field_name}}} ({type(error).__name__}: {error})"
            ) from error

    def format_field(self, value: Any, format_spec: str) -> str:
        try:
            return super().format_field(value, format_spec)
        except (TypeError, ValueError) as error:
            kind = type(value).__name__
            raise UserError(
                f"a {kind} cannot be written as {format_spec!r} ({error})"
            ) from error


def fill(text: str, values: dict[str, Any], *, where: str) -> str:
    """The text with its placeholders filled in.

    Raises UserError for one that names no value, or whose value its format does not suit.
    """
    try:
        return _Filler().vformat(text, (), values)
    except (UserError, ValueError) as error:
        raise UserError(str(error), where=where) from error


def placeholders(text: str, *, where: str) -> list[tuple[str, ...]]:
    """The name in each placeholder, with the attribute that is read: ("config", "people").

    Raises UserError for a brace that is not closed.
    """
    try:
        fields = [field for _, field, _, _ in Formatter().parse(text)]
    except ValueError as error:
        raise UserError(str(error), where=where) from error
    return [_parts(field) for field in fields if field is not None]


def _parts(field: str) -> tuple[str, ...]:
    """The name in a placeholder, and the attribute if one follows it."""
    name, dot, rest = field.partition("[")[0].partition(".")
    return (name, rest.partition(".")[0]) if dot else (name,)

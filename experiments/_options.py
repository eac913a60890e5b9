"""Checks of options that experiments share."""

from pcmodel.errors import UserError


def at_least(least: int, **numbers: int) -> None:
    """Raise a UserError for an option below what its experiment can use."""
    for name, number in numbers.items():
        if number < least:
            raise UserError(f"{name} must be at least {least}, got {number}.")

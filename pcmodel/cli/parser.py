"""A command line that is wrong, said in one sentence."""

import argparse
from typing import Any, NoReturn

from pcmodel.errors import UserError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence instead of printing the usage."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see {self.prog} --help)")

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """argparse would give an option the value [] for `--seed=--`."""
        if action.option_strings and "--" in arg_strings:
            self.error(f"argument {action.option_strings[-1]}: '--' is no value")
        return super()._get_values(action, arg_strings)  # type: ignore[misc]

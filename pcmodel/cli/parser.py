"""The parser of commands: invalid command lines are refused in one sentence."""

import argparse
from typing import Any, NoReturn

from pcmodel.errors import UserError


class Once(argparse._StoreAction):
    """Store an option's value and refuse a second one: argparse would silently keep only the last."""

    _filled: argparse.Namespace | None = None

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if option_string is not None and self._filled is namespace:
            parser.error(
                f"argument {option_string}: given twice; expected one, with everything in it"
            )
        self._filled = namespace
        super().__call__(parser, namespace, values, option_string)


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are one sentence without the usage."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        for name in (None, "store"):
            self.register("action", name, Once)

    def error(self, message: str) -> NoReturn:
        if message.endswith("expected one argument"):
            message += "; one that begins with a minus sign is joined to it by ="
        raise UserError(f"{message} (see {self.prog} --help)")

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Refuse empty values: argparse would read `--seed=--` as [], and accept "".

        An empty value is most often a shell variable that is not set.
        """
        if action.option_strings and arg_strings and not arg_strings[0].strip():
            self.error(
                f"argument {action.option_strings[-1]}: is empty; give it a value, or leave "
                "it out"
            )
        if action.option_strings and "--" in arg_strings:
            self.error(f"argument {action.option_strings[-1]}: '--' is no value")
        return super()._get_values(action, arg_strings)  # type: ignore[misc]

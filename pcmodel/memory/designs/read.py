"""Designs from YAML (or JSON) files; what is wrong is told with its line.

contexts: {A: {context: 1.0}, B: {}}
phases:
  - acquisition: {trials: 3, context: A}
  - interval: 20
  - extinction: {trials: 18, context: B}
  - test: 1
"""

import os
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import short
from pcmodel.inputs.configurations import Lines, read_with_lines
from pcmodel.inputs.files import shown
from pcmodel.memory.designs.design import Design
from pcmodel.memory.designs.phases import KINDS, Days, Interval
from pcmodel.model.modulation import Modulation

FIELDS = tuple(field.name for field in fields(Design))
SINGLE = {Interval: "units", Days: "days"}
"""What a number alone means; trials of the others."""


def read_design(path: str | os.PathLike) -> Design:
    """The design that a file describes; UserError naming file and line for what is wrong in it."""
    content, lines = read_with_lines(Path(path))
    where = shown(path)
    if not isinstance(content, Mapping) or not content:
        raise UserError(
            f"holds {short(content)}", where=where, expected=f"{', '.join(FIELDS)}"
        )
    for name in content:
        if name not in FIELDS:
            raise unknown_name(
                "part of a design", name, FIELDS, where=_at(where, lines, name)
            )
    given = content.get("phases")
    if not isinstance(given, list):
        raise UserError(
            f"phases are {short(given)}",
            where=_at(where, lines, "phases"),
            expected="a list of phases",
        )
    blocks = []
    for number, item in enumerate(given):
        line = _at(where, lines, "phases", number)
        blocks.append(_told(line, _block, item, line))
    parts = {name: content[name] for name in FIELDS[1:] if name in content}
    return _told(where, lambda: _design(blocks, parts, where, lines))


def _design(
    blocks: list[Any], parts: dict[str, Any], where: str, lines: Lines
) -> Design:
    try:
        return Design(blocks, **parts)
    except UserError as error:
        # A block's error says which one: its line is more to the point.
        number = str(error).removeprefix("phase ").split(" ")[0]
        if str(error).startswith("phase ") and number.isdigit():
            line = _at(where, lines, "phases", int(number) - 1)
            raise UserError(f"{line}: {error}") from None
        raise


def _block(item: Any, where: str) -> Any:
    if not isinstance(item, Mapping) or len(item) != 1:
        raise UserError(
            f"is {short(item)}", expected="one phase, such as extinction: {trials: 18}"
        )
    ((kind, given),) = item.items()
    if kind not in KINDS:
        raise unknown_name("kind of phase", kind, KINDS)
    block = KINDS[kind]
    if not isinstance(given, Mapping):
        return block(**{SINGLE.get(block, "trials"): given})
    names = [field.name for field in fields(block)]
    for name in given:
        if name not in names:
            raise unknown_name("option of this phase", name, names)
    options = dict(given)
    if isinstance(options.get("modulation"), Mapping):
        options["modulation"] = Modulation(**options["modulation"])
    return block(**options)


def _told(where: str, make: Any, *given: Any) -> Any:
    """What is made; a UserError, and a missing argument, with its place before it."""
    try:
        return make(*given)
    except UserError as error:
        text = str(error)
        raise UserError(
            text if text.startswith(where) else f"{where}: {text}"
        ) from None
    except TypeError as error:
        raise UserError(f"{where}: {_missing(error)}") from None


def _missing(error: TypeError) -> str:
    """What Python says of an argument that is missing, or that there is not, as a sentence about the file."""
    named = re.search(r"'(\w+)'$", str(error))
    verb = "lacks" if "missing" in str(error) else "has no option"
    return f"{verb} {named[0]}" if named else str(error)


def _at(where: str, lines: Lines, *place: str | int) -> str:
    line = lines.get(place)
    return where if line is None else f"{where}, line {line}"

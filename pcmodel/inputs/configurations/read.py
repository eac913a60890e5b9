"""Configuration files: JSON, or YAML in which every text has one meaning (`pcmodel.inputs.configurations.strict_yaml`)."""

import json
from pathlib import Path
from typing import Any

from pcmodel.inputs.configurations.strict_yaml import compose_yaml, load_yaml
from pcmodel.inputs.files import parsed, read_text, shown, without_doubles

Lines = dict[tuple[str | int, ...], int]
"""Line, from 1, by place: ("phases", 2, "trials")."""


def read_configuration(path: Path) -> Any:
    """The content of a configuration file; UserError naming the file if it is invalid."""
    text, where = read_text(path), shown(path)
    if path.suffix == ".json":
        return parsed(
            lambda: json.loads(text, object_pairs_hook=without_doubles), where=where
        )
    return parsed(lambda: load_yaml(text), where=where, kind="YAML")


def read_with_lines(path: Path) -> tuple[Any, Lines]:
    """The content of a YAML or JSON file, and the line on which every entry stands."""
    text, where = read_text(path), shown(path)
    content = parsed(lambda: load_yaml(text), where=where, kind="YAML")
    node = parsed(lambda: compose_yaml(text), where=where, kind="YAML")
    return content, {} if node is None else _lines_of(node, ())


def _lines_of(node: Any, place: tuple[str | int, ...]) -> Lines:
    """Line by place in the content; a key of a mapping has the line of its name."""
    found: Lines = {place: node.start_mark.line + 1}
    if node.id == "mapping":
        for key, value in node.value:
            found |= _lines_of(value, (*place, key.value))
            found[(*place, key.value)] = key.start_mark.line + 1
    elif node.id == "sequence":
        for number, value in enumerate(node.value):
            found |= _lines_of(value, (*place, number))
    return found

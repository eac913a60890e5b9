"""Configuration files: JSON, or YAML in which every text has one meaning.

YAML 1.1 reads 1_0 as ten, 1:30 as ninety, 010 as eight and `no` as false; the core schema of YAML 1.2 does
not, and neither does this reader.  Duplicate names are refused, and so are files whose aliases expand
beyond a limit.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from pcmodel.inputs.files import parsed, read_text, shown, without_doubles

Lines = dict[tuple[str | int, ...], int]
"""Line, from 1, by place: ("phases", 2, "trials")."""
MOST_ALIASES = 20
RESOLVERS = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("tag:yaml.org,2002:int", r"[-+]?(?:0|[1-9][0-9]*)", [*"-+0123456789"]),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        [*"-+0123456789."],
    ),
)


def read_configuration(path: Path) -> Any:
    """The content of a configuration file; UserError naming the file if it is invalid."""
    text, where = read_text(path), shown(path)
    if path.suffix == ".json":
        return parsed(
            lambda: json.loads(text, object_pairs_hook=without_doubles), where=where
        )
    return parsed(lambda: _load(text), where=where, kind="YAML")


def read_with_lines(path: Path) -> tuple[Any, Lines]:
    """The content of a YAML or JSON file, and the line on which every entry stands."""
    text, where = read_text(path), shown(path)
    node, content = parsed(lambda: _compose(text), where=where, kind="YAML")
    return content, {} if node is None else _lines_of(node, ())


def _load(text: str) -> Any:
    return _compose(text)[1]


def _compose(text: str) -> tuple[Any, Any]:
    loader = _loader()(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


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


@cache
def _loader() -> Any:
    import yaml

    class Strict(yaml.SafeLoader):
        """PyYAML's safe loader with the numbers of YAML 1.2, without duplicate names."""

        yaml_implicit_resolvers: Any = {}  # noqa: RUF012
        aliases = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.aliases += self.check_event(yaml.AliasEvent)
            if self.aliases > MOST_ALIASES:
                raise yaml.YAMLError(f"it has more than {MOST_ALIASES} aliases")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            pairs = [
                (self.construct_object(key, deep=True), None) for key, _ in node.value
            ]
            without_doubles(pairs)
            return super().construct_mapping(node, deep=deep)

    for tag, pattern, first in RESOLVERS:
        Strict.add_implicit_resolver(tag, re.compile(f"^(?:{pattern})$"), first)
    return Strict

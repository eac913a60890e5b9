"""YAML in which every text has one meaning, as content or as nodes that know their lines.

YAML 1.1 reads 1_0 as ten, 1:30 as ninety, 010 as eight and `no` as false; the core schema of YAML 1.2 does
not, and neither does this reader.  Duplicate names are refused, and so are files whose aliases expand
beyond a limit.
"""

import re
from functools import cache
from typing import Any

from pcmodel.inputs.files import without_doubles

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


def load_yaml(text: str) -> Any:
    """The content of a document; an error of PyYAML, or UserError for a name that occurs twice."""
    loader = _loader()(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def compose_yaml(text: str) -> Any:
    """The root node of a document, None where it is empty; an error of PyYAML for other text.

    Names that occur twice are not looked for.
    """
    loader = _loader()(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def line_of_error(text: str, error: Exception) -> tuple[int, str]:
    """The line, from 1, of an error that `compose_yaml` raised for a text, and its reason."""
    import yaml

    if isinstance(error, RecursionError):
        return _line_of_depth(text), "it is nested too deeply"
    if isinstance(error, yaml.reader.ReaderError):
        line = len(text[: error.position].splitlines()) or 1
        return line, f"the character {chr(error.character)!a} is not allowed"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or str(error)
    return (1 if mark is None else mark.line + 1), " ".join(str(reason).split())


def _line_of_depth(text: str, most: int = 50) -> int:
    """The line on which a text is nested more deeply; 1 where it nowhere is."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > most:
            return event.start_mark.line + 1
    return 1


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
                error: Any = yaml.YAMLError(f"it has more than {MOST_ALIASES} aliases")
                error.problem_mark = self.peek_event().start_mark
                raise error
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

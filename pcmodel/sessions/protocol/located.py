"""From nodes of YAML, which know their lines, to dataclasses; every error names its line.

What a key may hold is read from the dataclass's own annotations: a new field needs no reader.
"""

import types
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin
from typing import get_type_hints as hints_of

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import kind_of, short
from pcmodel.inputs.numerals import to_finite, to_whole
from pcmodel.sessions.protocol.events import Keyed
from pcmodel.sessions.protocol.misplaced import Misplaced, Path

TAGS = {
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:seq": "a list",
    "tag:yaml.org,2002:map": "keys and values",
}


class Place(NamedTuple):
    """Where a value stands in a file.

    path: in the protocol.
    said: the path in words, with the names of streams and arms.
    """

    path: Path = ()
    said: str = ""

    def key(self, name: str) -> "Place":
        """The place of a key's value."""
        return Place((*self.path, name), f"{self.said}.{name}".removeprefix("."))

    def item(self, number: int, name: str | None = None) -> "Place":
        """The place of an item of a list, or of the object that a key names."""
        said = f"{self.said}[{number + 1}]" if name is None else f"{self.said}.{name}"
        return Place((*self.path, number), said)


@dataclass
class Source:
    """A file that is read: where each value stands.

    name: of the file, for messages.
    lines: the line of each path, from 1, and the path in words.
    """

    name: str
    lines: dict[Path, tuple[int, str]] = field(default_factory=dict)

    def note(self, place: Place, node: Any) -> None:
        """Remember the line of a value."""
        self.lines[place.path] = (node.start_mark.line + 1, place.said)

    def error(self, path: Path, what: str, expected: str | None = None) -> UserError:
        """The error about a value, at its line or, where it is not written, at that of what holds it."""
        known = path
        while known not in self.lines and known:
            known = known[:-1]
        line, said = self.lines.get(known, (1, ""))
        rest = "".join(f".{step}" for step in path[len(known) :] if step != "")
        subject = f"{said}{rest}".removeprefix(".") or "the protocol"
        return self.at(line, f"{subject} {what}", expected)

    def at(self, line: int, what: str, expected: str | None = None) -> UserError:
        """The error at a line."""
        return UserError(what, where=f"{self.name}, line {line}", expected=expected)


def read_node(source: Source, node: Any, hint: Any, place: Place) -> Any:
    """The value of a node by the annotation of its field; UserError naming its line."""
    source.note(place, node)
    _, keyed = _bare(hint)
    for kind in _choices(hint):
        inner, _ = _bare(kind)
        if hasattr(inner, "from_text"):
            return _amount(source, node, inner, place, hint)
        if is_dataclass(inner):
            return read_object(source, node, inner, place)
        if get_origin(inner) is tuple:
            item = get_args(inner)[0]
            if keyed is not None:
                return _keyed(source, node, item, keyed.field, place)
            return _listed(source, node, item, place)
    return _scalar(source, node, hint, place)


def read_object(
    source: Source, node: Any, kind: Any, place: Place, **given: Any
) -> Any:
    """The dataclass that a mapping describes; fields in `given` are known from elsewhere."""
    hints = hints_of(kind, include_extras=True)
    known = {f.name: f for f in fields(kind) if f.name not in given}
    values = dict(given)
    for name, key, value in _pairs(source, node, place):
        if name not in known:
            source.note(place.key(name), key)
            error = unknown_name("key", name, known)
            raise source.at(
                key.start_mark.line + 1, f"{place.said or 'the protocol'}: {error}"
            )
        required = known[name].default is MISSING
        if _is_null(value) and not (required and _may_be_none(hints[name])):
            source.note(place.key(name), key)
            raise source.error(
                place.key(name).path, "has no value", "a value, or the key left out"
            )
        values[name] = (
            None
            if _is_null(value)
            else read_node(source, value, hints[name], place.key(name))
        )
        source.note(place.key(name), key)
    for name, own in known.items():
        if name not in values and own.default is MISSING:
            raise source.error(place.path, f"has no {name}", f"the key {name}")
    try:
        return kind(**values)
    except Misplaced as error:
        raise source.error(
            (*place.path, *error.path), error.what, error.expected
        ) from None
    except UserError as error:
        raise source.error(place.path, f"cannot be: {error}") from None


def _pairs(source: Source, node: Any, place: Place) -> Iterator[tuple[str, Any, Any]]:
    """Each key as text, its node and its value's node; UserError for one that is no name or is there twice."""
    if node.id != "mapping":
        raise source.error(place.path, f"is {_said(node)}", "keys and values")
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.id != "scalar" or not key.tag.endswith(":str"):
            raise source.at(
                line,
                f"{place.said or 'the protocol'} has the key {_said(key)}",
                "a name",
            )
        if key.value in seen:
            raise source.at(
                line,
                f"{place.said or 'the protocol'} has the key {short(key.value)} twice, "
                f"first on line {seen[key.value]}",
                "each key once",
            )
        seen[key.value] = line
        yield key.value, key, value


def _keyed(source: Source, node: Any, kind: Any, name: str, place: Place) -> tuple:
    """Objects whose keys are one of their fields."""
    hint, found = hints_of(kind, include_extras=True)[name], []
    for number, (text, key, value) in enumerate(_pairs(source, node, place)):
        here = place.item(number, text)
        source.note(here, key)
        if get_origin(hint) is Literal and text not in get_args(hint):
            error = unknown_name(name, text, get_args(hint))
            raise source.at(key.start_mark.line + 1, f"{place.said}: {error}")
        if _is_null(value) and name == "name":
            value = _empty(value)
        found.append(read_object(source, value, kind, here, **{name: text}))
    return tuple(found)


def _empty(node: Any) -> Any:
    from yaml import MappingNode

    return MappingNode("tag:yaml.org,2002:map", [], node.start_mark, node.end_mark)


def _listed(source: Source, node: Any, kind: Any, place: Place) -> tuple:
    if node.id != "sequence":
        raise source.error(place.path, f"is {_said(node)}", "a list: [...]")
    return tuple(
        read_node(source, item, kind, place.item(number))
        for number, item in enumerate(node.value)
    )


def _amount(source: Source, node: Any, kind: Any, place: Place, hint: Any) -> Any:
    """A dose as text, or "none" where that is allowed."""
    if node.id != "scalar" or not node.tag.endswith(":str"):
        raise source.error(
            place.path, f"is {_said(node)}", 'an amount with its unit, "25 mg"'
        )
    words = [a for k in _choices(hint) if get_origin(k) is Literal for a in get_args(k)]
    if node.value in words:
        return node.value
    try:
        return kind.from_text(node.value)
    except UserError as error:
        raise source.error(place.path, f"cannot be read: {error}") from None


def _scalar(source: Source, node: Any, hint: Any, place: Place) -> Any:
    kind = kind_of(hint)
    expected = kind.expected if kind else "a value"
    if node.id != "scalar":
        raise source.error(place.path, f"is {_said(node)}", expected)
    tag, text = node.tag.rpartition(":")[2], node.value
    read = {
        "str": lambda: text,
        "bool": lambda: text.lower() == "true",
        "int": lambda: to_whole(text),
        "float": lambda: to_finite(text),
    }.get(tag, lambda: None)
    value = read()
    if value is None:
        raise source.error(place.path, f"is {_said(node)}", expected)
    problem = kind.find(value) if kind else None
    if problem is not None:
        raise source.error(place.path, f"is {problem[1]}", expected)
    is_real = tag == "int" and float in map(lambda k: _bare(k)[0], _choices(hint))
    return float(value) if is_real else value


def _bare(hint: Any) -> tuple[Any, Keyed | None]:
    """An annotation without its notes, and its `Keyed` note."""
    if get_origin(hint) is not Annotated:
        return hint, None
    base, *notes = get_args(hint)
    return base, next((note for note in notes if isinstance(note, Keyed)), None)


def _choices(hint: Any) -> list[Any]:
    """The annotations that a union admits, without None."""
    base, _ = _bare(hint)
    if get_origin(base) in (Union, types.UnionType):
        return [each for each in get_args(base) if each is not type(None)]
    return [hint]


def _may_be_none(hint: Any) -> bool:
    return type(None) in get_args(_bare(hint)[0])


def _is_null(node: Any) -> bool:
    return node.id == "scalar" and node.tag.endswith(":null")


def _said(node: Any) -> str:
    """A node for a message."""
    if node.tag in TAGS:
        return TAGS[node.tag]
    is_text = node.id == "scalar" and node.tag.endswith(":str")
    text = node.value if node.id == "scalar" else node.tag
    return short(text) if is_text else short(str(text)).strip("'")

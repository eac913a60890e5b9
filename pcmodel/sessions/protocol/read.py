"""Reading of a protocol's file: one sentence, with the line, for everything that is wrong in it."""

from pathlib import Path
from typing import NamedTuple

from pcmodel.errors import UserError
from pcmodel.inputs.configurations.strict_yaml import compose_yaml, line_of_error
from pcmodel.inputs.files import read_bytes, shown
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.located import Place, Source, read_object
from pcmodel.sessions.protocol.shipped import locate_protocol

MOST_CHARACTERS = 200_000


class ReadProtocol(NamedTuple):
    """A protocol and the file that it was read from.

    protocol: the content.
    source: the line of each value.
    text: of the file.
    """

    protocol: Protocol
    source: Source
    text: str


def read_protocol(name_or_path: str | Path) -> ReadProtocol:
    """The protocol in a file, or the one of this name that comes with the package.

    Raises UserError naming the file and the line.  Whether the compounds exist and the doses are possible
    is checked by `check_doses`, which needs the library of compounds.
    """
    path = locate_protocol(str(name_or_path))
    return parse_protocol(read_file(path), where=shown(path))


def read_file(path: Path) -> str:
    """The text of a file in UTF-8; UserError naming the line where it is not."""
    content = read_bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Source(shown(path)).at(line, "is not UTF-8 text") from None


def parse_protocol(text: str, *, where: str) -> ReadProtocol:
    """The protocol in a text; UserError naming `where` and the line."""
    source = Source(where)
    if len(text) > MOST_CHARACTERS:
        raise source.at(
            text[:MOST_CHARACTERS].count("\n") + 1,
            f"the file is longer than {MOST_CHARACTERS:,} characters",
        )
    node = _compose(text, source)
    if node is None:
        raise source.at(
            1, "the file is empty", "a protocol; `pcmodel protocols NAME` prints one"
        )
    source.note(Place(), node)
    return ReadProtocol(read_object(source, node, Protocol, Place()), source, text)


def _compose(text: str, source: Source):
    try:
        return compose_yaml(text)
    except UserError:
        raise
    except Exception as error:  # a parser's own errors are of every class
        line, reason = line_of_error(text, error)
        lines = text.splitlines()
        has_tab = line <= len(lines) and "\t" in lines[line - 1]
        expected = "spaces, not tabs" if has_tab else None
        raise source.at(line, f"is not YAML ({reason[:200]})", expected) from None

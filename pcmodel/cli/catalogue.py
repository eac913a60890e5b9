"""Lists experiments by reading their source, without running any.

A listing that imported every experiment would import jax and take seconds.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.files import check_file, shown

PACKAGE = Path(__file__).resolve().parents[1]
UNREADABLE = (SyntaxError, ValueError, OSError, RecursionError, MemoryError)
"""Exceptions that Python raises for an invalid source file."""


class Entry(NamedTuple):
    """One experiment.

    name: on the command line.
    path: its file or package folder.
    question: what it asks.
    time: how long it takes, in words.
    """

    name: str
    path: Path
    question: str
    time: str


class Option(NamedTuple):
    """One field of an experiment's `Config`.

    name: the field, with dots where it is nested.
    type: as written in the source.
    default: as written in the source.
    """

    name: str
    type: str
    default: str


def experiments_folder() -> Path | None:
    """The experiments' folder in an installed package, or in its checkout."""
    inside, checkout = PACKAGE / "_experiments", PACKAGE.parent
    if inside.is_dir():
        return inside
    # An unrelated folder of that name may lie beside an installed package.
    if (checkout / "pyproject.toml").is_file() and (checkout / "experiments").is_dir():
        return checkout / "experiments"
    return None


def catalogue() -> list[Entry]:
    """Every experiment of the package, by name."""
    folder = experiments_folder()
    if folder is None:
        return []
    return [_entry(path) for path in sorted(folder.iterdir()) if _is_experiment(path)]


def locate(name_or_path: str) -> Path:
    """The file or package of an experiment, given its name or a path to it."""
    path = Path(name_or_path).expanduser()
    if path.suffix == ".py" or "/" in name_or_path:
        return _user_file(path)
    entries = {entry.name: entry.path for entry in catalogue()}
    if name_or_path not in entries:
        raise unknown_name("experiment", name_or_path, entries)
    return entries[name_or_path]


def source_file(path: Path) -> Path:
    """The file that holds an experiment's docstring and protocol."""
    try:
        return path / "__init__.py" if path.is_dir() else path
    except OSError:  # a name too long to be one
        return path


def config_options(path: Path) -> list[Option]:
    """The fields of `Config`, with a nested class's fields under dotted names."""
    classes = {node.name: node for tree in _trees(path) for node in _classes(tree)}
    return list(_options("Config", classes, ""))


def _user_file(path: Path) -> Path:
    try:
        check_file(source_file(path))
        return path.resolve()
    except UserError:
        raise UserError(
            "there is no such experiment file",
            where=shown(path),
            expected="a .py file, or a folder with an __init__.py",
        ) from None
    except (OSError, RuntimeError) as error:  # a path too long, a link to itself
        raise UserError(f"cannot be opened ({error})", where=shown(path)) from None


def _is_experiment(path: Path) -> bool:
    if path.name.startswith(("_", ".")) or not source_file(path).is_file():
        return False
    return path.is_dir() or path.suffix == ".py"


def _entry(path: Path) -> Entry:
    try:
        doc = ast.get_docstring(ast.parse(source_file(path).read_text("utf-8"))) or ""
    except UNREADABLE:
        doc = "(cannot be read: syntax error)"
    time = re.search(r"^Time:\s*(.+)$", doc, re.MULTILINE)
    return Entry(
        path.stem, path, first_sentence(doc), time[1].rstrip(".") if time else ""
    )


def first_sentence(doc: str) -> str:
    """The first sentence of a docstring's first paragraph, the question by protocol.

    >>> first_sentence("Does it move? It should, by e.g. half.")
    'Does it move?'
    """
    paragraph = " ".join(doc.strip().split("\n\n")[0].split())
    return re.split(r"(?<=[?!])\s|(?<=[a-z\d)]{2}\.)\s+(?=[A-Z])", paragraph)[0]


def _trees(path: Path) -> Iterator[ast.Module]:
    for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
        try:
            yield ast.parse(file.read_text("utf-8"))
        except UNREADABLE:
            continue


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def _options(
    name: str, classes: dict[str, ast.ClassDef], prefix: str
) -> Iterator[Option]:
    for node in classes[name].body if name in classes else []:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        kind = ast.unparse(node.annotation)
        key = prefix + node.target.id
        if kind in classes and kind != name:
            yield from _options(kind, classes, key + ".")
        else:
            yield Option(key, kind, ast.unparse(node.value) if node.value else "")

"""The public surface: what is promised exists, is documented, and is typed as it is."""

import ast
import inspect
from pathlib import Path

import pytest

import pcmodel

SOURCE = Path(pcmodel.__file__).read_text("utf-8")


def typed_names():
    """name -> module, as the `if TYPE_CHECKING` block says."""
    for node in ast.parse(SOURCE).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return {
                alias.asname: statement.module
                for statement in node.body
                for alias in statement.names
            }
    return {}


def test_what_type_checkers_see_is_what_is_loaded():
    """Prevents an editor from promising another object than the one imported."""
    assert typed_names() == pcmodel._HOME
    assert sorted(pcmodel.__all__) == sorted(["__version__", *pcmodel._HOME])


@pytest.mark.parametrize("name", sorted(pcmodel._HOME))
def test_public_names_exist_and_are_documented(name):
    """Prevents a name in the README from being missing, or from explaining nothing."""
    thing = getattr(pcmodel, name)
    assert thing.__module__ == pcmodel._HOME[name]
    assert inspect.getdoc(thing) and inspect.getdoc(thing) != inspect.getdoc(dict)
    if inspect.isclass(thing):
        members = vars(thing).items()
        for member, value in members:
            if inspect.isfunction(value) and not member.startswith("_"):
                assert inspect.getdoc(value), f"{name}.{member}"


def test_unknown_names_are_attribute_errors():
    """Prevents a misspelt name from failing in an unrelated place."""
    with pytest.raises(AttributeError, match="infre"):
        _ = pcmodel.infre
    assert set(pcmodel.__all__) == set(dir(pcmodel))

"""The public surface: what is promised exists, is documented, and is typed as it is."""

import ast
import inspect
from pathlib import Path

import pytest

import pcmodel

STUB = Path(pcmodel.__file__).with_suffix(".pyi").read_text("utf-8")
ALIASES = {"Chain": "Sequential", "Sampling": "HmcOptions"}


def test_what_type_checkers_see_is_what_is_loaded():
    """Prevents an editor from promising another object than the one imported."""
    namespace = {}
    exec(STUB, namespace)
    for name in pcmodel._HOME:
        assert namespace[name] is getattr(pcmodel, name)
    assert sorted(pcmodel.__all__) == sorted(["__version__", *pcmodel._HOME])
    # Without `as`, a stub's name is private to it.
    for line in ast.parse(STUB).body:
        if isinstance(line, ast.ImportFrom):
            assert all(alias.asname == alias.name for alias in line.names)


@pytest.mark.parametrize("old", ALIASES)
def test_older_names_are_the_same(old):
    assert getattr(pcmodel, old) is getattr(pcmodel, ALIASES[old])


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

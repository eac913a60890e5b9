"""The parts may import each other in one direction only.

Read from the source, so a forbidden import fails here before it can tangle anything.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "pcmodel").rglob("*.py"))
OURS = [*FILES, *sorted((ROOT / "experiments").rglob("*.py"))]

# Top-level modules that join the parts for the user; every other one is core.
DOOR = {
    "amortising",
    "api",
    "diagnosis",
    "door",
    "drawing",
    "fluctuations",
    "laplace",
    "laplace_report",
    "parts",
    "resuming",
    "sampling",
    "starting",
    "training",
    "weighing",
}
SERVICES = {
    "arguments",
    "arrays",
    "capacity",
    "errors",
    "numerals",
    "progress",
    "ranges",
    "reading",
    "runtime",
}

# What each part may import besides itself, the core and the services.
MAY_IMPORT = {
    "core": set(),
    "inference": set(),
    "learning": {"inference"},
    "networks": {"record"},
    "paradigms": {"inference"},
    "neuromodulation": set(),
    "memory": set(),
    "brain": {"inference"},
    "behaviour": {"inference", "paradigms", "data"},
    "data": set(),
    "door": {"inference", "learning", "networks", "record", "behaviour"},
    "record": set(),
    "report": set(),
    "trainer": {"inference", "learning", "networks", "data", "door", "record"},
    "cli": {"record", "report", "behaviour", "trainer"},
}

# Heavy or framework packages, and the only parts that may know them.
HOMES = {
    "flax": {"networks"},
    "orbax": {"record"},
    "numpyro": {"behaviour"},
    "arviz": set(),
    "xarray": {"behaviour"},
    "formulae": {"behaviour"},
    "pandas": {"behaviour"},
    "pyarrow": {"behaviour"},
    "matplotlib": {"report"},
    "jsonargparse": {"cli"},
    "rich": {"cli", "progress"},
    "sklearn": {"data"},
    "pooch": {"data"},
}


@cache
def tree_of(file):
    return ast.parse(file.read_text("utf-8"))


@cache
def nodes_of(file):
    return list(ast.walk(tree_of(file)))


@cache
def imports(file):
    """Absolute names of everything a file imports, wherever in the file."""
    found = []
    for node in nodes_of(file):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append(node.module or "")
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def part_of(module):
    """The part a dotted name under `pcmodel` belongs to."""
    name = module.split(".")[1]
    if (ROOT / "pcmodel" / name).is_dir():
        return name
    if name in DOOR:
        return "door"
    return name if name in SERVICES else "core"


def module_of(file):
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def label(file):
    return str(file.relative_to(ROOT))


PARTS = [f for f in FILES if f.parent != ROOT / "pcmodel" or "__" not in f.stem]


@pytest.mark.parametrize("file", PARTS, ids=label)
def test_parts_import_each_other_in_one_direction(file):
    part = part_of(module_of(file))
    allowed = {part} | MAY_IMPORT.get(part, set()) | SERVICES
    if part not in SERVICES | {"data", "record", "report"}:
        allowed.add("core")
    used = {part_of(name) for name in imports(file) if name.startswith("pcmodel.")}
    used = {p for p in used if p != "core" or _names_a_core_module(file)}
    assert used <= allowed, f"{part} may not import {sorted(used - allowed)}"


def _names_a_core_module(file):
    """`from pcmodel import __version__` names no module of the core."""
    return any(
        (ROOT / "pcmodel" / f"{name.split('.')[1]}.py").exists()
        and part_of(name) == "core"
        for name in imports(file)
        if name.startswith("pcmodel.")
    )


@pytest.mark.parametrize("package", HOMES)
def test_each_framework_is_known_in_one_place_only(package):
    users = {
        label(file)
        for file in PARTS
        if any(name.split(".")[0] == package for name in imports(file))
        and part_of(module_of(file)) not in HOMES[package]
    }
    assert not users


def test_the_library_imports_no_experiment():
    for file in FILES:
        roots = {name.split(".")[0] for name in imports(file)}
        assert not roots & {"experiments", "tests"}, label(file)


@pytest.mark.parametrize("file", OURS, ids=label)
def test_nothing_is_pickled(file):
    """Reading a pickle runs whatever code the file's author put into it."""
    assert not {"pickle", "cloudpickle", "dill", "joblib"} & set(imports(file))
    for node in nodes_of(file):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant) and node.value.value is False


@pytest.mark.parametrize("file", OURS, ids=label)
def test_files_hold_one_idea(file):
    assert file.stem not in {"utils", "helpers", "misc", "common"}
    assert len(file.read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("file", OURS, ids=label)
def test_every_module_says_what_it_is_for(file):
    assert ast.get_docstring(tree_of(file))


@pytest.mark.parametrize("file", FILES, ids=label)
def test_the_library_raises_instead_of_asserting(file):
    """`python -O` removes assertions, and with them every check of the input.

    `assert x is not None` checks no input: it tells the type checker what holds.
    """
    for node in nodes_of(file):
        if isinstance(node, ast.Assert):
            assert ast.unparse(node.test).endswith("is not None")

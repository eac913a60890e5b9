"""The parts may import each other in one direction only.

Read from the source, so a forbidden import fails here before it can tangle anything.
"""

import ast
import re
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "pcmodel").rglob("*.py"))
OURS = [*FILES, *sorted((ROOT / "experiments").rglob("*.py"))]

# What each folder may import besides itself, `errors` and `calibration`.
MAY_IMPORT = {
    "inputs": set(),
    "runtime": {"inputs"},
    "model": {"inputs"},
    "inference": {"inputs", "model"},
    "learning": {"inputs", "runtime", "model", "inference"},
    "record": {"inputs"},
    "networks": {"inputs", "runtime", "model", "record"},
    "api": {
        "inputs",
        "runtime",
        "model",
        "inference",
        "learning",
        "networks",
        "record",
    },
    "data": {"inputs", "runtime"},
    "report": {"inputs", "model", "networks", "api"},
    "training": {
        *("inputs", "runtime", "model", "inference", "learning", "networks", "api"),
        *("data", "record", "report"),
    },
    "paradigms": {
        *("inputs", "runtime", "model", "inference", "learning", "networks", "api"),
        "neuromodulation",
    },
    "neuromodulation": {"inputs", "runtime", "model"},
    "memory": {"inputs", "runtime", "model", "inference"},
    "behaviour": {
        *("inputs", "runtime", "model", "inference", "data", "paradigms"),
        "memory",
    },
    "sessions": {
        *("inputs", "runtime", "model", "inference", "learning", "networks", "api"),
        *("paradigms", "neuromodulation", "memory"),
    },
    "brain": {
        *("inputs", "runtime", "model", "inference", "networks", "api"),
        "neuromodulation",
    },
    "explorer": {"inputs", "record", "neuromodulation", "sessions"},
    "cli": {
        *("inputs", "runtime", "record", "report", "behaviour", "training"),
        *("sessions", "brain", "explorer"),
    },
}
LOOSE = {"__init__", "__main__", "calibration", "errors"}
MOST_MODULES = 12  # in one folder

# Heavy or framework packages, and the only parts that may know them.
HOMES = {
    "flax": {"networks"},
    "orbax": {"record"},
    "numpyro": {"behaviour", "inference"},  # there: R-hat and effective sample size
    "arviz": set(),
    "xarray": {"behaviour"},
    "formulae": {"behaviour"},
    "networkx": {"brain"},
    "pandas": {"behaviour"},
    "pyarrow": {"behaviour"},
    "matplotlib": {"report"},
    "jsonargparse": {"cli"},
    "rich": {"cli", "runtime"},
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
    """The folder of `pcmodel` that a dotted name belongs to; None for what lies loose."""
    name = module.split(".")[1]
    return name if (ROOT / "pcmodel" / name).is_dir() else None


def module_of(file):
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def label(file):
    return str(file.relative_to(ROOT))


PARTS = [f for f in FILES if f.parent != ROOT / "pcmodel"]
FOLDERS = sorted({f.parent for f in PARTS})


@pytest.mark.parametrize("file", PARTS, ids=label)
def test_parts_import_each_other_in_one_direction(file):
    part = part_of(module_of(file))
    used = {part_of(name) for name in imports(file) if name.startswith("pcmodel.")}
    wrong = used - {None, part} - MAY_IMPORT[part]
    assert not wrong, f"{part} may not import {sorted(wrong)}"


def test_directions_have_no_circle():
    """Prevents two folders that may import each other, through however many others."""
    left = {part: set(used) for part, used in MAY_IMPORT.items()}
    while left:
        free = {part for part, used in left.items() if not used & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {part: used for part, used in left.items() if part not in free}


def test_modules_import_each_other_in_no_circle():
    """Read as a whole: also through packages, and whatever the order of importing."""
    files = {module_of(f).removesuffix(".__init__"): f for f in FILES}
    graph = {name: _imported(files[name], files) - {name} for name in files}
    while graph:
        free = {name for name, used in graph.items() if not used & graph.keys()}
        assert free, f"a circle among {sorted(graph)}"
        graph = {name: used for name, used in graph.items() if name not in free}


def _imported(file, files):
    """Modules that are imported with the file; not inside functions, not for types alone."""
    found, waiting = set(), list(tree_of(file).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                found.add(name if name in files else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        waiting += ast.iter_child_nodes(node)
    return found & files.keys()


def test_nothing_lies_loose():
    loose = {f.stem for f in FILES if f.parent == ROOT / "pcmodel"}
    assert loose <= LOOSE
    assert not [
        f for f in (ROOT / "pcmodel/behaviour").glob("*.py") if f.stem != "__init__"
    ]


@pytest.mark.parametrize("folder", FOLDERS, ids=label)
def test_folders_are_small_and_say_what_they_hold(folder):
    modules = [f for f in folder.glob("*.py") if f.stem != "__init__"]
    assert len(modules) <= MOST_MODULES
    assert ast.get_docstring(tree_of(folder / "__init__.py"))


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_each_folder_says_what_it_may_import(part):
    """Its docstring names exactly the folders of the table above."""
    said = ast.get_docstring(tree_of(ROOT / "pcmodel" / part / "__init__.py"))
    line = said[said.index("May import:") :].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", line)) == MAY_IMPORT[part]


def test_the_tests_mirror_the_library():
    """Every folder of tests is one of the library, or of what stands beside it."""
    beside = {"doors", "experiments", "mutation"}
    for file in (ROOT / "tests").rglob("test_*.py"):
        folder = file.parent.relative_to(ROOT / "tests")
        if folder.parts and folder.parts[0] not in beside:
            assert (ROOT / "pcmodel" / folder).is_dir(), label(file)


def test_the_long_tests_are_tests():
    """Prevents names that nothing has any more in the list of tests that the default run leaves out."""
    listed = (ROOT / "tests/long_tests.txt").read_text("utf-8").splitlines()
    assert listed == sorted(set(listed))
    for file, names in groupby(listed, key=lambda line: line.split("::")[0]):
        defined = {getattr(node, "name", None) for node in nodes_of(ROOT / file)}
        assert {name.split("::")[1].split("[")[0] for name in names} <= defined


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

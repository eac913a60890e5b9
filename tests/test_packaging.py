"""What is shipped: the wheel's content, the locks, a package that runs uninstalled."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built by the locked build backend without any download."""
    folder = tmp_path_factory.mktemp("wheel")
    pytest.importorskip("hatchling")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_everything_a_run_needs(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {path for path in (ROOT / "pcmodel").rglob("*") if path.is_file()}
    for path in shipped:
        if "__pycache__" not in path.parts:
            assert str(path.relative_to(ROOT)) in names
    for pattern in ("*.py", "*.md"):
        for path in (ROOT / "experiments").rglob(pattern):
            inside = path.relative_to(ROOT / "experiments")
            assert f"pcmodel/_experiments/{inside}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pcmodel"}


def test_the_wheel_runs_elsewhere(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    listed = subprocess.run(
        [sys.executable, "-m", "pcmodel", "list"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    for path in (ROOT / "experiments").glob("[!_]*.py"):
        assert path.stem in listed.stdout


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.lock")), ids=str)
def test_locks_are_hashed_and_name_no_address(lock):
    text = lock.read_text()
    assert "://" not in text
    pins = re.findall(r"^[\w.\[\]-]+==", text, re.MULTILINE)
    assert len(pins) > 30
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_dependencies_have_lower_bounds_only():
    """An upper bound would tie every user to the jax of this year."""
    extras = PROJECT["optional-dependencies"].values()
    for requirement in [*PROJECT["dependencies"], *(r for e in extras for r in e)]:
        assert re.fullmatch(r"[\w\[\]-]+>=[\d.]+", requirement), requirement


def test_no_file_pins_an_interpreter_or_an_index():
    for name in (".python-version", "uv.toml", "pip.conf"):
        assert not (ROOT / name).exists()

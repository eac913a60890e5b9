"""Every snippet of the documentation and every notebook runs from top to bottom, as its reader would run it.

Each in an interpreter of its own: in single precision, and without the checks of annotations that tests add.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROLOGUE = "from pcmodel.runtime.flags import compile_quickly; compile_quickly(); "


def run(source, folder, name):
    """A failure shows what Python said."""
    script = folder / f"{name}.py"
    script.write_text(source, "utf-8")
    environment = {**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": str(ROOT)}
    environment.pop("JAX_ENABLE_X64", None)
    start = f"{PROLOGUE}import runpy; runpy.run_path({str(script)!r})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", start],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def snippets(page):
    """Its blocks of Python, each on the lines where it stands in the page."""
    text, lines = page.read_text("utf-8"), []
    for block in BLOCK.finditer(text):
        above = text[: block.start(1)].count("\n")
        lines += [""] * (above - len(lines)) + block[1].splitlines()
    return "\n".join(lines) + "\n"


def label(page):
    return page.relative_to(ROOT).with_suffix("").as_posix()


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_snippets_run(page, tmp_path):
    source = snippets(page)
    assert source.strip(), f"{page.name} shows nothing that runs"
    run(source, tmp_path, page.stem.replace("-", "_"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(notebook, tmp_path):
    run(notebook.read_text("utf-8"), tmp_path, notebook.stem)

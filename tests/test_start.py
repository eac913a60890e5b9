"""The checklists of docs/start, walked through as a reader would: every step in its order, in one folder.

By default only the commands are read; the slow tests carry them out, at small size.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pcmodel.cli.main import COMMANDS, make_parsers

ROOT = Path(__file__).resolve().parents[1]
PATHS = sorted((ROOT / "docs/start").glob("*.md"))
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SMALL = {"run", "train", "fit", "recover"}
"""Commands that take --smoke on these pages."""


def steps(page):
    """Each block of Python, and each command, in their order."""
    for language, text in BLOCK.findall(page.read_text("utf-8")):
        if language == "python":
            yield "python", text
        else:
            yield from (("command", line) for line in text.splitlines() if line)


def commands(page):
    return [shlex.split(text) for kind, text in steps(page) if kind == "command"]


@pytest.mark.parametrize("page", PATHS, ids=lambda path: path.stem)
def test_a_path_is_a_checklist_that_ends_with_a_result(page):
    text = page.read_text("utf-8")
    assert len(re.findall(r"^- \[ \] ", text, re.MULTILINE)) >= 4
    assert text.count("**Your result:**") == 1
    assert text.index("**Your result:**") > text.rindex("- [ ] ")
    assert "## Where next" in text


@pytest.mark.parametrize("page", PATHS, ids=lambda path: path.stem)
def test_its_commands_are_ones_that_there_are(page):
    assert commands(page)
    for words in commands(page):
        assert words[0] == "pcmodel" and words[1] in COMMANDS
        parser, _ = make_parsers()
        _, rest = parser.parse_known_args(words[1:])
        assert not rest, f"{page.stem}: {rest}"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PATHS, ids=lambda path: path.stem)
def test_a_path_leads_to_its_result(page, tmp_path):
    source = ["from pcmodel.cli import main"]
    for kind, text in steps(page):
        if kind == "python":
            source.append(text)
        else:
            words = shlex.split(text)[1:]
            words += ["--smoke", "--quiet"] if words[0] in SMALL else []
            source.append(f"assert main({words!r}) == 0, {text!r}")
    (tmp_path / "walk.py").write_text("\n".join(source), "utf-8")
    done = subprocess.run(
        [sys.executable, "walk.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = page.read_text("utf-8").split("**Your result:**")[1].split("## ")[0]
    for name in re.findall(r"`([\w/]+\.(?:csv|html))`", result):
        assert (tmp_path / name).stat().st_size > 100, name

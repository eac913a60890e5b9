"""Every public name stands on one page of the reference, and is used in something that runs."""

import re
from pathlib import Path

import pytest

import pcmodel

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs/reference").glob("*.md"))
ASKED = re.compile(r"^```\{public\} ([\w.]+)\n(?::from: (.*)\n)?```$", re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ASKED_OF = [found for page in PAGES for found in ASKED.findall(page.read_text("utf-8"))]
RUN = "\n".join(
    [
        *(f.read_text("utf-8") for f in (ROOT / "notebooks").rglob("*.py")),
        *(
            block
            for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
            for block in BLOCK.findall(page.read_text("utf-8"))
        ),
    ]
)


@pytest.mark.parametrize("name", sorted(pcmodel._HOME))
def test_a_public_name_is_on_one_page(name):
    beginnings = [
        beginning
        for package, asked in ASKED_OF
        if package == "pcmodel"
        for beginning in asked.split()
        if pcmodel._HOME[name].startswith(beginning)
    ]
    assert len(beginnings) == 1, beginnings


@pytest.mark.parametrize("name", sorted(pcmodel._HOME))
def test_a_public_name_has_an_example_that_runs(name):
    assert re.search(rf"\b{name}\b", RUN)

"""Every page stands in the navigation of the site, and every link and anchor leads somewhere.

Read from the sources alone; `make docs` asks the generator the same and more.
"""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "experiments/README.md")
PAGES = sorted(DOCS.rglob("*.md")) + [ROOT / name for name in BESIDE]
FENCE = re.compile(r"^(`{3,}).*?^\1\s*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
TREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def label(path):
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(page):
    return page.read_text("utf-8")


def entries(page):
    """Files that the page's navigation lists."""
    for tree in TREE.findall(text_of(page)):
        for line in tree.splitlines():
            if line and not line.startswith(":"):
                place = re.sub(r"^.*<(.*)>$", r"\1", line.strip())
                yield (page.parent / place).resolve()


def anchors(page):
    """As GitHub and the generator make them of headings."""
    prose = FENCE.sub("", text_of(page))
    headings = re.findall(r"^#{1,4} +(.*)$", prose, re.MULTILINE)
    plain = (re.sub(r"[`*$]|\]\([^)]*\)|\[", "", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in plain}


def test_every_page_and_notebook_is_in_the_navigation_once():
    listed = []
    for page in DOCS.rglob("*.md"):
        for place in entries(page):
            if "*" in str(place):
                found = ROOT.glob(f"{place.relative_to(ROOT)}.py")
                listed += [file.with_suffix("") for file in found]
            else:
                listed.append(place)
    sources = {page.with_suffix("").resolve() for page in DOCS.rglob("*.md")}
    sources |= {page.with_suffix("") for page in (ROOT / "notebooks").rglob("*.py")}
    missing = sources - set(listed) - {DOCS / "index"}
    assert not missing, f"in no navigation: {sorted(map(str, missing))}"
    assert len(listed) == len(set(listed))
    for place in listed:
        assert any(place.with_suffix(end).exists() for end in (".md", ".py")), place


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_links_and_anchors_lead_somewhere(page):
    for target in LINK.findall(CODE.sub("", FENCE.sub("", text_of(page)))):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{label(page)} links to {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{label(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_pages_have_one_title_and_no_empty_picture(page):
    prose = CODE.sub("", FENCE.sub("", text_of(page)))
    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1
    for said, file in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", prose):
        assert len(said) > 20, f"{label(page)}: {file} is not described"

"""The explorer's page: complete in itself, whole or absent, and each control has a name."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from explorer_twin import ASSETS, needs_node, tables

from pcmodel.cli import explore, main
from pcmodel.errors import UserError
from pcmodel.explorer import make_page, write_page
from pcmodel.explorer.page import LARGEST, MAIN, bundle


@pytest.fixture(scope="module")
def page():
    return make_page(tables())


@pytest.fixture(autouse=True)
def made_once(monkeypatch):
    """Tables are made once for all tests."""
    monkeypatch.setattr("pcmodel.explorer.tables.all_tables", tables)


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_the_page_is_complete_in_itself(page):
    """Prevents a page that needs the network, or that a slow connection cannot carry."""
    assert len(page.encode()) < LARGEST
    for tag, attributes in Tags(page).found:
        for name in ("src", "srcset", "action", "poster"):
            assert name not in attributes, (tag, attributes)
        assert attributes.get("href", "#").startswith(("#", "data:")), attributes
    code = bundle() + (ASSETS / "style.css").read_text("utf-8")
    for word in ("http://www.w3.org/2000/svg",):  # a name, not an address
        code = code.replace(word, "")
    for word in (
        "://",
        "fetch(",
        "XMLHttp",
        "import(",
        "eval(",
        "Function(",
        "@import",
        "url(",
    ):
        assert word not in code, word
    assert "default-src 'none'" in page


def test_what_it_says_of_itself(page):
    """The licences of what is in it, and once what it is not."""
    prose = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert len(re.findall(r"not\s+clinical advice", prose)) == 1
    assert "CC BY 4.0" in prose and "MIT licence" in prose
    assert len(re.findall(r"<summary>", prose)) == 4  # what each scene assumes


def test_its_tables_survive_the_page(page):
    """The JSON within the script is what was put in, whatever it holds."""
    held = re.search(r'id="tables">(.*?)</script>', page, re.DOTALL)
    assert json.loads(held[1]) == json.loads(json.dumps(tables()))
    odd = make_page({"chain": "</script><b>"})
    assert odd.count("</script>") == page.count("</script>")


def test_every_module_is_in_the_page_once(page):
    """Nothing of the assets is left out, and each part comes after what it imports."""
    names = {path.stem for path in ASSETS.glob("*.mjs")}
    written = re.findall(r"^// (\w+)$", bundle(), re.MULTILINE)
    assert sorted(written) == sorted(names) and written[-1] == MAIN
    assert not re.search(r"^(import|export) ", bundle(), re.MULTILINE)


@needs_node
def test_the_script_is_valid(tmp_path):
    """Prevents two parts that define one name, which would stop the whole page."""
    script = tmp_path / "page.mjs"
    script.write_text(bundle(), "utf-8")
    done = subprocess.run(
        [shutil.which("node"), "--check", script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_page_is_written_whole_and_replaces_an_older_one(tmp_path, monkeypatch):
    place = tmp_path / "new" / "page.html"
    assert write_page(place) == place
    first = place.read_bytes()
    assert first.rstrip().endswith(b"</html>")
    write_page(place)
    assert place.read_bytes() == first
    assert [path.name for path in place.parent.iterdir()] == ["page.html"]


def test_a_file_of_somebody_else_is_kept(tmp_path):
    """Prevents a mistyped name from costing a thesis."""
    thesis = tmp_path / "thesis.html"
    thesis.write_text("<title>My thesis</title>")
    with pytest.raises(UserError, match="no page of the explorer"):
        write_page(thesis)
    assert thesis.read_text() == "<title>My thesis</title>"
    with pytest.raises(UserError, match="is no file"):
        write_page(tmp_path)
    with pytest.raises(UserError, match="thesis"):
        write_page(thesis / "below.html")


def test_the_command_writes_and_says_where(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    opened = []
    monkeypatch.setattr(
        explore.webbrowser, "open", lambda uri: opened.append(uri) or True
    )
    assert main(["explore", "--no-open"]) == 0
    written = tmp_path / "pcmodel-explorer.html"
    assert capsys.readouterr().out.strip() == str(written) and written.is_file()
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert main(["explore", "--output", "a b.html"]) == 0
    assert opened == [(tmp_path / "a b.html").as_uri()]


def test_without_a_screen_it_says_so(tmp_path, monkeypatch, capsys):
    """A server has no browser: the file is written all the same."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(explore.sys, "platform", "linux")
    assert main(["explore", "--output", str(tmp_path / "page.html")]) == 0
    assert "no browser was found" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--output", ""],
        ["--output", "\0"],
        ["--output", "."],
        ["here.html"],
        ["--opened"],
    ],
    ids=str,
)
def test_bad_command_lines_are_refused_in_a_sentence(
    words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["explore", "--no-open", *words]) == 2
    told = capsys.readouterr().err
    assert told.startswith("pcmodel: ") and "Traceback" not in told
    assert list(tmp_path.iterdir()) == []

"""The explorer's page: one string of HTML in which style, scripts and tables are written out.

Scripts are modules that import from each other. The page has them as one module, imports and exports taken away, in an
order in which each comes after what it imports.
"""

import json
import re
from pathlib import Path
from typing import Any

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import shown
from pcmodel.record.files import write_bytes

ASSETS = Path(__file__).parent / "assets"
MAIN = "main"
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.mjs";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=function|const|class)", re.MULTILINE)
LARGEST = 2_000_000
"""Bytes of a page at most."""
MARK = b"<title>pcmodel explorer: "
"""By which a page is known."""


def make_page(tables: dict[str, Any] | None = None) -> str:
    """The page, complete in itself.

    tables: what `tables.all_tables` gives, computed if None.
    """
    from pcmodel import __version__
    from pcmodel.explorer.tables import all_tables

    told = json.dumps(all_tables() if tables is None else tables, allow_nan=False)
    parts = {
        "STYLE": (ASSETS / "style.css").read_text("utf-8"),
        "VERSION": __version__,
        "TABLES": told.replace("<", "\\u003c"),  # no end of the script within it
        "SCRIPT": bundle(),
    }
    page = (ASSETS / "page.html").read_text("utf-8")
    return re.sub("@@([A-Z]+)@@", lambda found: parts[found[1]], page)


@checked_arguments
def write_page(path: str | Path) -> Path:
    """Write the page to a file, atomically, and return its absolute path.

    UserError where it cannot be written, and for a folder or a file that is no page of the explorer: an older page alone
    is replaced.
    """
    place = Path(path).expanduser().absolute()
    check_place(place)
    write_bytes(place, make_page().encode())
    return place


def check_place(path: Path) -> None:
    """UserError unless there is nothing, or an older page."""
    expected = "a new file, or an older page to replace"
    try:
        is_there, is_file = path.exists(), path.is_file()
        older = is_file and MARK in path.read_bytes()[:LARGEST]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot be read ({reason})", where=shown(path)) from None
    if is_there and not older:
        what = "is a file, but no page of the explorer" if is_file else "is no file"
        raise UserError(what, where=shown(path), expected=expected)


def bundle() -> str:
    """All scripts as one module."""
    written: list[str] = []
    done: set[str] = set()

    def add(name: str) -> None:
        if name in done:
            return
        done.add(name)
        source = (ASSETS / f"{name}.mjs").read_text("utf-8")
        for needed in IMPORT.findall(source):
            add(needed)
        written.append(f"// {name}\n{EXPORT.sub('', IMPORT.sub('', source))}")

    add(MAIN)
    return "\n".join(written)

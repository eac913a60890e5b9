"""The explorer's page: one string of HTML in which style, scripts and tables are written out.

Scripts are modules that import from each other. The page has them as one module, imports and exports taken away, in an
order in which each comes after what it imports.
"""

import json
import re
from pathlib import Path
from typing import Any

from pcmodel.errors import UserError
from pcmodel.inputs.files import shown
from pcmodel.record.files import write_bytes

ASSETS = Path(__file__).parent / "assets"
MAIN = "main"
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.mjs";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=function|const|class)", re.MULTILINE)
LARGEST = 2_000_000
"""Bytes of a page."""


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


def write_page(path: Path) -> Path:
    """Write the page to a file, atomically. UserError where it cannot be written, or is a folder."""
    path = Path(path)
    if path.is_dir():
        raise UserError("is a folder", where=shown(path), expected="a file to write")
    write_bytes(path, make_page().encode())
    return path


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

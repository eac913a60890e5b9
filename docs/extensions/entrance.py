"""The first page of the site's folder, which leads to the first page of the documentation."""

from pathlib import Path

from sphinx.application import Sphinx

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>pcmodel</title>
<meta http-equiv="refresh" content="0; url=docs/index.html"></head>
<body><a href="docs/index.html">The documentation of pcmodel</a></body></html>
"""


def write_entrance(app: Sphinx, error: Exception | None) -> None:
    """Write it once everything else is there."""
    if error is None and app.builder.format == "html":
        Path(app.outdir, "index.html").write_text(PAGE, "utf-8")


def setup(app: Sphinx) -> dict:
    """Register the last step."""
    app.connect("build-finished", write_entrance)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The site of the documentation, built by `make docs` without any download.

Sources are Markdown under docs/ and notebooks/*.py; the reference is read from docstrings. Every warning is an error
there: a dead link, a heading that is not there, a page that is in no navigation, an equation that cannot be read.
"""

import os
import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "pcmodel"
author = "the pcmodel authors"
copyright = author
version = release = metadata.version("pcmodel")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "docstrings",
    "equations",
    "public",
    "entrance",
]
# Sphinx reads the repository, so that links lead to the same places here as on disk.
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "notebooks/**.py",
    "experiments/README.md",
    "benchmarks/README.md",
    "benchmarks/results/mutants.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
]
exclude_patterns = [".venv*", ".git", "build", "runs", "**/__pycache__"]
nitpicky = False

# Markdown as it is read elsewhere: dollars for equations, anchors for headings.
myst_enable_extensions = ["dollarmath", "amsmath", "tasklist"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
math_numfig = False

# Notebooks are kept as text. Their figures come from a run that is kept for as long as the text is the same;
# `make docs NOTEBOOKS=off` shows them without.
nb_custom_formats = {".py": "notebooks.read"}
nb_execution_in_temp = True
nb_execution_mode = os.environ.get("NOTEBOOKS", "cache")
nb_execution_cache_path = "build/notebooks"
nb_execution_excludepatterns = ["notebooks/coming_from/*/*"]
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature shows them
autodoc_preserve_defaults = True
default_role = "literal"

html_theme = "furo"
html_title = f"pcmodel {version}"
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}

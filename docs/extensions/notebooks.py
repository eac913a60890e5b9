"""Notebooks, and scripts beside them, as pages.

Both are kept as text: notebooks in the percent format, with the language that they do not name themselves; scripts
begin with a docstring, whose first sentence is their title.
"""

import ast

import jupytext
from nbformat import NotebookNode, v4

PYTHON = {"name": "python", "pygments_lexer": "python"}


def read(text: str) -> NotebookNode:
    """A notebook from its text."""
    notebook = jupytext.reads(text, fmt="py:percent") if "# %%" in text else shown(text)
    notebook.metadata["language_info"] = PYTHON
    return notebook


def shown(script: str) -> NotebookNode:
    """A script as its docstring and its code."""
    title, _, rest = (ast.get_docstring(ast.parse(script)) or "A script").partition(
        "\n"
    )
    words = v4.new_markdown_cell(f"# {title.rstrip('.')}\n\n{rest.strip()}")
    return v4.new_notebook(cells=[words, v4.new_code_cell(script)])

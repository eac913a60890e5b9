"""Equations as MathML, written while the site is built: nothing to download, and readable by screen readers."""

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def as_mathml(text: str, node: nodes.Node, *, block: bool) -> str:
    """MathML of an equation in LaTeX; a warning names the page of one that cannot be read."""
    try:
        return latex2mathml.tex2mathml(text.strip(), as_block=block)
    except MathError as error:
        LOGGER.warning("cannot read $%s$ (%s)", text, error, location=node)
        return f"<code>{nodes.unescape(text)}</code>"


def visit_inline(translator, node: nodes.math) -> None:
    """Write an equation within a sentence."""
    translator.body.append(as_mathml(node.astext(), node, block=False))
    raise nodes.SkipNode


def visit_block(translator, node: nodes.math_block) -> None:
    """Write an equation on lines of its own, which scrolls where it is too wide."""
    equation = as_mathml(node.astext(), node, block=True)
    translator.body.append(f'<div class="equation">{equation}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The directive `public`: every public name of a package, documented.

Public is what the package's `__init__` (for `pcmodel` its stub) imports under the same name. The option `from` keeps names
that are defined in modules with one of these beginnings.
"""

import ast
import inspect
from importlib import import_module
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def public_names(package: str) -> dict[str, str]:
    """Each public name and the module that it is imported from."""
    file = Path(import_module(package).__file__ or "")
    source = file.with_suffix(".pyi") if package == "pcmodel" else file
    return {
        alias.name: line.module or ""
        for line in ast.parse(source.read_text("utf-8")).body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
        if alias.asname == alias.name
    }


def own_methods(kind: type) -> list[str]:
    """Methods and properties that a class defines itself and explains."""
    return [
        name
        for name, member in vars(kind).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or isinstance(member, property | classmethod))
        and inspect.getdoc(member)
    ]


def as_autodoc(package: str, name: str) -> list[str]:
    """The directive of autodoc for one name."""
    thing = getattr(import_module(package), name)
    if inspect.isclass(thing):
        methods = own_methods(thing)
        option = [f"   :members: {', '.join(methods)}"] if methods else []
        if thing.__name__ != name:  # an older name of the same
            option = ["   :no-index:"]
        return [f".. autoclass:: {package}.{name}", *option, ""]
    kind = "autofunction" if callable(thing) else "autodata"
    option = ["   :no-value:"] if kind == "autodata" else []
    return [f".. {kind}:: {package}.{name}", *option, ""]


class Public(SphinxDirective):
    """See the module."""

    required_arguments = 1
    option_spec = {"from": directives.unchanged_required}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Documentation of every name, in the order of the alphabet."""
        package = self.arguments[0]
        beginnings = tuple(self.options.get("from", "").split())
        shared = public_names("pcmodel")
        lines = ["```{eval-rst}"]
        for name, module in sorted(public_names(package).items(), key=str):
            if package != "pcmodel" and name in shared:
                continue  # stands under its shorter name
            if not beginnings or module.startswith(beginnings):
                lines += as_autodoc(package, name)
        around = nodes.container()
        source = self.get_source_info()[0]
        self.state.nested_parse(StringList([*lines, "```"], source), 0, around)
        return around.children


def setup(app: Sphinx) -> dict:
    """Register the directive."""
    app.add_directive("public", Public)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""pcmodel: predictive coding with a precision at every level.

The names in `__init__.pyi` are the public surface; each is loaded when first used, so that the command
line can answer `--help` without starting JAX.
"""

from ast import ImportFrom, parse
from importlib import import_module, metadata
from pkgutil import get_data

from pcmodel.runtime.flags import avoid_cpu_deadlock as _avoid_cpu_deadlock

_avoid_cpu_deadlock()

try:
    __version__ = metadata.version("pcmodel")
except metadata.PackageNotFoundError:  # used from a checkout, not installed
    __version__ = "0.1.0"


def _homes() -> dict[str, str]:
    """Each public name and the module that defines it, as the stub beside this file lists them."""
    stub = get_data(__name__, "__init__.pyi") or b""
    return {
        alias.name: line.module
        for line in parse(stub).body
        if isinstance(line, ImportFrom) and line.module
        for alias in line.names
    }


_HOME = _homes()
__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'pcmodel' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__

"""pcmodel: predictive coding with a precision at every level."""

from importlib import metadata

try:
    __version__ = metadata.version("pcmodel")
except metadata.PackageNotFoundError:  # used from a checkout, not installed
    __version__ = "0.1.0"

"""Where the public recordings lie, and a skip where they do not."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "brain"


def shared_brain(*parts):
    """A file of the shared folder beside the repository; skips the test without it."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {path.name}, beside the repository in shared/data/brain")
    return path

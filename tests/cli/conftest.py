"""A user's own experiment, written where each test runs."""

import pytest
from coin_experiment import COIN


@pytest.fixture
def coin(tmp_path, monkeypatch):
    """Writes an experiment with some lines in its `run`; the cwd is its folder."""
    monkeypatch.chdir(tmp_path)

    def write(body="", extra=""):
        (tmp_path / "coin.py").write_text(COIN.replace("    ...\n", body) + extra)
        return "coin.py"

    return write

"""Runs the explorer's mathematics in node, on cases that Python writes."""

import json
import math
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pcmodel.explorer.tables import all_tables

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "pcmodel" / "explorer" / "assets"
TWIN = ROOT / "tests" / "explorer" / "twin.mjs"

needs_node = pytest.mark.skipif(
    shutil.which("node") is None,
    reason="node is absent: the page's mathematics cannot be run",
)


@cache
def tables():
    """The page's tables."""
    return all_tables()


def run_twin(cases, folder):
    """The page's answers to the cases, in order."""
    file = Path(folder) / "cases.json"
    file.write_text(json.dumps({"tables": tables(), "cases": cases}))
    done = subprocess.run(
        ["node", str(TWIN), str(ASSETS), str(file)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_agrees(found, expected, *, what=""):
    """Equal to a part in ten thousand; near 0 to a millionth."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert np.all(np.isfinite(expected)), what
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6, err_msg=what)


def log_uniform(rng, low, high, size=None):
    """Draws whose logarithm is uniform."""
    return np.exp(rng.uniform(math.log(low), math.log(high), size))

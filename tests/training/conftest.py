"""Equal plans share their compiled programs here, as the runs of one process could."""

import pytest

from pcmodel.training import setup as setting

MADE = {}


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch):
    """Optimisers compare by identity, so that each new one compiles anew."""
    build = setting.build_learning

    def remembered(plan, network, num_batches):
        key = (plan, tuple(network.widths), num_batches)
        return MADE.setdefault(key, build(plan, network, num_batches))

    monkeypatch.setattr(setting, "build_learning", remembered)

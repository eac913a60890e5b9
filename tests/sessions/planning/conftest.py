"""Few pools for intervals: they take most of the time, and what is tested are the shares."""

import pytest

POOLS = "pcmodel.sessions.planning.studies.NUM_POOLS"


@pytest.fixture(autouse=True)
def few_pools(monkeypatch):
    """Two of them."""
    monkeypatch.setattr(POOLS, 2)

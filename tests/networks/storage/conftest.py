"""A saved network."""

import pytest
from network_files import tanh_network

import pcmodel


@pytest.fixture
def saved(tmp_path):
    """A network file."""
    path = tmp_path / "network.npz"
    pcmodel.save(tanh_network(), path)
    return path

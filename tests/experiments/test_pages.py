"""Every experiment that ships can be run: its declaration and its page are read as the command reads them."""

import pytest

from pcmodel.cli.catalogue import catalogue, locate
from pcmodel.cli.load import load

NAMES = [entry.name for entry in catalogue()]


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_read(name):
    assert load(locate(name)).report is not None


def test_experiments_are_found():
    assert "belief_revision" in NAMES

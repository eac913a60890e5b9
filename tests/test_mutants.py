"""The suite notices sabotage: see `mutants.py`."""

import pytest
from mutants import MUTANTS, survives


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_sabotage_is_caught(mutant):
    """Prevents a green suite that would stay green with the science broken."""
    assert not survives(mutant)

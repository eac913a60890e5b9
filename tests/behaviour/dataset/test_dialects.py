"""Any usual way to write a table is read exactly; damage is refused where it is."""

import pytest

from tests.behaviour.dataset.table_battery import count


def test_tables_in_many_dialects_read_back_and_damage_is_named():
    sound, damaged, odd = count(tables=80, each=2)
    assert not odd, "\n".join(odd[:5])
    assert sound["right"] == 80
    assert damaged["refused"] >= 45


@pytest.mark.slow
def test_a_thousand_tables_and_damages():
    sound, _, odd = count(tables=1000, each=40)
    assert not odd, "\n".join(odd[:5])
    assert sound["right"] == 1000

"""The page on protocols names every key, every arm and every protocol, with its default."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from pcmodel.sessions.protocol import arm, content, events
from pcmodel.sessions.protocol.arms import BUILT_IN
from pcmodel.sessions.protocol.shipped import shipped_protocols

PAGE = (Path(__file__).parents[3] / "docs/sessions.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|")
]
KINDS = (
    content.Protocol,
    events.Drug,
    events.Session,
    events.Evidence,
    events.DailyLife,
    events.AdverseEvent,
    arm.Arm,
    arm.Change,
    events.ValenceShift,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_key_is_explained(kind):
    for field in fields(kind):
        if (kind, field.name) in ((arm.Arm, "name"),) or field.name == "stream":
            continue  # the key of the mapping itself
        assert f"`{field.name}`" in PAGE, field.name


@pytest.mark.parametrize(
    "kind",
    [
        content.Protocol,
        events.Drug,
        events.Session,
        events.DailyLife,
        events.AdverseEvent,
    ],
)
def test_numbers_that_are_left_out_are_those_of_the_page(kind):
    for field in fields(kind):
        rows = [row for row in ROWS if row[0] == f"`{field.name}`" and len(row) == 4]
        is_number = type(field.default) in (int, float)
        if not is_number or field.default is MISSING:
            continue
        said = {re.split(r"[ :]", row[3])[0] for row in rows}
        assert f"{field.default:g}" in said, (field.name, said)


def test_every_arm_and_protocol_is_in_a_table():
    named = " ".join(row[0] for row in ROWS)
    for name in (*BUILT_IN, *shipped_protocols()):
        assert f"`{name}`" in named

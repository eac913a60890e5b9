"""Damaged protocols: always one sentence that names a line, and never silently another course.

Every shipped file is damaged in every line in every way below; a seeded draw of the damages runs by default, all
of them with `-m slow`.  What must be refused follows from the kind of damage, not from what the reader does.
"""

import random
import re

import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import load_compounds
from pcmodel.sessions.protocol.load import check_doses
from pcmodel.sessions.protocol.read import parse_protocol
from pcmodel.sessions.protocol.shipped import shipped_protocols

TEXTS = {name: path.read_text("utf-8") for name, path in shipped_protocols().items()}
LIBRARY = load_compounds()
PAIR = re.compile(
    r"^(?P<indent>[ -]*)(?P<key>\w+): *(?P<value>[^#{\[&*\s][^#\n]*?) *(?P<rest>#.*)?$"
)
ENTRY = re.compile(r"^ *(?P<key>\w+): \{(?P<inside>.*)\}")
NEEDED = {"name", "about", "condition", "length"}
NEEDED_INSIDE = {"compound"}
NUMBERS = {
    *("weight", "told", "directive_factor", "hour", "hours", "alliance", "rumination"),
    *(
        "infusion_hours",
        "length",
        "start",
        "day",
        "precision",
        "mean",
        "days",
        "size",
        "felt",
    ),
}
NEGATIVE = NUMBERS - {"mean", "start", "day", "size", "days"}
CHOICES = {
    "condition",
    "route",
    "stance",
    "phase",
    "compound",
    "avoidance",
    "masked",
    "like",
}


def damages(text):
    """(kind, number of the line that is damaged or None, the damaged text)."""
    lines = text.splitlines()

    def replaced(place, *new):
        return "\n".join([*lines[:place], *new, *lines[place + 1 :]]) + "\n"

    for place, line in enumerate(lines):
        if line.lstrip().startswith("#"):
            continue
        number = place + 1
        yield "cut", None, "\n".join(lines[:place]) + "\n"
        yield "tab", number, replaced(place, "\t" + line)
        if "about:" not in line:  # in a sentence it is a bracket
            yield "bracket", None, replaced(place, line.split("#")[0].rstrip() + " ]")
        if entry := ENTRY.match(line):
            yield "twice", number + 1, replaced(place, line, line)
            yield (
                "renamed",
                number,
                replaced(place, line.replace(entry["key"], "drem", 1)),
            )
            yield "renamed", number, replaced(place, line.replace("mean:", "maen:"))
            for bad in (
                "precision: -1",
                "precision: .nan",
                "precision: .inf",
                "precision: no",
            ):
                if "precision" in line:
                    yield (
                        bad,
                        number,
                        replaced(place, re.sub(r"precision: [\d.]+", bad, line)),
                    )
            for bad in (
                "mean: .nan",
                "mean: 1e9",
                "mean: [1]",
                "mean: 1_0",
                "mean: true",
            ):
                yield bad, number, replaced(place, re.sub(r"mean: [-\d.]+", bad, line))
            for bad in ("items: 0", "items: 2.5", "items: 100000000", "sd: -1"):
                key = bad.split(":")[0]
                if f"{key}:" in line:
                    yield (
                        bad,
                        number,
                        replaced(place, re.sub(rf"{key}: [\d.]+", bad, line)),
                    )
        if not (pair := PAIR.match(line)):
            continue
        key, head = pair["key"], f"{pair['indent']}{pair['key']}"
        yield "twice", number + 1, replaced(place, line, head.replace("-", " ") + ": 1")
        yield "renamed", number, replaced(place, f"{head}zq: {pair['value']}")
        yield "a mapping", number, replaced(place, f"{head}: {{a: 1}}")
        yield "a list", number, replaced(place, f"{head}: [[1]]")
        yield "nothing", number, replaced(place, f"{head}:")
        yield "a tag", number, replaced(place, f"{head}: !!python/name:os.system x")
        yield "an alias", number, replaced(place, f"{head}: *nobody")
        if key in NEEDED_INSIDE or (key in NEEDED and not pair["indent"]):
            yield "removed", None, replaced(place)
        if key in NUMBERS:
            for bad in (
                ".nan",
                ".inf",
                "many",
                "1e400",
                "1_0",
                "0x1f",
                "true",
                "1e9",
                "1:30",
            ):
                yield bad, number, replaced(place, f"{head}: {bad}")
        if key in NEGATIVE:
            yield "negative", number, replaced(place, f"{head}: -0.5")
        if key in CHOICES:
            yield "unknown", number, replaced(place, f"{head}: nobody")
        if key == "dose":
            for bad in (
                "25",
                "25 ml",
                "-25 mg",
                "0 mg",
                "25 kg",
                "1e9 mg",
                "nan mg",
                "mg",
                "2000 mg/kg",
            ):
                yield f"dose {bad}", number, replaced(place, f"{head}: {bad}")


ALL = [
    (name, kind, line, text)
    for name, whole in TEXTS.items()
    for kind, line, text in damages(whole)
]
DRAWN = random.Random(18).sample(ALL, 260)


def check(name, kind, line, text):
    """One sentence, one line of the file, and where the damage is in one line, that one."""
    with pytest.raises(UserError) as caught:
        check_doses(parse_protocol(text, where="file.yaml"), LIBRARY)
    said = str(caught.value)
    found = re.match(r"file\.yaml, line (\d+): \S", said)
    assert found, said
    assert "\n" not in said and len(said) < 600
    assert 1 <= int(found[1]) <= max(1, len(text.splitlines())) + 1
    if line is not None and kind != "tab":
        assert int(found[1]) == line, said


def test_there_are_enough():
    assert len(ALL) > 2000 and len(DRAWN) >= 200


@pytest.mark.parametrize("place", range(0, len(DRAWN), 20))
def test_drawn_damages_are_refused_with_their_line(place):
    for damage in DRAWN[place : place + 20]:
        check(*damage)


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_all_damages_are_refused_with_their_line(name):
    for damage in ALL:
        if damage[0] == name:
            check(*damage)

"""Files of protocols: each error is one sentence with the line and what was expected."""

import hashlib
import random
import re

import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import load_compounds
from pcmodel.sessions.protocol.amounts import Amount
from pcmodel.sessions.protocol.arm import Arm, Change
from pcmodel.sessions.protocol.arms import BUILT_IN, WHOLE
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.load import check_doses, protocol_sha256
from pcmodel.sessions.protocol.read import parse_protocol, read_protocol
from pcmodel.sessions.protocol.shipped import shipped_protocols

SMALL = """\
name: small
about: one dosing, one talk
condition: depression
drug:
  compound: psilocybin
  dose: 25 mg
phases:
  - phase: preparation
    sessions:
      - day: -2
        alliance: 0.5
  - phase: dosing
    sessions:
      - day: 0
        hours: 6
        evidence:
          memory: {mean: 1, precision: 2, items: 4}
  - phase: integration
    sessions:
      - days: [1, 7]
        hours: 2
        evidence:
          therapist: {mean: 0.5, precision: 1}
daily_life:
  evidence:
    everyday: {mean: 0.3, precision: 1}
arms:
  drug_and_therapy:
  low:
    dose: 1 mg
follow_up_days: [1, 14]
length: 14
"""
LIBRARY = load_compounds()


def sentence(text):
    with pytest.raises(UserError) as caught:
        check_doses(parse_protocol(text, where="own.yaml"), LIBRARY)
    return str(caught.value)


def test_the_small_protocol_is_read():
    read = parse_protocol(SMALL, where="own.yaml").protocol
    assert isinstance(read, Protocol)
    assert read.phases[1].sessions[0].evidence[0].items == 4
    assert read.phases[2].sessions[0].on == (1, 7)
    assert read.arms[1].dose == Amount(1.0, "mg")
    assert read.first_day == -2 and read.daily_life.hour == 12.0
    assert hash(read) == hash(parse_protocol(SMALL, where="again").protocol)


CHANGES = {  # old text, new text: line, words
    ("day: 0", "day: 3"): (20, "before the previous phase (dosing) ends"),
    ("hours: 6", "hours: 25"): (15, "hours is 25; expected a number, 0 to 24"),
    ("[1, 7]", "[7, 1]"): (20, "do not ascend"),
    ("[1, 7]", "[1, 14]"): (20, "expected nothing after the length of 14 days"),
    ("[1, 7]", "[0, 7]"): (20, "begins on day 0, before the previous phase (dosing)"),
    ("[1, 14]", "[1, 15]"): (31, "follow_up_days[2] is day 15; expected -2 to 14"),
    ("memory:", "memry:"): (17, "no stream is called 'memry', did you mean 'memory'?"),
    ("  low:\n", "  lo w:\n"): (29, "a letter, then letters"),
    ("dose: 1 mg", "like: lower"): (30, "no arm is called 'lower'"),
    ("dose: 1 mg", "compound: LSD"): (30, "the dose of this compound"),
    ("dose: 1 mg", "dose: 1 g\n    compound: LSD"): (
        30,
        "cannot be given: 1000 mg of LSD",
    ),
    ("dose: 1 mg", "without: [follow_up]"): (30, "is follow_up, and no session has it"),
    ("dose: 1 mg", "evidence: {body: {mean: 1}}"): (30, "no session has such evidence"),
    ("dose: 1 mg", "evidence: {memory: {mean: 1, phases: [integration]}}"): (
        30,
        "no session of integration has such evidence",
    ),
    ("dose: 1 mg", "evidence: {memory: {phases: [dosing]}}"): (30, "changes nothing"),
    ("dose: 1 mg", "route: infusion"): (30, "infusion_hours"),
    ("  low:\n    dose: 1 mg", "  lower:"): (29, "no arm is called 'lower'"),
    ("  low:\n    dose: 1 mg", "  directive: {like: low}"): (29, "every protocol has"),
    ("compound: psilocybin", "compound: psilocibin"): (5, "did you mean 'psilocybin'"),
    ("dose: 25 mg", "dose: 25 g"): (6, "cannot be given: 25000 mg"),
    ("dose: 25 mg", "dose: 25 mg/kg"): (6, "cannot be given: 1750 mg"),
    ("dose: 25 mg", "dose: 25"): (6, "an amount with its unit"),
    ("dose: 25 mg", "dose: 25 mg\n  route: bolus\n  route: oral"): (
        8,
        "'route' twice, first on line 7",
    ),
    ("dose: 25 mg", "dose: 25 mg\n  infusion_hours: 1"): (
        7,
        "belongs to an infusion alone",
    ),
    ("condition: depression", "condition: sad"): (
        3,
        "'depression' or 'trauma' or 'healthy'",
    ),
    ("condition: depression\n", ""): (
        1,
        "has no condition; expected the key condition",
    ),
    ("        alliance: 0.5", "        doses: [5 mg]"): (
        11,
        "doses in dosing sessions alone",
    ),
    ("      - day: -2", "      - day: 9"): (
        14,
        "before the previous phase (preparation)",
    ),
    ("phase: preparation", "phase: integration"): (10, "before the first dosing"),
    ("phase: integration", "phase: preparation"): (20, "after the first dosing"),
    ("day: -2", "day: -2\n        days: [-1]"): (10, "both day and days or neither"),
    ("hours: 6", "hours: 6\n        hour: 20"): (15, "at most 24 h"),
    ("hours: 6", "hours: 6\n        doses: [5 mg at 7 h]"): (16, "within the session"),
    ("daily_life:\n", "daily_life:\n  rumination: 1\n"): (0, ""),
    ("length: 14", "length: 14\nadverse_event: {day: 14, mean: -3, precision: 1}"): (
        33,
        "within days -2 to 13",
    ),
    ("length: 14", "length: 14\nstart: -1"): (10, "nothing before the start, day -1"),
    ("length: 14", "length: 14\nstart: 1"): (33, "day 0 or before it"),
    ("length: 14", "length: 10000"): (
        32,
        "length is 10000; expected a whole number, 1 to 3650",
    ),
    ("about: one dosing, one talk", "about: ''"): (2, "about is ''; expected one line"),
    ("about: one dosing, one talk", "about: 3"): (2, "about is 3; expected text"),
    ("name: small", "name: 5 small"): (1, "expected a letter"),
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change[1][:40])
def test_what_is_wrong_is_said_with_its_line(change):
    old, new = change
    line, words = CHANGES[change]
    assert old in SMALL
    text = SMALL.replace(old, new, 1)
    if not words:  # the same change is fine
        check_doses(parse_protocol(text, where="own.yaml"), LIBRARY)
        return
    said = sentence(text)
    assert said.startswith(f"own.yaml, line {line}: ") and words in said, said


WHOLE_FILES = {
    "empty": ("", 1, "is empty"),
    "comments": ("# nothing\n# here\n", 1, "is empty"),
    "a word": ("psilocybin", 1, "is 'psilocybin'; expected keys and values"),
    "a list": ("- a\n- b\n", 1, "is a list; expected keys and values"),
    "a number": ("25\n", 1, "is 25; expected keys and values"),
    "tabs": ("name: small\n\tabout: x\n", 2, "spaces, not tabs"),
    "two documents": (SMALL + "---\n" + SMALL, 33, "is not YAML"),
    "json": ('{"name": "x",\n "name": "y"}', 2, "twice, first on line 1"),
    "a key of lists": ("? [a]\n: b\n", 1, "has the key a list; expected a name"),
    "a number as key": ("name: x\n1: b\n", 2, "has the key 1; expected a name"),
    "merge": (SMALL.replace("day: 0", "<<: {day: 0}"), 14, "'<<'"),
    "deep": ("name: x\nabout: " + "[" * 5000, 2, "is nested too deeply"),
    "itself": ("name: &a [*a]\n", 1, "is a list; expected text"),
    "zero byte": ("name: x\nabout: \x00\n", 2, "'\\x00' is not allowed"),
    "aliases": ("name: &a x\nabout: [" + "*a, " * 30 + "]", 2, "more than 20 aliases"),
    "huge": (SMALL + "# " + "x" * 300_000, 33, "longer than 200,000 characters"),
    "an object": ("name: !!python/object/apply:os.system [ls]\n", 1, "expected text"),
}


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_files_that_are_no_protocol(name):
    text, line, words = WHOLE_FILES[name]
    said = sentence(text)
    assert said.startswith(f"own.yaml, line {line}: ") and words in said, said


def test_too_many_items_are_refused():
    days = ", ".join(map(str, range(1, 120)))
    text = SMALL.replace("[1, 7]", f"[{days}]").replace("length: 14", "length: 200")
    text = text.replace(
        "{mean: 0.5, precision: 1}", "{mean: 0.5, precision: 1, items: 1000}"
    )
    assert "line 7: phases hold too many items; expected at most 100,000" in sentence(
        text
    )


def test_bytes_that_are_no_text(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_bytes(SMALL.encode().replace(b"one talk", b"one \xff talk"))
    with pytest.raises(UserError, match=r"own\.yaml, line 2: is not UTF-8"):
        read_protocol(file)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_marks_and_line_ends_of_editors_change_nothing(tmp_path, encoding, newline):
    file = tmp_path / "own.yaml"
    file.write_bytes(SMALL.replace("\n", newline).encode(encoding))
    assert read_protocol(file).protocol == parse_protocol(SMALL, where="x").protocol
    file.write_bytes(
        SMALL.replace("hours: 6", "hours: x").replace("\n", newline).encode(encoding)
    )
    with pytest.raises(UserError, match="line 15: "):
        read_protocol(file)


def test_names_and_paths(tmp_path):
    with pytest.raises(
        UserError, match="no protocol is called 'psilocybin_depresion', did you mean"
    ):
        read_protocol("psilocybin_depresion")
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UserError, match="protocol "):
            read_protocol(path)


def test_random_slips_never_end_in_a_traceback():
    """Characters lost, doubled or replaced: a protocol, or one sentence with a line of the file."""
    rng, texts = random.Random(7), [SMALL]
    refused = 0
    for _ in range(150):
        text = list(rng.choice(texts))
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(text))
            text[place] = rng.choice(
                ["", text[place] * 2, *"\t:-{}[]&*!|>%@`'\"#,\n 0x\x07é"]
            )
        try:
            check_doses(parse_protocol("".join(text), where="own.yaml"), LIBRARY)
        except UserError as error:
            assert re.match(r"own\.yaml, line \d+: \S", str(error)), error
            refused += 1
    assert 30 < refused < 150


@pytest.mark.parametrize("name", shipped_protocols())
def test_shipped_protocols_are_right_and_say_where_numbers_come_from(name):
    read = read_protocol(name)
    check_doses(read, LIBRARY)
    assert read.protocol.name == name
    assert read.text.startswith("# ") and "clinical advice" in read.text
    for number, line in enumerate(read.text.splitlines(), 1):
        if re.search(
            r"\b(precision|alliance|directive_factor|rumination|dose|felt|told): ?[\d{]",
            line,
        ):
            arm_of_contrast = "told" in line and name == "microdosing"
            assert "#" in line or arm_of_contrast, f"line {number} has no source"


AMOUNTS = {
    "25 mg": (25.0, False, 0.0),
    "25mg": (25.0, False, 0.0),
    "100 ug": (0.1, False, 0.0),
    "100 µg": (0.1, False, 0.0),
    "100 mcg": (0.1, False, 0.0),
    "0.025 g": (25.0, False, 0.0),
    "0.3 mg/kg": (21.0, True, 0.0),
    "0.3 mg / kg at 1.5 h": (21.0, True, 1.5),
    "1e-3 mg": (1e-3, False, 0.0),
    "40 mg at 2 h": (40.0, False, 2.0),
}


@pytest.mark.parametrize("text", AMOUNTS)
def test_amounts_are_read(text):
    mg, per_kg, hour = AMOUNTS[text]
    amount = Amount.from_text(text)
    assert amount.mg(70.0) == pytest.approx(mg, rel=1e-12)
    assert (amount.per_kg, amount.hour) == (per_kg, hour)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mg",
        "25",
        "25 kg",
        "25 mg/lb",
        "-1 mg",
        "0 mg",
        "inf mg",
        "nan mg",
        "1_0 mg",
        "1e999 mg",
        "25 mg at 2",
        "25 mg at -1 h",
        "25 mg at noon h",
        "25 mg 40 mg",
        "25 MG",
        "२५ mg",
        "25 mg/kg/kg",
    ],
)
def test_other_amounts_are_refused(text):
    with pytest.raises(UserError, match="expected"):
        Amount.from_text(text)


def test_an_arm_has_what_it_is_like_and_its_own():
    base = Arm(
        "a",
        dose=Amount(1.0),
        told=0.2,
        without=("integration",),
        evidence=(Change("memory", mean=1.0), Change("body", sd=2.0)),
    )
    own = Arm(
        "b", told=0.9, without=("body",), evidence=(Change("memory", precision=3.0),)
    )
    both = own.over(base)
    assert (both.name, both.dose, both.told) == ("b", Amount(1.0), 0.9)
    assert both.without == ("integration", "body")
    assert both.evidence == (Change("memory", precision=3.0), Change("body", sd=2.0))


def test_every_protocol_has_the_arms_of_the_table():
    read = parse_protocol(SMALL, where="own.yaml").protocol
    assert set(BUILT_IN) >= {
        *(
            "drug_and_therapy",
            "therapy_alone",
            "drug_alone",
            "active_placebo",
            "directive",
        ),
        *(
            "non_directive",
            "harmful_setting",
            "no_integration",
            "comparator",
            "untreated",
        ),
    }
    for name in BUILT_IN:
        assert read.arm(name).name == name
    assert not BUILT_IN[WHOLE].has_overrides
    with pytest.raises(UserError, match="small: no arm is called 'drug_alon'"):
        read.arm("drug_alon")


def test_a_digest_is_that_of_the_file_and_of_no_other(tmp_path):
    """Prevents a changed file from passing as the recorded one, and another protocol from being refused."""
    own = tmp_path / "own.yaml"
    own.write_text(SMALL)
    first = protocol_sha256(own)
    assert first == f"{hashlib.sha256(SMALL.encode()).hexdigest()} {own}"
    assert protocol_sha256(own, first) == protocol_sha256(str(own), first) == first
    shipped = protocol_sha256("mdma_trauma", first)
    assert shipped.endswith(" mdma_trauma") and shipped[:64] != first[:64]
    own.write_text(SMALL + "\n")
    with pytest.raises(
        UserError, match=r"own\.yaml: is not what it was when the run was"
    ):
        protocol_sha256(own, first)
    assert protocol_sha256(own)[:64] != first[:64]

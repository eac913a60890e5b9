"""Tables of numbers, and what a user can get wrong in them."""

import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Bolus, Dose, Infusion, load_compounds, regimen
from pcmodel.neuromodulation.table import MARKS

HEADER = "subject,quantity,value,unit,mark,source\n"
GOOD = """x,half_life,2,h,read,"Someone 2020, table 2"
x,volume,100,L,assumed,none known
x,k_2a,5,ng/mL,memory,Someone 2020
x,efficacy_2a,0.5,tau,memory,Someone 2020
"""

BAD = {
    "x,half_life,2,,read,s": ("row 3", "no unit"),
    "x,half_life,2,h,read,": ("row 3", "no source"),
    "x,half_life,2,h,,s": ("row 3", "no mark"),
    "x,half_life,2,min,read,s": ("row 3", "'min'", "h"),
    "x,half_lief,2,h,read,s": ("row 3", "did you mean 'half_life'"),
    "x,half_life,two,h,read,s": ("row 3", "'two' is not a number"),
    "x,half_life,nan,h,read,s": ("row 3", "not a number"),
    "x,half_life,-2,h,read,s": ("row 3", "negative"),
    "x,half_life,0,h,read,s": ("row 3", "positive"),
    "x,half_life,2,h,rumour,s": ("row 3", "evidence mark", "'rumour'"),
    "x,half_life,2,h,read": ("row 3", "5 fields"),
    "x,volume,2,L,read,s": ("row 3", "already given in row 2"),
    "x,bioavailability,1.2,share,read,s": ("row 3", "1.2", "at most 1"),
    "x,k_1a,2,ng/mL,read,s": ("row 3", "k_1a without efficacy_1a"),
}


def write(tmp_path, text):
    path = tmp_path / "mine.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("line", BAD)
def test_a_bad_row_is_named(tmp_path, line):
    base = "x,volume,100,L,assumed,none known\n"
    rest = "" if "half_l" in line else "x,half_life,2,h,read,s\n"
    with pytest.raises(UserError) as caught:
        load_compounds(write(tmp_path, HEADER + base + line + "\n" + rest))
    message = str(caught.value)
    assert "\n" not in message and "mine.csv" in message
    assert all(piece in message for piece in BAD[line]), message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name the columns"),
        ("a,b\n1,2\n", "name the columns"),
        (HEADER + "x,volume,1,L,read,s\n", "has no half_life"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, said):
    with pytest.raises(UserError, match=said):
        load_compounds(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.csv"):
        load_compounds(tmp_path / "nowhere.csv")


def test_users_add_compounds_by_file(tmp_path):
    """A quoted field may hold commas; a comment line is skipped."""
    library = load_compounds(write(tmp_path, HEADER + "# mine\n" + GOOD))
    assert library["x"].get("k_2a", 0.0) == 5
    marked = load_compounds(write(tmp_path, "\ufeff" + HEADER + "# mine\n" + GOOD))
    assert marked["x"].numbers == library["x"].numbers
    assert library["x"].numbers["half_life"].source == "Someone 2020, table 2"
    assert "psilocybin" in library.names


def test_a_later_file_replaces_a_compound_whole(tmp_path):
    text = HEADER + GOOD.replace("x,", "LSD,")
    library = load_compounds(write(tmp_path, text))
    assert "absorption_rate" not in library["LSD"].numbers


def test_every_number_of_the_package_has_a_pedigree():
    library = load_compounds()
    required = "psilocybin LSD DMT buspirone ketanserin MDMA ketamine placebo".split()
    assert set(required) <= set(library.names)
    for name in library.names:
        for number in library[name].numbers.values():
            assert number.mark in MARKS and len(number.source) > 5


def test_assumptions_are_the_numbers_nobody_measured():
    said = load_compounds().assumptions("LSD")
    assert any("efficacy 2a 0.19 tau (assumed" in sentence for sentence in said)
    assert not any("half life" in sentence for sentence in said)


def test_potencies_share_one_scale():
    """LSD's affinity is its clinical EC50 times psilocin's ratio of K to EC50."""
    library = load_compounds()
    psilocin, lsd = library["psilocybin"], library["LSD"]
    expected = psilocin.get("k_2a", 0.0) * 1.0 / 8.48
    assert lsd.get("k_2a", 0.0) == pytest.approx(expected, rel=0.01)


DOSES = {
    "did you mean 'ketanserin'": [Dose("ketanserine", 40.0)],
    "dose 1 \\(LSD\\): amount is -1 mg": [Dose("LSD", -1)],
    "dose 1 \\(LSD\\): amount is nan": [Dose("LSD", float("nan"))],
    "dose 2 \\(ketanserin\\): is at 0.5 h": [
        Dose("LSD", 0.1, 1.0),
        Dose("ketanserin", 40, 0.5),
    ],
    "dose 1 \\(DMT\\): cannot be swallowed": [Dose("DMT", 25)],
    "dose 1 \\(LSD\\): amount: values must be numbers": [
        Dose("LSD", np.asarray("ten"))
    ],
    "dose 1 \\(LSD\\): amount is array.*True.*not a number": [
        Dose("LSD", np.asarray(True))
    ],
    "dose 1 \\(LSD\\): amount: 1 of 1 values are masked": [
        Dose("LSD", np.ma.masked_array([0.1], [True]))
    ],
    "dose 1 \\(MDMA\\): cannot be injected": [Dose("MDMA", 100, 0.0, Bolus())],
    "cannot last inf": [Dose("DMT", 35, 0.0, Infusion(float("inf")))],
    "cannot last 0": [Dose("ketamine", 35, 0.0, Infusion(0.0))],
}


@pytest.mark.parametrize("said", DOSES)
def test_a_bad_dose_is_named(said):
    with pytest.raises(UserError, match=said):
        regimen(*DOSES[said], library=load_compounds())

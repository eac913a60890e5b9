"""Claims of the drug experiments: what a setting changes, and what is said to overturn one."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from experiments._claims import (
    AS_SET,
    Claim,
    Knob,
    Setting,
    examine,
    flips,
    half_life,
    overturning,
    verdict,
)
from experiments._dosing import (
    adjusted_dose,
    adjusted_person,
    adjusted_variation,
    take,
)
from pcmodel.neuromodulation import Bolus, Dose, load_compounds, typical
from pcmodel.neuromodulation.participant import typical_variation

PERSON = typical(load_compounds(), "LSD", "ketanserin")


def line(setting: Setting) -> np.ndarray:
    """y = a - b with a = 3 and b = 2."""
    return np.asarray([3 * setting.of("a") - 2 * setting.of("b")])


CLAIM = Claim(
    "a exceeds b",
    "a > b",
    "predicted",
    line,
    lambda v: bool(v[0] > 0),
    lambda v: f"{v[0]:g}",
    (Knob("first", "a"), Knob("second", "b"), Knob("reciprocal", "b", inverse=True)),
)


def test_what_overturns_a_claim_is_what_changes_its_outcome():
    """Halving 3 makes it 1.5 < 2, doubling 2 makes it 4 > 3; halving 1/b doubles b."""
    found = examine(CLAIM)
    assert flips(CLAIM, found) == [("halved",), ("doubled",), ("halved",)]
    np.testing.assert_array_equal(found.doubled[:, 0], [4.0, -1.0, 2.0])
    assert verdict(CLAIM, found).outcome == "holds"
    short, long = overturning([CLAIM], {CLAIM.name: found}).tables
    assert "first halved; second doubled; reciprocal halved" in short.rows[0]
    assert long.rows[1] == ("a exceeds b", "second", "2", "1", "-1", "doubled")


def test_a_claim_nothing_overturns_says_so():
    claim = replace(CLAIM, holds=lambda v: True)
    (short, _) = overturning([claim], {claim.name: examine(claim)}).tables
    assert short.rows[0][2] == "none of those tried"
    assert short.rows[0][3] == "first, second, reciprocal"


def test_a_setting_changes_one_number_of_one_compound():
    """Prevents a knob from turning another compound, or nothing."""
    changed = adjusted_person(PERSON, Setting("ligands.k_2a", "ketanserin", 2.0))
    ratio = np.asarray(changed.ligands.k_2a) / np.asarray(PERSON.ligands.k_2a)
    np.testing.assert_array_equal(ratio, [1.0, 2.0])
    same = changed.ligands._replace(k_2a=PERSON.ligands.k_2a)
    jax.tree.map(np.testing.assert_array_equal, same, PERSON.ligands)
    slower = adjusted_person(PERSON, half_life("t", "LSD").times(2.0)).ligands.kinetics
    ratio = slower.elimination / PERSON.ligands.kinetics.elimination
    np.testing.assert_allclose(ratio, [0.5, 1.0])


@pytest.mark.parametrize(
    ("setting", "read", "factor"),
    [
        (
            Setting("physiology.habituation", "", 2.0),
            lambda s: adjusted_person(PERSON, s).physiology.habituation,
            2.0,
        ),
        (
            Setting("variation.clearance", "", 0.5),
            lambda s: adjusted_variation(typical_variation(), s).clearance,
            0.5,
        ),
        (
            Setting("dose.hours", "LSD", 2.0),
            lambda s: adjusted_dose(Dose("LSD", 1.0, 3.0), s).hours,
            2.0,
        ),
        (
            Setting("dose.mg", "LSD", 2.0),
            lambda s: adjusted_dose(Dose("ketanserin", 1.0, 3.0), s).mg,
            1.0,
        ),
    ],
)
def test_a_setting_reaches_what_it_names(setting, read, factor):
    before = np.asarray(read(AS_SET))
    np.testing.assert_allclose(np.asarray(read(setting)), factor * before)


def test_a_misspelt_knob_is_no_silent_row_of_the_table():
    """Prevents a conclusion from being called robust against nothing."""
    with pytest.raises(AttributeError):
        adjusted_person(PERSON, Setting("physiology.onsett", "", 2.0))


@pytest.mark.slow
def test_people_keep_their_numbers_when_a_setting_changes_one():
    """A doubled volume halves every participant's plasma at the start, no one is drawn anew."""
    times = np.asarray([0.0, 0.01, 0.02])
    doses = [Dose("ketamine", 35.0, 0.0, Bolus())]
    setting = Setting("kinetics.volume", "ketamine", 2.0)
    plain, half = (
        take(doses, times, people=4, setting=each)[0].plasma[:, 0, 0]
        for each in (AS_SET, setting)
    )
    np.testing.assert_allclose(half, plain / 2, rtol=1e-6)

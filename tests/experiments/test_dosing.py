"""What a perturbation changes in those who take a drug."""

import jax
import numpy as np
import pytest

from experiments._dosing import (
    adjusted_dose,
    adjusted_person,
    adjusted_variation,
    half_life,
    take,
)
from pcmodel.neuromodulation import Bolus, Dose, load_compounds, typical
from pcmodel.neuromodulation.participant import typical_variation
from pcmodel.report import UNPERTURBED, Perturbation

PERSON = typical(load_compounds(), "LSD", "ketanserin")


def test_a_perturbation_changes_one_number_of_one_compound():
    """Prevents a parameter from turning another compound, or nothing."""
    changed = adjusted_person(PERSON, Perturbation("ligands.k_2a", "ketanserin", 2.0))
    ratio = np.asarray(changed.ligands.k_2a) / np.asarray(PERSON.ligands.k_2a)
    np.testing.assert_array_equal(ratio, [1.0, 2.0])
    same = changed.ligands._replace(k_2a=PERSON.ligands.k_2a)
    jax.tree.map(np.testing.assert_array_equal, same, PERSON.ligands)
    slower = adjusted_person(PERSON, half_life("t", "LSD").times(2.0)).ligands.kinetics
    ratio = slower.elimination / PERSON.ligands.kinetics.elimination
    np.testing.assert_allclose(ratio, [0.5, 1.0])


@pytest.mark.parametrize(
    ("perturbation", "read", "factor"),
    [
        (
            Perturbation("physiology.habituation", "", 2.0),
            lambda s: adjusted_person(PERSON, s).physiology.habituation,
            2.0,
        ),
        (
            Perturbation("variation.clearance", "", 0.5),
            lambda s: adjusted_variation(typical_variation(), s).clearance,
            0.5,
        ),
        (
            Perturbation("dose.hours", "LSD", 2.0),
            lambda s: adjusted_dose(Dose("LSD", 1.0, 3.0), s).hours,
            2.0,
        ),
        (
            Perturbation("dose.mg", "LSD", 2.0),
            lambda s: adjusted_dose(Dose("ketanserin", 1.0, 3.0), s).mg,
            1.0,
        ),
    ],
)
def test_a_perturbation_reaches_what_it_names(perturbation, read, factor):
    before = np.asarray(read(UNPERTURBED))
    np.testing.assert_allclose(np.asarray(read(perturbation)), factor * before)


def test_a_misspelt_parameter_is_no_silent_row_of_the_table():
    """Prevents a conclusion from being called robust against nothing."""
    with pytest.raises(AttributeError):
        adjusted_person(PERSON, Perturbation("physiology.onsett", "", 2.0))


@pytest.mark.slow
def test_people_keep_their_numbers_when_a_perturbation_changes_one():
    """A doubled volume halves every participant's plasma at the start, no one is drawn anew."""
    times = np.asarray([0.0, 0.01, 0.02])
    doses = [Dose("ketamine", 35.0, 0.0, Bolus())]
    perturbation = Perturbation("kinetics.volume", "ketamine", 2.0)
    plain, half = (
        take(doses, times, people=4, perturbation=each)[0].plasma[:, 0, 0]
        for each in (UNPERTURBED, perturbation)
    )
    np.testing.assert_allclose(half, plain / 2, rtol=1e-6)

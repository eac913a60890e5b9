"""Phenotypes and the people drawn from them."""

import jax
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.sessions.person.traits import (
    FACTORS,
    PHENOTYPES,
    SHARES,
    UNITS,
    Phenotype,
    Trait,
    draw_people,
    find_phenotype,
    typical_person,
)

KEY = jax.random.key(1)


@pytest.mark.parametrize("name", PHENOTYPES)
def test_medians_and_spreads_are_those_of_the_table(name):
    """Prevents a trait that is drawn on the wrong scale: 4,000 people, five standard errors."""
    phenotype, number = PHENOTYPES[name], 4000
    people = draw_people(phenotype, num_people=number, key=KEY)
    for trait in UNITS:
        values = np.asarray(
            getattr(people, "log_precision" if trait == "precision" else trait)
        )
        median, spread, _ = vars(phenotype.traits[trait]).values()
        if trait in FACTORS:
            values = np.log(values)
        if trait in SHARES:
            values, median = (
                np.log(values / (1 - values)),
                np.log(median / (1 - median)),
            )
        elif trait != "belief":
            median = np.log(median)
        error = 5 * spread / np.sqrt(number)
        assert abs(values.mean() - median) < error, trait
        assert abs(values.std() - spread) < error, trait


def test_the_first_of_many_are_the_same_people():
    few = draw_people(PHENOTYPES["trauma"], num_people=2, key=KEY)
    many = draw_people(PHENOTYPES["trauma"], num_people=5, key=KEY)
    for one, other in zip(few, many, strict=True):
        np.testing.assert_array_equal(one, other[:2])


def test_the_typical_person_has_the_medians():
    person = typical_person(find_phenotype("healthy"))
    assert float(person.belief) == 0.5
    np.testing.assert_allclose(np.exp(person.log_precision), 2)
    np.testing.assert_allclose(person.validity, 0.9)


def test_shares_at_their_ends_stay_there():
    traits = dict(
        PHENOTYPES["healthy"].traits,
        avoidance=Trait(0, 0.7, "x"),
        validity=Trait(1, 0.7, "x"),
    )
    people = draw_people(Phenotype("ends", "x", traits), num_people=9, key=KEY)
    assert set(np.asarray(people.avoidance)) == {0.0}
    assert set(np.asarray(people.validity)) == {1.0}


def test_what_is_no_phenotype_is_refused():
    traits = dict(PHENOTYPES["healthy"].traits)
    with pytest.raises(
        UserError, match="no phenotype is called 'depresion', did you mean"
    ):
        find_phenotype("depresion")
    with pytest.raises(UserError, match="phenotype 'x': no trait is called 'mood'"):
        Phenotype("x", "", {**traits, "mood": Trait(1, 1, "")})
    with pytest.raises(UserError, match="median of avoidance is 2"):
        Phenotype("x", "", {**traits, "avoidance": Trait(2, 1, "")})
    with pytest.raises(UserError, match="median of precision is 0"):
        Phenotype("x", "", {**traits, "precision": Trait(0, 1, "")})
    with pytest.raises(UserError, match="median of expectancy is -1"):
        PHENOTYPES["healthy"].scaled("expectancy", -1.0)
    del traits["belief"]
    with pytest.raises(UserError, match="phenotype 'x': has no belief"):
        Phenotype("x", "", traits)
    assert PHENOTYPES["healthy"].scaled("validity", 2.0).traits["validity"].median == 1

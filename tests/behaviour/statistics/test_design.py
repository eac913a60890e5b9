"""Columns of a design are those of the formula library, centred on the average person."""

import numpy as np
import pytest

from pcmodel.behaviour.statistics import build_design, parse_formula

PEOPLE = np.asarray([0, 1, 2, 2, 2, 3, 4, 5, 6, 7])
AGE = np.asarray([20.0, 31.0, 44.0, 58.0, 25.0, 37.0, 63.0, 41.0])[PEOPLE]
SEX = np.asarray(list("fmfmfmfm"))[PEOPLE]
DOSE = np.asarray([0.0, 3.0, 1.0, 4.0, 2.0, 7.0, 9.0, 5.0, 6.0, 3.0])
COVARIATES = {"age": AGE, "sex": SEX, "dose": DOSE}


def design(text, **more):
    return build_design(parse_formula(f"x ~ {text}"), COVARIATES | more, PEOPLE)


def on_average_person(values):
    """Centred by hand: of each person the mean, and of those the mean."""
    return values - np.mean([values[PEOPLE == who].mean(axis=0) for who in range(8)], 0)


def by_name(found):
    return dict(zip(found.common_names, found.common.T, strict=True))


@pytest.mark.parametrize("sign", ["*", ":"])
@pytest.mark.parametrize("other", ["sex", "dose"])
def test_terms_of_several_columns_interact(sign, other):
    """Prevents `poly(age, 2) * sex` from ending in an error, or in columns of something else."""
    raw = np.stack([AGE, AGE**2], axis=1)
    found = by_name(design(f"poly(age, 2, raw=True) {sign} {other}"))
    label, values = ("sex[m]", SEX == "m") if other == "sex" else ("dose", DOSE)
    for place in (0, 1):
        expected = on_average_person(raw[:, place] * values)
        name = f"poly(age, 2, raw=True)[{place}]:{label}"
        np.testing.assert_allclose(found[name], expected, atol=1e-9)
    if sign == "*":
        name = "poly(age, 2, raw=True)[1]"
        np.testing.assert_allclose(found[name], on_average_person(AGE**2), atol=1e-9)


def test_terms_of_several_columns_vary_over_people():
    found = design("dose + (0 + poly(dose, 2, raw=True) | participant)")
    np.testing.assert_allclose(found.varying, np.stack([DOSE, DOSE**2], axis=1))


def test_several_columns_that_are_not_centred_are_told():
    """At age 0 and its square 0: what the sexes' difference is a difference at."""
    found = design("sex * poly(age, 2, raw=True)")
    place = found.common_names.index("sex[m]")
    assert found.at_zero_of[place] == ("poly(age, 2, raw=True)",)
    assert not any(design("sex * poly(age, 2)").at_zero_of)
    assert not any(design("sex * center(age)").at_zero_of)

"""A formula becomes the design matrices it means, or is refused with what to do."""

import numpy as np
import pytest

from pcmodel.behaviour.statistics import build_design, build_hierarchy, parse_formula
from pcmodel.behaviour.statistics.formula import Formula, variables_of
from pcmodel.errors import UserError
from tests.behaviour.statistics.gaussian import GaussianModel, make_series

COVARIATES = {
    "drug": np.asarray(["placebo", "halo", "ldopa", "placebo", "halo", "ldopa"]),
    "age": np.asarray([20.0, 20.0, 20.0, 40.0, 40.0, 40.0]),
    "ill": np.asarray([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
}


def design(text):
    return build_design(parse_formula(text), COVARIATES)


def test_placebo_is_the_reference_and_numbers_are_centred():
    found = design("x ~ drug + age + (drug | participant)")
    assert found.common_names == ("Intercept", "drug[halo]", "drug[ldopa]", "age")
    expected = np.column_stack(
        [np.ones(6), [0, 1, 0] * 2, [0, 0, 1] * 2, [-10] * 3 + [10] * 3]
    )
    np.testing.assert_array_equal(found.common, expected)
    np.testing.assert_array_equal(found.varying, expected[:, :3])
    assert found.correlated


def test_indicators_stay_as_they_are_and_interact():
    found = design("x ~ ill * drug")
    assert len(found.common_names) == 6 and found.varying.shape == (6, 0)
    place = found.common_names.index("ill")
    np.testing.assert_array_equal(found.common[:, place], COVARIATES["ill"])


def test_double_bars_are_not_correlated():
    assert parse_formula("x ~ (drug || participant)") == Formula(
        "x", "1", "drug", False
    )


def test_variables_are_found_before_the_data_are_read():
    formula = parse_formula("x ~ ill:drug + (age | participant)")
    assert set(variables_of(formula)) == {"ill", "drug", "age"}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x drug", "cannot be read"),
        ("x ~ ", "cannot be read"),
        ("x ~ drug + (1 | site)", "vary over 'site'"),
        ("x ~ drug | participant", "a bar outside parentheses"),
        ("x ~ (1 | participant) + (drug | participant)", "2 groups"),
        ("x ~ drug + (drug", "unmatched parentheses"),
        ("x ~ drugs", "cannot use 'drugs'"),
        ("x ~ age + ill", "cannot be told apart"),
    ],
)
def test_bad_formulas_say_what_is_wrong(text, part):
    with pytest.raises(UserError) as caught:
        design(text)
    assert part in str(caught.value)


def test_parameters_go_by_their_other_names():
    series = make_series(np.zeros((6, 2)), **COVARIATES)
    by_other = build_hierarchy(GaussianModel(), series, formulas=["height ~ drug"])
    assert by_other.terms[0].parameter.name == "level"
    with pytest.raises(UserError, match="did you mean 'level'"):
        build_hierarchy(GaussianModel(), series, formulas=["levle ~ drug"])


def test_a_formula_frees_what_is_held():
    series = make_series(np.zeros((6, 2)), **COVARIATES)
    assert build_hierarchy(GaussianModel(), series).held == {"held": 0.25}
    freed = build_hierarchy(GaussianModel(), series, formulas=["held ~ 1"])
    assert freed.held == {} and len(freed.terms) == 2

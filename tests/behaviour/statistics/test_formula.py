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
        ("x ~ 0 + drug", "have no intercept"),
        ("x ~ drug - 1 + (1 | participant)", "have no intercept"),
        ("x ~ 0", "has no effects"),
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


def people(text):
    """Three people under two drugs each; age differs between them only."""
    drug = np.tile(["placebo", "halo"], 3)
    age, dose = np.repeat([20.0, 30.0, 40.0], 2), np.tile([0.0, 80.0], 3)
    series = make_series(
        np.zeros((6, 2)),
        people=np.repeat(np.arange(3), 2),
        drug=drug,
        age=age,
        dose=dose,
    )
    return build_hierarchy(GaussianModel(), series, formulas=[text]).terms[0]


def test_what_differs_between_people_only_cannot_vary_over_them():
    assert people("level ~ drug + (drug | participant)").design.varying.shape == (6, 2)
    with pytest.raises(UserError, match="age is the same in all series of every part"):
        people("level ~ age + (age | participant)")


def test_one_participant_does_not_vary():
    series = make_series(np.zeros((2, 3)), people=[0, 0])
    with pytest.raises(UserError, match="there is one"):
        build_hierarchy(
            GaussianModel(), series, formulas=["level ~ 1 + (1 | participant)"]
        )


def test_the_spread_of_a_slope_is_per_unit_of_its_column():
    """A dose in milligrams has the prior that the same dose as 0 and 1 standard has."""
    found = people("level ~ dose + (dose | participant)")
    np.testing.assert_allclose(found.spread_scale, [1.0, 1.0 / 40.0])
    np.testing.assert_allclose(found.effect_sd, [2.0, 1.0 / 40.0])


def test_a_parameter_has_one_formula():
    series = make_series(np.zeros((6, 2)), **COVARIATES)
    with pytest.raises(UserError, match="'level' has two formulas"):
        build_hierarchy(
            GaussianModel(), series, formulas=["level ~ drug", "height ~ age"]
        )

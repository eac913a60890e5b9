"""A formula becomes the design matrices it means, or is refused with what to do."""

import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.design import build_design
from pcmodel.behaviour.hierarchy.formula import Formula, parse_formula, variables_of
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.errors import UserError
from tests.behaviour.gaussian import GaussianModel, make_series
from tests.behaviour.hierarchy import formula_battery

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
        ("x ~ T(drug, 'halo)", "unmatched quotation marks"),
        ("x ~ (drug | participant):age", "a bar outside parentheses"),
        ("x ~ ( | participant)", "no effects before the bar"),
        ("x ~ age % ill", "cannot be read from '%' on"),
        ("x ~ age ~ ill", "'~' stands where it means nothing"),
        ("x ~ age**2", "expected I(column**2)"),
        ("x ~ 1 + (age**2 | participant)", "expected I(column**2)"),
        ("x ~ age:age", "a term with itself is that term alone"),
        ("x ~ age + 2", "2 is no term"),
        ("x ~ age > 30", "expected I(... > ...)"),
        ("x ~ drug['placebo']", "expected T(column, 'reference')"),
        ("x ~ offset(age)", "offset() is no effect"),
        ("x ~ log(age)", "expected np.log(...)"),
        ("x ~ nolog(age)", "there is no function nolog()"),
        (
            "x ~ np.log(age - 20)",
            "finite number in 3 of 6 series, the first where age = 20",
        ),
        ("x ~ 1 + (np.log(ill) | participant)", "np.log(ill) is not a finite number"),
        ("x ~ drugs", "did you mean 'drug'"),
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


def columns(text, **covariates):
    """The common columns by name."""
    given = {name: np.asarray(values) for name, values in covariates.items()}
    found = build_design(parse_formula(text), given)
    return dict(zip(found.common_names, found.common.T, strict=True))


def test_functions_see_the_numbers_of_the_table():
    """An exponential of a dose less its mean would be another effect at every dose."""
    dose = np.asarray([0.0, 1.0, 3.0])
    for name, function in (("np.exp", np.exp), ("np.log1p", np.log1p)):
        found = columns(f"x ~ {name}(dose)", dose=dose)[f"{name}(dose)"]
        np.testing.assert_allclose(found, function(dose) - function(dose).mean())
    found = columns("x ~ I(dose**2)", dose=dose)["I(dose ** 2)"]
    np.testing.assert_allclose(found, [-10 / 3, -7 / 3, 17 / 3])


def test_a_numbers_labels_are_those_of_the_table():
    found = columns("x ~ C(mg)", mg=[0.0, 10.0, 20.0, 20.0])
    assert tuple(found) == ("Intercept", "C(mg)[10]", "C(mg)[20]")
    np.testing.assert_array_equal(found["C(mg)[20]"], [0, 0, 1, 1])
    found = columns("x ~ C(mg)", mg=[0.0, 0.5, 1.0])
    assert tuple(found) == ("Intercept", "C(mg)[0.5]", "C(mg)[1]")
    found = columns("x ~ T(mg, 10)", mg=[0.0, 10.0, 20.0])
    assert tuple(found) == ("Intercept", "T(mg, 10)[0]", "T(mg, 10)[20]")


def test_nested_terms_have_the_names_of_their_own_columns():
    """The library lets terms of `a / b` share parts, and with them the names."""
    given = {"site": ["a", "b", "c"] * 3, "age": [1.0, 5, 2, 4, 3, 7, 8, 2, 1]}
    found = columns("x ~ site / age", **given)
    own = ("site[a]:age", "site[b]:age", "site[c]:age")
    assert tuple(found) == ("Intercept", "site[b]", "site[c]", *own)
    ages = np.where(np.asarray(given["site"]) == "b", given["age"], 0.0)
    np.testing.assert_allclose(found["site[b]:age"], ages - ages.mean())


def test_literals_are_no_columns():
    text = "x ~ poly(age, 2) + T(drug, 'halo') + C(drug, Sum) + np.power(ill, 2) + `two words`"
    assert set(variables_of(parse_formula(text))) == {"age", "drug", "ill", "two words"}
    assert variables_of(parse_formula("x ~ C(drug, Treatment('a+b|c'))")) == ("drug",)


def test_the_average_person_is_averaged_over_people():
    """One of three people came four times; the middle of the ages is still 30."""
    age = np.asarray([20.0, 30.0, 40.0, 40.0, 40.0, 40.0])
    people = np.asarray([0, 1, 2, 2, 2, 2])
    found = build_design(parse_formula("x ~ age"), {"age": age}, people)
    np.testing.assert_allclose(found.common[:, 1], age - 30.0)
    series = make_series(np.zeros((6, 2)), people=people, age=age)
    term = build_hierarchy(GaussianModel(), series, formulas=["level ~ age"]).terms[0]
    # An effect's prior is per standard deviation over people, whatever they came for.
    np.testing.assert_allclose(term.effect_sd[1], 1.0 / np.std([20.0, 30.0, 40.0]))


def test_without_an_intercept_nothing_is_centred():
    """A slope alone that varies over people is zero at dose zero, not at the mean dose."""
    dose = np.asarray([0.0, 10.0, 20.0, 0.0, 10.0, 20.0])
    people = np.repeat([0, 1], 3)
    text = "x ~ dose + (0 + dose | participant)"
    found = build_design(parse_formula(text), {"dose": dose}, people)
    np.testing.assert_array_equal(found.varying[:, 0], dose)
    np.testing.assert_allclose(found.common[:, 1], dose - 10.0, atol=1e-12)


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ([1.0, np.nan, 2.0], "age: is missing or not finite in 1 of 3 series"),
        ([1.0, np.inf, 2.0], "age: is missing or not finite"),
        (["a", "", "b"], "age: is missing"),
        (["a", "n/a", "b"], "age: is missing or not finite in 1 of 3 series"),
        (
            np.asarray(["a", None, np.nan], dtype=object),
            "age: is missing or not finite in 2 of 3 series, the first being series 1",
        ),
        (np.asarray(["a", ("b",), "c"], dtype=object), "age: holds object"),
        (["a", " NaN ", "NA"], "age: is missing or not finite in 2 of 3 series"),
        (
            [3.0, 3.0, 3.0],
            "nothing can be said of its effect; expected a formula without",
        ),
        ([3.0, 3.0, 3.0], "age: has one value only"),
        (["a", "a", "a"], "age: has one value only"),
        ([1.0, 2.0], "age: has shape (2,)"),
        (np.asarray([1 + 1j, 2, 3]), "age: holds complex128"),
    ],
)
@pytest.mark.parametrize("text", ["x ~ age", "x ~ 1 + (age | participant)"])
def test_columns_that_cannot_be_used_are_named(values, part, text):
    """Also those that only vary over people, where nothing else looked at them."""
    covariates = {"other": np.arange(3.0), "age": np.asarray(values)}
    with pytest.raises(UserError) as caught:
        build_design(parse_formula(text), covariates, np.arange(3))
    assert part in str(caught.value)


def test_whole_numbers_and_truths_are_numbers():
    found = columns(
        "x ~ count + yes", count=[1, 2, 3, 6], yes=[True, False, False, True]
    )
    np.testing.assert_array_equal(found["count"], [-2, -1, 0, 3])
    np.testing.assert_array_equal(found["yes"], [1, 0, 0, 1])


def test_generated_formulas_mean_what_the_library_builds():
    counts, faults = formula_battery.run(40, seed=3)
    assert not faults
    assert counts["right"] > 10 and counts["refused rightly"] > 10


def test_an_effect_in_an_interaction_says_at_whose_zero_it_is():
    age = np.asarray([20.0, 30.0, 45.0, 20.0, 30.0, 45.0])
    drug = np.repeat(["drug", "placebo"], 3)

    def zeros(text):
        found = build_design(parse_formula(text), {"age": age, "drug": drug})
        return dict(zip(found.common_names, found.at_zero_of, strict=True))

    assert zeros("x ~ drug * age")["drug[drug]"] == ("age",)
    assert set(zeros("x ~ drug + age").values()) == {()}
    assert set(zeros("x ~ drug * center(age)").values()) == {()}


def varying(text, **more):
    """What varies over six people."""
    series = make_series(np.zeros((6, 2)), **COVARIATES)
    found = build_hierarchy(GaussianModel(), series, formulas=[text], **more)
    return {term.parameter.name: term.design.varying_names for term in found.terms}


def test_people_differ_unless_the_formula_says_they_do_not():
    """Patients against controls: without it, trials would count as people."""
    assert varying("level ~ ill")["level"] == ("Intercept",)
    assert varying("level ~ ill + (0 | participant)")["level"] == ()
    assert varying("level ~ ill", pooled=True)["level"] == ()
    # A parameter that all share by default, and that a formula compares between people.
    assert varying("held ~ 1")["held"] == ()
    assert varying("held ~ ill")["held"] == ("Intercept",)


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

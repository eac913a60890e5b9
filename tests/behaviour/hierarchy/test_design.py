"""Columns of a design are those of the formula library, centred on the average person."""

import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.design import build_design
from pcmodel.behaviour.hierarchy.formula import Formula, parse_formula
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.studies.calibrate import CheckPlan
from pcmodel.behaviour.studies.fit import Plan
from pcmodel.behaviour.studies.power import DesignPlan
from pcmodel.behaviour.studies.recovery import RecoverPlan
from pcmodel.errors import UserError
from tests.behaviour.gaussian import GaussianModel, make_series

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


def test_each_term_says_its_columns_and_what_they_are_centred_on():
    found = design("sex + age + poly(dose, 2, raw=True) + (0 + dose | participant)")
    told = {(term.name, term.varies): term for term in found.terms}
    assert next(iter(told)) == ("Intercept", False)
    assert told["sex", False].columns == ("sex[m]",)
    assert told["sex", False].centre == (0.0,)
    means = [values - on_average_person(values) for values in (AGE, DOSE, DOSE**2)]
    np.testing.assert_allclose(told["age", False].centre[0], means[0])
    own = told["poly(dose, 2, raw=True)", False]
    np.testing.assert_allclose(own.centre, [means[1][0], means[2][0]])
    # A part without an intercept is not centred.
    assert told["dose", True].centre == (0.0,)


def test_hundreds_of_labels_are_as_many_columns():
    labels = np.asarray([f"s{i % 300:03}" for i in range(400)])
    found = build_design(parse_formula("x ~ site"), {"site": labels})
    assert found.common.shape == (400, 300)
    np.testing.assert_array_equal(found.common[:, 2], labels == "s002")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("age + I(2 * age)", "I(2 * age) follows from age; expected fewer"),
        ("dose + age + I(age - dose)", "I(age - dose) follows from dose, age;"),
        ("C(sex) + age + sex", "sex[m] follows from C(sex)[m];"),
        ("dose + I(dose - dose)", "is the same in all series"),
        ("I(age > 100)", "I(age > 100) is the same in all series"),
        ("huge", "the largest value of huge is 1e+300"),
        ("1 + (0 + tiny | participant)", "the largest value of tiny is 1e-300"),
        ("C(age) * C(dose)", "stands for 72 columns or more, and there are 10 series"),
        ("`sex[m]` + sex", "two columns are called 'sex[m]'"),
    ],
)
def test_columns_that_say_nothing_of_their_own_are_named(text, part):
    odd = {"sex[m]": DOSE, "huge": DOSE / 9 * 1e300, "tiny": DOSE / 9 * 1e-300}
    with pytest.raises(UserError) as caught:
        design(text, **odd)
    assert part in str(caught.value)


@pytest.mark.parametrize("covariates", [{}, {"age": np.zeros(0)}])
def test_without_series_there_are_no_columns(covariates):
    with pytest.raises(UserError, match="there are no series"):
        build_design(parse_formula("x ~ 1"), covariates)


MODEL = GaussianModel()
SERIES = make_series(np.zeros((2, 3)), age=[1.0, 2.0])


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: parse_formula(None), "parse_formula: text is None; expected text"),
        (lambda: Formula("x", 3), "Formula: common is 3; expected text"),
        (
            lambda: build_design(parse_formula("x ~ age"), None),
            "build_design: covariates is None; expected a dictionary",
        ),
        (
            lambda: build_design("x ~ age", COVARIATES),
            "formula is 'x ~ age'; expected what parse_formula",
        ),
        (
            lambda: build_hierarchy(None, SERIES),
            "model is None; expected a model, such as find_model",
        ),
        (
            lambda: build_hierarchy(MODEL, None),
            "series is None; expected what load_series",
        ),
        (
            lambda: build_hierarchy(MODEL, SERIES, formulas="level ~ age"),
            "formulas is 'level ~ age'; expected a sequence of: text",
        ),
        (
            lambda: build_hierarchy(MODEL, SERIES, formulas=None),
            "formulas is None; expected a sequence of: text",
        ),
        (lambda: find_model("binary", ["hgf2"]), "find_model: name is ['hgf2']"),
        (
            lambda: DesignPlan("binary", "hgf2", "omega2=1", participants=5),
            "participants: cannot be 5; expected a sequence of: a whole number",
        ),
        (
            lambda: DesignPlan("binary", "hgf2", "omega2=1", trials=(50.5,)),
            "trials[0]: cannot be 50.5",
        ),
        (
            lambda: DesignPlan("binary", "hgf2", None),
            "effect: cannot be None; expected text",
        ),
        (
            lambda: RecoverPlan("binary", "hgf2", participants="4"),
            "models: cannot be 'hgf2'",
        ),
        (lambda: CheckPlan(None, "hgf2"), "task: cannot be None; expected text"),
        (lambda: Plan("data.csv", "binary", "hgf2", "x ~ 1"), "formulas: cannot be 'x"),
    ],
)
def test_arguments_of_another_kind_are_refused(call, part):
    """In the sentence of the package, not in Python's own from somewhere within."""
    with pytest.raises(UserError) as caught:
        call()
    assert part in str(caught.value)


def test_odd_names_are_columns_in_backticks():
    odd = {"größe cm": DOSE, "a|b": AGE, "it's": DOSE**4, "(": AGE**2}
    text = "`größe cm` + `a|b` + np.sqrt(`it's`) * `(`"
    found = by_name(design(f'{text} + T(sex, "m")', **odd))
    np.testing.assert_array_equal(found['T(sex, "m")[f]'], SEX == "f")
    np.testing.assert_allclose(found["größe cm"], on_average_person(DOSE))
    np.testing.assert_allclose(found["a|b"], on_average_person(AGE))
    product = on_average_person(DOSE**2 * AGE**2)
    np.testing.assert_allclose(found["np.sqrt(`it's`):("], product, atol=1e-9)


@pytest.mark.parametrize(
    "term",
    [
        *(
            "age",
            "C(age)",
            "poly(age, 2)",
            "bs(age, df=4)",
            "scale(age)",
            "center(age)",
        ),
        *("standardize(age)", "I(age**2)", "np.log(age)", "sex:age", "age / sex"),
        *("T(age, 31)", "S(age)", "I(age > 40)", "np.minimum(age, dose)"),
    ],
)
@pytest.mark.parametrize("other", ["dose", "poly(dose, 2)", "C(sex)"])
def test_no_term_passes_over_a_missing_value(term, other):
    """Prevents series from being left out of one term, and kept in those beside it."""
    gone = np.where(np.arange(len(AGE)) == 3, np.nan, AGE)
    with pytest.raises(UserError, match="age: is missing or not finite in 1 of 10"):
        design(f"{other} + {term}", age=gone)
    with pytest.raises(UserError, match="age: is missing or not finite in 1 of 10"):
        design(f"{other} + ({term} | participant)", age=gone)


@pytest.mark.parametrize("label", ["", "n/a", "NaN", " NA"])
@pytest.mark.parametrize(
    "term", ["sex", "C(sex)", "S(sex)", "T(sex, 'f')", "B(sex, 'f')"]
)
def test_a_missing_label_is_no_level(label, term):
    gone = np.where(np.arange(len(SEX)) == 3, label, SEX.astype("<U3"))
    with pytest.raises(UserError, match="sex: is missing or not finite in 1 of 10"):
        design(f"dose + {term}", sex=gone)


@pytest.mark.parametrize(
    "term", ["scale(age)", "center(age)", "poly(age, 3)", "bs(age, df=4)", "age"]
)
def test_a_centre_of_rounding_is_zero(term):
    """Prevents a page from saying that a column is centred on -9e-18."""
    age = np.asarray([-0.3, -0.2, -0.1, 0.1, 0.2, 0.3])
    found = build_design(parse_formula(f"x ~ {term}"), {"age": age})
    shown = [c for own in found.terms for c in own.centre]
    assert all(centre == 0.0 or abs(centre) > 1e-3 for centre in shown)
    moved = build_design(parse_formula("x ~ age"), {"age": age + 1e-9})
    assert moved.terms[1].centre[0] == pytest.approx(1e-9)  # a small centre is one

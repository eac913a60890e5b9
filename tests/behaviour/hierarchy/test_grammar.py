"""What a formula may not say is refused before any data are read."""

import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.design import build_design
from pcmodel.behaviour.hierarchy.formula import Formula, parse_formula
from pcmodel.errors import UserError

AGE = np.asarray([20.0, 31.0, 44.0, 58.0, 25.0, 37.0])
COVARIATES = {
    "age": AGE,
    "x": np.asarray([1.0, -2.0, 3.0, 0.5, -1.0, 2.0]),
    "drug": np.asarray(["placebo", "halo", "ldopa"] * 2),
    "sex": np.asarray(list("fmmfmf")),
    "age:x": AGE[::-1],
    "np.log(age)": AGE[::-1],
    "_x": np.asarray([1.0, -2.0, 3.0, 0.5, -1.0, 2.0]),
    "Sum": AGE,
}


def columns(text):
    found = build_design(parse_formula(f"p ~ {text}"), COVARIATES)
    return dict(zip(found.common_names, found.common.T, strict=True))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        # The library squares minus x, reads powers from the left, compares truths.
        ("I(-x**2)", "expected brackets: -(x**2) or (-x)**2"),
        ("I(3 - -x**2)", "expected brackets"),
        ("np.exp(-x**2 / 2)", "expected brackets"),
        ("I(2**3**x)", "expected brackets: 2**(3**x) or (2 ** 3)**x"),
        ("I(x**-x**2)", "expected brackets"),
        ("I(x > age > 0)", "expected two comparisons: (x > age) * (age > 0)"),
        ("I(x == age == 1)", "expected two comparisons"),
        ("-x", "-x takes nothing away"),
        ("age + -x", "-x takes nothing away"),
        ("age - x", "x is taken away and is not there"),
        ("age + x - x:age", "x:age is taken away and is not there"),
        ("(age:x)**2", "a power joins terms"),
        ("I(age:x)", "':' means nothing in a call"),
        ("I(x = 3)", "expected == where two are compared"),
        # Order, chance, files, and what is written into a column.
        ("np.cumsum(age)", "np.cumsum() may not be called in a formula"),
        ("np.sort(age)", "may not be called in a formula"),
        ("np.roll(age, 1)", "may not be called in a formula"),
        ("np.add.accumulate(age)", "may not be called in a formula"),
        ("np.random.permutation(age)", "may not be called in a formula"),
        ("np.save('file', age)", "may not be called in a formula"),
        ("np.load('file')", "may not be called in a formula"),
        ("np.matmul(age, x)", "may not be called in a formula"),
        ("np.frexp(age)", "may not be called in a formula"),
        ("np.mean(age)", "expected center(column)"),
        ("np.round(age)", "expected np.rint(column)"),
        ("np.sum(age)", "or B, C, I, S"),
        ("Sum(drug)", "expected C(column, Sum)"),
        ("I(age - np.median(age))", "expected numpy's elementwise functions"),
        ("np.log(age, x)", "has 2 arguments; expected 1"),
        ("np.log(age, out=x)", "has keywords"),
        ("binary(drug)", "does not say which level counts as 1; expected the level"),
        ("np.log(age, where=sex)", "has keywords"),
        ("os.remove(age)", "there is no function os.remove()"),
        ("I(scale(eval(age)))", "there is no function eval()"),
        # Several columns in a function of one.
        ("center(poly(age, 2))", "poly(age, 2) is several columns"),
        ("I(bs(age, df=4) * x)", "bs(age, df=4) is several columns"),
        ("bs(age, df=4) * sex", "expected poly(column, 3) in its place"),
        # Numbers that are no terms.
        ("age*1", "1 is no term"),
        ("age:1", "1 is no term"),
        ("(1 + age) * x", "1 is no term"),
        ("0 + age + 1", "0 and 1 stand in it more than once"),
        ("age - 0", "0 is no term"),
        ("I(3)", "no column stands in I(3)"),
        ("I(age * 1e3)", "1e3 is no number here; expected 1000 in full"),
        ("I(age * 2.5E-2)", "2.5E-2 is no number here; expected 0.025 in full"),
        ("I(age * 1.2.3e5)", "formula"),
        # Signs and names.
        ("age^2", "there is no sign ^"),
        ("not age", "cannot be read from 'age' on, after 'not'"),
        ("2nd", "a name that is not one word stands in `...`"),
        ("_x", "expected `_x` in backticks"),
        ('T(sex, "o\'b")', "a quotation mark stands inside the label"),
        ("age +", "a plus sign and no term after it"),
        ("age + + x", "a plus sign and no term after it"),
        ("+ age", "a plus sign and no term before it"),
        *(
            (f"{one}{sign}{two}", "formula")
            for sign in "/*:"
            for one in "01"
            for two in "01"
        ),
        ("1/0 + age", "1 is no term"),
        ("age + 1/0", "1 is no term"),
        ("(1/0 | participant)", "1 is no term"),
        ("participant", "participant is who differs"),
        ("np.log(participant)", "participant is who differs"),
        ("(participant | participant)", "participant is who differs"),
        ("log(age)", "expected np.log(...)"),
        ("offset(age)", "offset() is no effect"),
        # More than the library reads without end.
        (" + ".join(f"x{i}" for i in range(2500)), "2499 signs between terms"),
        (":".join(f"x{i}" for i in range(2500)), "2499 signs between terms"),
        ("I(" + "(" * 2500 + "age" + ")" * 2500 + ")", "brackets within each other"),
        (f"I({'-' * 60}age)", "within each other"),
        ("(" + " + ".join(f"x{i}" for i in range(40)) + ")**6", "it stands for"),
    ],
)
def test_what_would_be_read_otherwise_is_refused(text, part):
    with pytest.raises(UserError) as caught:
        parse_formula(f"p ~ {text}")
    assert part in str(caught.value) and len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("I(drug > 'halo')", "labels of drug are compared by size"),
        ("I(drug == 'halos')", "did you mean 'halo'"),
        ("I(age == '30')", "numbers are compared with the label '30'"),
        ("np.log(drug)", "drug holds labels"),
        ("poly(sex, 2)", "taken of numbers, not of labels"),
        ("T(drug, 'none')", "expected a label that the column has"),
        ("`age:x` + age:x", "two terms are called 'age:x'"),
        ("`np.log(age)`:sex + np.log(age)", "two terms are called 'np.log(age)'"),
        ("poly(age, 0)", "poly(age, 0) has no columns"),
        ("poly(age, x)", "expected arguments as in poly(age, 2)"),
        ("C(drug, 'halo')", "expected arguments as in"),
        ("ages:x", "no column of conditions is called 'ages'"),
        ("scale(ages)", "no column of conditions is called 'ages'"),
    ],
)
def test_what_these_columns_cannot_mean_is_refused(text, part):
    with pytest.raises(UserError) as caught:
        columns(text)
    assert part in str(caught.value)


def less_mean(values):
    return values - values.mean()


def test_terms_are_named_as_they_are_written():
    """Prevents `I((x - 3)**2)` from being taken for `I(x - 3**2)`, and one of them from being lost."""
    found = columns("I((x-3)**2) + I(x-3**2)")
    x = COVARIATES["x"]
    names = ("I((x - 3) ** 2)", "I(x - 3 ** 2)")
    assert tuple(found) == ("Intercept", *names)
    for name, values in zip(names, ((x - 3) ** 2, x - 9), strict=True):
        np.testing.assert_allclose(found[name], less_mean(values))


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("I(-(x**2))", "I(-(x ** 2))", lambda x, age: -(x**2)),
        ("I((-x)**2)", "I((-x) ** 2)", lambda x, age: x**2),
        ("I((2**3)**x)", "I((2 ** 3) ** x)", lambda x, age: 8.0**x),
        ("I(2**-x)", "I(2 ** -x)", lambda x, age: 2.0**-x),
        ("I(age / x / 2)", "I(age / x / 2)", lambda x, age: age / x / 2),
        ("I(np.abs(x)) + I(age)", "I(np.abs(x))", lambda x, age: np.abs(x)),
        ("np.maximum(x, 0)", "np.maximum(x, 0)", lambda x, age: np.maximum(x, 0)),
        ("`_x`", "_x", lambda x, age: x),
        ("Sum", "Sum", lambda x, age: age),
        # Truths are counted, not joined.
        (
            "I((x > 0) + (age > 30))",
            "I((x > 0) + (age > 30))",
            lambda x, age: (x > 0) + 1.0 * (age > 30),
        ),
    ],
)
def test_what_is_allowed_is_what_it_says(text, name, values):
    expected = less_mean(values(COVARIATES["x"], AGE))
    np.testing.assert_allclose(columns(text)[name], expected, atol=1e-12)


def test_truths_of_labels_are_0_and_1():
    found = columns("I((x > 0) * (drug == 'placebo'))")
    expected = (COVARIATES["x"] > 0) & (COVARIATES["drug"] == "placebo")
    np.testing.assert_array_equal(found["I((x > 0) * (drug == 'placebo'))"], expected)


def test_what_is_there_is_taken_away():
    assert tuple(columns("age*x - age:x")) == ("Intercept", "age", "x")
    assert tuple(columns("age*x - x:age")) == ("Intercept", "age", "x")


@pytest.mark.parametrize(
    "text", ["(age*x)**2", "age + x:age + age:x + x", "x*x:age + age"]
)
def test_the_order_within_an_interaction_means_nothing(text):
    found = columns(text)
    assert len(found) == 4 and ("x:age" in found) != ("age:x" in found)
    product = next(own for name, own in found.items() if ":" in name)
    np.testing.assert_allclose(product, less_mean(COVARIATES["x"] * AGE))


def test_a_term_stands_where_it_was_first_named():
    names = ("Intercept", "age", "x", "age:x", "sex[m]")
    assert tuple(columns("age + x + age:x + sex + x:age")) == names


def test_brackets_within_brackets_are_read_at_once():
    """Prevents work that doubles with each of them."""
    text = "age + x - " + "(x + " * 18 + "x" + ")" * 18
    assert tuple(columns(text)) == ("Intercept", "age")


def test_a_formula_made_by_hand_is_checked_too():
    with pytest.raises(UserError, match="a power joins terms"):
        Formula("p", "age**2")
    with pytest.raises(UserError, match="cannot be read"):
        Formula("p", "1", "age +")

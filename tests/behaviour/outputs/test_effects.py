"""Effects in natural units are differences between the people that they speak of, by brute force."""

import jax
import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models import Parameter
from pcmodel.behaviour.outputs.effects import effects, natural_effects, parts_of
from pcmodel.behaviour.posterior.diagnostics import Diagnostics
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import draw_prior
from tests.behaviour.gaussian import GaussianModel, make_series

RATE = Parameter(
    "level", -1.0, 1.0, 0.7, natural="rate", transform="logistic", unit="share"
)


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


def fitted(formula, parameter=RATE, diagnostics=None, **covariates):
    count = len(next(iter(covariates.values())))
    people = np.arange(count) // 3
    series = make_series(np.zeros((count, 2)), people=people, **covariates)
    model = GaussianModel((parameter, GaussianModel().parameters[1]))
    hierarchy = build_hierarchy(model, series, formulas=[formula])
    draws = draw_prior(jax.random.key(0), hierarchy, 60)
    sites = {
        k: np.asarray(v, float).reshape(2, 30, *v.shape[1:]) for k, v in draws.items()
    }
    return Posterior(hierarchy, sites, {}, diagnostics, "NUTS")


@pytest.fixture
def crossed():
    """Three doses in everybody, two groups."""
    dose = np.tile(["placebo", "low", "high"], 6)
    group = np.repeat(["control", "patient"] * 3, 3)
    return fitted("level ~ dose * group", dose=dose, group=group), dose, group


def cell(posterior, at):
    """Natural draws of the series where `at` is true, without its person's own deviation."""
    design = posterior.hierarchy.terms[0].design
    row = design.common[np.flatnonzero(at)[0]]
    return logistic(posterior.sites["level"] @ row)


def test_effects_and_interactions_are_differences_of_cells(crossed):
    posterior, dose, group = crossed
    found = {row.name: row for row in natural_effects(posterior)}

    def at(d, g):
        return cell(posterior, (dose == d) & (group == g))

    a, b, c, d = (at(x, y) for y in ("control", "patient") for x in ("placebo", "high"))
    for name, before, after, draws in (
        ("level[dose[high]]", a, b, b - a),
        ("level[group[patient]]", a, c, c - a),
        ("level[dose[high]] where group[patient]", c, d, d - c),
        ("level[group[patient]] where dose[high]", b, d, d - b),
        ("level[dose[high]:group[patient]]", b - a, d - c, (d - c) - (b - a)),
        (
            "level[dose[low]] - [dose[high]]",
            at("high", "control"),
            at("low", "control"),
            at("low", "control") - at("high", "control"),
        ),
    ):
        row = found[name]
        low, high = np.quantile(draws, (0.025, 0.975))
        np.testing.assert_allclose(
            (
                row.before,
                row.after,
                row.difference,
                row.difference_low,
                row.difference_high,
            ),
            (before.mean(), after.mean(), draws.mean(), low, high),
            rtol=1e-4,
            atol=1e-6,
            err_msg=name,
        )
        assert row.difference_positive == (draws > 0).mean()
    level = found["level[Intercept]"]
    np.testing.assert_allclose(level.after, a.mean(), rtol=1e-5)
    assert np.isnan(level.before) and np.isnan(level.difference)
    assert level.in_words == f"rate {level.after:.3g}"
    assert found["level[dose[high]]"].in_words.startswith("rate 0.")
    assert " -> " in found["level[dose[high]]"].in_words


def test_a_difference_of_differences_need_not_have_its_coefficients_sign():
    """Prevents the coefficient's sign from being told for the natural scale: 0.5 to 0.73 is more than 0.88 to 0.95."""
    drug = np.tile(["placebo", "drug", "drug"], 4)
    group = np.repeat(["control", "patient"] * 2, 3)
    posterior = fitted("level ~ drug * group", drug=drug, group=group)
    names = posterior.hierarchy.terms[0].design.common_names
    draws = np.zeros_like(posterior.sites["level"])
    for name, value in (("drug[drug]", 1.0), ("group[patient]", 2.0)):
        draws[..., names.index(name)] = value
    posterior = posterior._replace(sites=posterior.sites | {"level": draws})
    row = {r.name: r for r in natural_effects(posterior)}[
        "level[drug[drug]:group[patient]]"
    ]
    assert row.mean == 0.0
    wanted = (logistic(3.0) - logistic(2.0)) - (logistic(1.0) - logistic(0.0))
    np.testing.assert_allclose(row.difference, wanted, rtol=1e-5)
    assert wanted < 0 and row.difference_positive == 0.0
    np.testing.assert_allclose(row.before, logistic(1.0) - logistic(0.0), rtol=1e-5)


def test_numbers_are_told_by_one_unit_at_the_average_person():
    age = np.repeat([20.0, 30.0, 70.0], 3)
    posterior = fitted("level ~ age", age=age)
    row = {r.name: r for r in natural_effects(posterior)}["level[age]"]
    start, slope = np.moveaxis(posterior.sites["level"], -1, 0)
    np.testing.assert_allclose(row.before, logistic(start).mean(), rtol=1e-6)
    np.testing.assert_allclose(row.after, logistic(start + slope).mean(), rtol=1e-6)
    np.testing.assert_allclose(row.mean, slope.mean(), rtol=1e-6)


def test_spreads_are_told_in_people():
    posterior = fitted("level ~ 1", age=np.zeros(6) + np.arange(6))
    row = {r.name: r for r in natural_effects(posterior)}["level_sd[Intercept]"]
    start, sd = posterior.sites["level"][..., 0], posterior.sites["level_sd"][..., 0]
    np.testing.assert_allclose(row.before, logistic(start - sd).mean(), rtol=1e-6)
    np.testing.assert_allclose(row.after, logistic(start + sd).mean(), rtol=1e-6)
    assert np.isnan(row.difference) and "one SD below to above" in row.in_words


@pytest.mark.parametrize("shift", [-1e8, -800.0, 800.0, 1e8])
def test_the_ends_of_a_scale_are_reached_without_a_word(shift):
    """Prevents a NaN, or a warning, where draws are beyond what the scale can hold."""
    drug = np.tile(["placebo", "drug", "drug"], 2)
    for transform in ("logistic", "exp"):
        parameter = Parameter("level", 0.0, 1.0, 0.7, natural="x", transform=transform)
        posterior = fitted("level ~ drug", parameter, drug=drug)
        sites = posterior.sites | {"level": posterior.sites["level"] + shift}
        rows = natural_effects(posterior._replace(sites=sites))
        effect = {r.name: r for r in rows}["level[drug[drug]]"]
        if transform == "logistic" or shift < 0:
            np.testing.assert_allclose(effect.difference, 0.0, atol=1e-6)
        assert np.isfinite(effect.mean)


def test_the_table_says_whether_it_may_be_used(crossed):
    posterior, *_ = crossed
    table = effects(posterior)
    assert table.values["trusted"].all() and len(table.about) == len(table.values)
    bad = Diagnostics(1.2, 30.0, 4, 0.5, 0.9, 800)
    table = effects(posterior._replace(diagnostics=bad))
    assert not table.values["trusted"].any()
    assert table.csv().splitlines()[1].split(",")[3] == "false"
    assert posterior.natural_effects().shape[0] == len(table.values["name"])


@pytest.mark.parametrize(
    ("column", "parts"),
    [
        ("age", ("age",)),
        ("a:b:c", ("a", "b", "c")),
        ("drug[10:20 mg]:`my:name`", ("drug[10:20 mg]", "`my:name`")),
        ("I(a > 1):group[x]", ("I(a > 1)", "group[x]")),
        ("T(d, 'a:b')[x]", ("T(d, 'a:b')[x]",)),
    ],
)
def test_columns_are_divided_where_the_formula_does(column, parts):
    assert parts_of(column) == parts

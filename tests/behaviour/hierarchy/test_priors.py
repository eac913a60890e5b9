"""A prior that is set is the prior of the fit, everywhere alike; what cannot be set is refused in a sentence."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.infer.util import potential_energy
from scipy import stats

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    build_hierarchy,
    hierarchical_model,
)
from pcmodel.behaviour.hierarchy.layout import (
    group_places,
    group_sizes,
    group_volume,
    standard_normals,
)
from pcmodel.behaviour.hierarchy.priors.families import Law
from pcmodel.behaviour.hierarchy.priors.spreads import log_spread
from pcmodel.behaviour.hierarchy.priors.written import parse_prior, parse_priors
from pcmodel.behaviour.models.catalogue import check_names
from pcmodel.behaviour.posterior.fitted_posterior import HALF_NORMAL_SD, effect_labels
from pcmodel.behaviour.posterior.predictive import draw_prior
from pcmodel.behaviour.posterior.sensitivity import group_priors
from pcmodel.behaviour.studies.calibrate import CheckPlan, plan_study
from pcmodel.behaviour.studies.power import DesignPlan, _model
from pcmodel.behaviour.studies.recovery import RecoverPlan, plan_models
from pcmodel.errors import UserError
from tests.behaviour.gaussian import GaussianModel, make_series

FORMULA = "level ~ drug + (drug | participant)"
SET = (
    "height ~ Normal(-3, 4)",  # another name of it
    "level[drug[drug]] ~ Normal(2, 0.25)",
    "level_sd ~ HalfNormal(0.1)",
    "level_sd[drug[drug]] ~ halfnormal(7)",
)


def hierarchy(*priors, formula=FORMULA):
    drug = ["placebo", "drug"] * 3
    series = make_series(np.zeros((6, 2)), people=[0, 0, 1, 1, 2, 2], drug=drug)
    return build_hierarchy(GaussianModel(), series, formulas=[formula], priors=priors)


def test_draws_of_the_prior_are_of_what_was_set():
    found = hierarchy(*SET)
    num = 20000
    draws = {
        k: np.asarray(v) for k, v in draw_prior(jax.random.key(0), found, num).items()
    }
    level, spread = draws["level"], draws["level_sd"]
    for values, mean, sd in (
        (level[:, 0], -3.0, 4.0),
        (level[:, 1], 2.0, 0.25),
        (spread[:, 0], 0.1 * np.sqrt(2 / np.pi), 0.1 * HALF_NORMAL_SD),
        (spread[:, 1], 7.0 * np.sqrt(2 / np.pi), 7.0 * HALF_NORMAL_SD),
    ):
        assert abs(values.mean() - mean) < 5 * sd / np.sqrt(num)
        np.testing.assert_allclose(values.std(), sd, rtol=0.05)
    wanted = [4.0, 0.25, 0.1 * HALF_NORMAL_SD, 7.0 * HALF_NORMAL_SD]
    np.testing.assert_allclose([e.prior_sd for e in effect_labels(found)], wanted)


OTHERS = (
    ("level ~ StudentT(3, -2, 0.5)", stats.t(3, -2.0, 0.5)),
    ("level ~ Cauchy(4, 2)", stats.cauchy(4.0, 2.0)),
    ("level ~ Logistic(1, 3)", stats.logistic(1.0, 3.0)),
    ("level_sd ~ Exponential(4)", stats.expon(scale=0.25)),
    ("level_sd ~ HalfCauchy(0.3)", stats.halfcauchy(scale=0.3)),
    ("level_sd ~ HalfStudentT(3, 2)", stats.t(3, scale=2.0)),
)


@pytest.mark.parametrize(("text", "known"), OTHERS)
def test_other_families_are_drawn_and_weighed_as_scipy_says(text, known):
    """By the model that is sampled: its draws by quantiles, its density in the sampler's own coordinate."""
    law, site = parse_prior(text).law, text.split(" ")[0]
    half = law.family == "HalfStudentT"
    found, num = hierarchy(text), 4000
    draws = np.asarray(draw_prior(jax.random.key(1), found, num)[site])[:, 0]
    shares = known.cdf(draws) * (2.0 if half else 1.0) - (1.0 if half else 0.0)
    assert stats.kstest(shares, "uniform").pvalue > 1e-4

    normals = np.array([-3.0, 0.1, 2.5, 20.0])
    name = f"level.{'scale' if law.is_spread else 'common'}"
    place = [*group_sizes(found)].index(name)
    start = sum(list(group_sizes(found).values())[:place])
    with jax.enable_x64(True):

        def energy(at):
            group = jnp.zeros(sum(group_sizes(found).values())).at[start].set(at)
            places = group_places(found, group)
            people = standard_normals(found, jnp.zeros((3, 2)))
            model = partial(hierarchical_model, found)
            own = potential_energy(model, (), {}, places | people)
            return group_volume(found, group) - own, places[name][0]

        pairs = [energy(at) for at in normals]
        density = np.array([float(own) for own, _ in pairs])
        values = np.array([float(own) for _, own in pairs])
        rise = np.zeros(4)
        if law.is_spread:
            rise = values + np.log(jax.vmap(jax.grad(log_spread))(jnp.asarray(normals)))
    values = law.centre + law.scale * (np.exp(values) if law.is_spread else values)
    wanted = known.logpdf(values) + rise
    np.testing.assert_allclose(np.diff(density), np.diff(wanted), rtol=1e-8)
    np.testing.assert_allclose(
        np.diff(law.on_host.logpdf(values)), np.diff(wanted - rise)
    )
    assert parse_prior(f"{site} ~ {law.text}").law == law
    own = group_priors(found)[2 if law.is_spread else 0]
    assert own.is_set and own.law == law


def test_the_sd_of_a_wide_tail_is_that_of_the_normal_with_its_quartiles():
    """The share that data remove of a variance that is infinite would be 1 whatever they say."""
    normal = stats.norm.ppf(0.75)
    assert Law("Cauchy", 5.0, 2.0).sd == pytest.approx(2.0 / normal)
    assert Law("StudentT", 0.0, 1.0, 1e8).sd == pytest.approx(1.0, rel=1e-6)
    assert Law("HalfStudentT", 0.0, 3.0, 1e8).sd == pytest.approx(
        3.0 * HALF_NORMAL_SD, rel=1e-6
    )
    assert Law("Exponential", 0.0, 0.25).sd == pytest.approx(0.25)


def test_what_is_not_set_keeps_its_own():
    """Prevents a prior of the mean from changing that of the effects and spreads, which are scaled by it by default."""
    plain, found = hierarchy().terms[0], hierarchy(SET[0]).terms[0]
    np.testing.assert_array_equal(found.effect_sd, [4.0, plain.effect_sd[1]])
    np.testing.assert_array_equal(found.effect_mean, [-3.0, 0.0])
    np.testing.assert_array_equal(found.spread_scale, plain.spread_scale)
    told = group_priors(hierarchy(SET[0]))
    assert [prior.is_set for prior in told] == [True, False, False, False]
    assert told[0].text == "level[Intercept] ~ Normal(-3, 4)"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("level", "cannot be read: 'level'"),
        ("~ Normal(0, 1)", "cannot be read"),
        ("level ~ Normal(0, 1) + 2", "cannot be read"),
        ("level ~ Normal(0, 1", "cannot be read"),
        ("level ~ Laplace(0, 1)", "expected Normal(MEAN, SD), StudentT(DF, LOCATION"),
        ("level ~ Uniform(0, 1)", "HalfCauchy(SCALE) or Exponential(RATE) for an SD"),
        ("level ~ StudentT(0, 1)", "does not give df and location and scale"),
        ("level ~ StudentT(0.5, 0, 1)", "df is 0.5"),
        ("level ~ Exponential(1)", "may be negative"),
        ("level_sd ~ Exponential(0)", "rate is 0"),
        ("level_sd ~ StudentT(3, 0, 1)", "level_sd ~ HalfNormal(SCALE), HalfStudentT"),
        ("level ~ Normal(0)", "does not give mean and SD"),
        ("level ~ Normal(0, 1, 2)", "does not give mean and SD"),
        ("level ~ Normal(x, 1)", "expected Normal(MEAN, SD), finite numbers"),
        ("level ~ Normal(nan, 1)", "finite numbers"),
        ("level ~ Normal(0, 0)", "SD is 0"),
        ("level ~ Normal(0, -2)", "SD is -2"),
        ("level ~ Normal(0, 1e300)", "expected a number from 1e-08 to 1e+08"),
        ("levl ~ Normal(0, 1)", "did you mean 'level'"),
        ("held ~ Normal(0, 1)", "held is held at 0.25; expected a formula"),
        ("level_sd ~ Normal(0, 1)", "is an SD over people, which is positive"),
        ("level ~ HalfNormal(1)", "may be negative"),
        ("level[drg] ~ Normal(0, 1)", "expected one of: level, level[drug[drug]]"),
        ("level[drug ~ Normal(0, 1)", "expected NAME[COLUMN]"),
        ("level_sd[age] ~ HalfNormal(1)", "level_sd, level_sd[drug[drug]]"),
    ],
)
def test_what_cannot_be_set_is_told_with_what_can(text, part):
    with pytest.raises(UserError) as caught:
        hierarchy(text)
    assert part in str(caught.value) and "\n" not in str(caught.value)


def test_two_priors_of_one_number_are_refused_also_by_two_names():
    for pair in (
        ("level ~ Normal(0, 1)", "level ~ Normal(0, 1)"),
        ("level ~ Normal(0, 1)", "height ~ Normal(0, 2)"),
    ):
        with pytest.raises(UserError, match="has two priors"):
            hierarchy(*pair)


def test_an_sd_of_nobody_is_refused():
    with pytest.raises(UserError, match="nobody differs in level"):
        hierarchy(
            "level_sd ~ HalfNormal(1)", formula="level ~ drug + (0 | participant)"
        )


def test_a_prior_is_written_as_it_is_read():
    for text in (*SET[:3], "a ~ Normal(1e-08, 12345.678)", "a_sd ~ HalfNormal(1e+08)"):
        prior = parse_prior(text)
        assert parse_prior(prior.text) == prior
    assert parse_priors([]) == ()


def test_studies_draw_people_from_the_priors_that_were_set():
    priors = ("omega2 ~ Normal(-5, 0.5)", "omega2_sd ~ HalfNormal(0.2)")
    plan = CheckPlan("binary", "hgf2", participants=2, trials=4, priors=priors)
    term = plan_study(plan, 0).terms[0]
    assert (term.effect_mean[0], term.effect_sd[0]) == (-5.0, 0.5)
    assert term.spread_scale[0] == 0.2
    design = DesignPlan("binary", "hgf2", "omega2=-1", priors=priors)
    recover = RecoverPlan("binary", ("hgf2", "rescorla_wagner"), priors=priors)
    own, other = plan_models(recover)
    for model in (_model(design, True), own):
        found = {p.name: p for p in model.parameters}["omega2"]
        assert (found.mean, found.sd, found.spread) == (-5.0, 0.5, 0.2)
    assert other.parameters[0].mean == -1.0
    hash(own)  # compiled programs are kept by it
    with pytest.raises(UserError, match="did you mean 'omega2'"):
        plan_models(
            recover.__class__("binary", ("hgf2",), priors=("omga2 ~ Normal(0, 1)",))
        )
    with pytest.raises(UserError, match="where people are drawn one by one"):
        plan_models(
            recover.__class__("binary", ("hgf2",), priors=("omega2 ~ Cauchy(0, 1)",))
        )
    with pytest.raises(UserError, match="is an effect, and this study has none"):
        plan_models(
            recover.__class__("binary", ("hgf2",), priors=("omega2[a] ~ Normal(0, 1)",))
        )


def test_names_are_checked_before_the_table_is_read():
    with pytest.raises(UserError, match="did you mean 'omega2'"):
        check_names("binary", ["hgf2"], priors=["omega7 ~ Normal(0, 1)"])
